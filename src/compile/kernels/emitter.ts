import type * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

/** What tfjs hands to a kernel: inputs by the names that it gives them, or a list, and attributes. */
interface Kernel<Inputs, Attributes = object> {
  readonly inputs: Inputs extends readonly unknown[] ? readonly Value[] : { readonly [Name in keyof Inputs]: Value };
  readonly attributes: Attributes;
}

type Unary<Attributes = object> = Kernel<tf.UnaryInputs, Attributes>;
type None = Readonly<Record<never, never>>;
type Type = Value['type'];

type UnaryName =
  | ('Abs' | 'Acos' | 'Acosh' | 'Asin' | 'Asinh' | 'Atan' | 'Atanh' | 'Ceil' | 'Cos' | 'Cosh' | 'Diag' | 'Elu' | 'Erf')
  | ('Exp' | 'Expm1' | 'Floor' | 'Identity' | 'IsFinite' | 'IsInf' | 'IsNan' | 'Log' | 'Log1p' | 'LogicalNot' | 'Neg')
  | ('OnesLike' | 'Reciprocal' | 'Relu' | 'Relu6' | 'Round' | 'Rsqrt' | 'Selu' | 'Sigmoid' | 'Sign' | 'Sin' | 'Sinh')
  | ('Softplus' | 'Sqrt' | 'Square' | 'Tan' | 'Tanh' | 'ZerosLike');

type BinaryName =
  | ('Add' | 'Atan2' | 'BitwiseAnd' | 'Equal' | 'FloorDiv' | 'Greater' | 'GreaterEqual' | 'Less' | 'LessEqual')
  | ('LogicalAnd' | 'LogicalOr' | 'LogicalXor' | 'Maximum' | 'Minimum' | 'Mod' | 'Multiply' | 'NotEqual' | 'Pow')
  | ('RealDiv' | 'SquaredDifference' | 'Sub');

/** The kernels that can be compiled, by the names of tfjs. */
interface Kernels extends Record<UnaryName, Unary>, Record<BinaryName, Kernel<tf.BinaryInputs>> {
  readonly AddN: Kernel<tf.AddNInputs>;
  readonly All: Unary<tf.AllAttrs>;
  readonly Any: Unary<tf.AnyAttrs>;
  readonly ArgMax: Unary<tf.ArgMaxAttrs>;
  readonly ArgMin: Unary<tf.ArgMinAttrs>;
  readonly BatchMatMul: Kernel<tf.BatchMatMulInputs, tf.BatchMatMulAttrs>;
  readonly BroadcastTo: Unary<{ shape: number[] }>;
  readonly Cast: Unary<{ dtype: Type }>;
  readonly ClipByValue: Unary<tf.ClipByValueAttrs>;
  readonly Concat: Kernel<tf.ConcatInputs, tf.ConcatAttrs>;
  readonly Cumprod: Unary<tf.CumprodAttrs>;
  readonly Cumsum: Unary<tf.CumsumAttrs>;
  readonly Einsum: Kernel<tf.EinsumInputs, tf.EinsumAttrs>;
  readonly EluGrad: Kernel<tf.EluGradInputs>;
  readonly ExpandDims: Kernel<tf.ExpandDimsInputs, tf.ExpandDimsAttrs>;
  readonly Fill: Kernel<None, tf.FillAttrs>;
  readonly FusedBatchNorm: Kernel<
    Omit<tf.FusedBatchNormInputs, 'scale' | 'offset'> & Partial<Pick<tf.FusedBatchNormInputs, 'scale' | 'offset'>>,
    tf.FusedBatchNormAttrs
  >;
  readonly GatherNd: Kernel<tf.GatherNdInputs>;
  readonly GatherV2: Kernel<tf.GatherV2Inputs, tf.GatherV2Attrs>;
  readonly LeakyRelu: Unary<tf.LeakyReluAttrs>;
  readonly LinSpace: Kernel<None, tf.LinSpaceAttrs>;
  readonly LogSoftmax: Kernel<tf.LogSoftmaxInputs, tf.LogSoftmaxAttrs>;
  readonly LowerBound: Kernel<tf.LowerBoundInputs>;
  readonly Max: Unary<tf.MaxAttrs>;
  readonly Mean: Unary<tf.MeanAttrs>;
  readonly Min: Unary<tf.MinAttrs>;
  readonly MirrorPad: Unary<tf.MirrorPadAttrs>;
  readonly OneHot: Kernel<tf.OneHotInputs, tf.OneHotAttrs>;
  readonly Pack: Kernel<tf.PackInputs, tf.PackAttrs>;
  readonly PadV2: Unary<tf.PadV2Attrs>;
  readonly Prelu: Kernel<tf.PreluInputs>;
  readonly Prod: Unary<tf.ProdAttrs>;
  readonly Range: Kernel<None, tf.RangeAttrs>;
  readonly Reshape: Unary<tf.ReshapeAttrs>;
  readonly Reverse: Unary<tf.ReverseAttrs>;
  readonly ScatterNd: Kernel<tf.ScatterNdInputs, tf.ScatterNdAttrs>;
  readonly SearchSorted: Kernel<tf.SearchSortedInputs, tf.SearchSortedAttrs>;
  readonly Select: Kernel<tf.SelectInputs>;
  readonly Slice: Unary<tf.SliceAttrs>;
  readonly Softmax: Kernel<tf.SoftmaxInputs, tf.SoftmaxAttrs>;
  readonly SplitV: Unary<tf.SplitVAttrs>;
  readonly Step: Unary<tf.StepAttrs>;
  readonly StridedSlice: Unary<tf.StridedSliceAttrs>;
  readonly Sum: Unary<tf.SumAttrs>;
  readonly TensorScatterUpdate: Kernel<tf.TensorScatterUpdateInputs>;
  readonly Tile: Unary<tf.TileAttrs>;
  readonly TopK: Unary<tf.TopKAttrs>;
  readonly Transpose: Unary<tf.TransposeAttrs>;
  readonly Unpack: Kernel<tf.UnpackInputs, tf.UnpackAttrs>;
  readonly UnsortedSegmentSum: Kernel<tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs>;
  readonly UpperBound: Kernel<tf.UpperBoundInputs>;
  readonly _FusedMatMul: Kernel<tf._FusedMatMulInputs, tf._FusedMatMulAttrs>;
}

/** Names of kernels that can be compiled. */
export type KernelName = keyof Kernels;

/** Writes the tfjs kernel `Name` as ONNX operators. */
export type Emitter<Name extends KernelName> = (
  builder: Builder,
  inputs: Kernels[Name]['inputs'],
  attributes: Kernels[Name]['attributes'],
) => Value | Value[];

/** Writes an elementwise kernel on one tensor. */
export type UnaryEmitter = Emitter<UnaryName>;

/** Emitters by kernel name. */
export type Emitters = { readonly [Name in KernelName]: Emitter<Name> };
