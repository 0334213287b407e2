import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { activations } from './activations.js';
import { binary } from './binary.js';
import type { Emitters, KernelName } from './emitter.js';
import { indexing } from './indexing.js';
import { layout } from './layout.js';
import { matrices } from './matrices.js';
import { reductions } from './reductions.js';
import { unary } from './unary.js';

/** The kernels that can be compiled, by family. */
export const KERNEL_FAMILIES = {
  'elementwise, one tensor': unary,
  'elementwise, two tensors': binary,
  'activations and softmax': activations,
  'reductions and scans': reductions,
  'matrix products, batch normalisation': matrices,
  'creation and layout': layout,
  'indexing, selection, sorting': indexing,
} satisfies Readonly<Record<string, Partial<Emitters>>>;

/** All emitters by kernel name. */
export const EMITTERS: Emitters = {
  ...unary,
  ...binary,
  ...activations,
  ...reductions,
  ...matrices,
  ...layout,
  ...indexing,
};

/** The emitter of a kernel of {@link EMITTERS}, for inputs and attributes as tfjs hands them to it. */
export function emitterOf(name: string) {
  return EMITTERS[name as KernelName] as (
    builder: Builder,
    inputs: Readonly<Record<string, Value>> | readonly Value[],
    attributes: object,
  ) => Value | Value[];
}

/** Kernels that TensorFlow.js has but that cannot be compiled, with the reason. */
export const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  'convolution, pooling and images are not covered': [
    ...['AvgPool', 'AvgPool3D', 'AvgPool3DGrad', 'AvgPoolGrad', 'BatchToSpaceND', 'Conv2D', 'Conv2DBackpropFilter'],
    ...['Conv2DBackpropInput', 'Conv3D', 'Conv3DBackpropFilterV2', 'Conv3DBackpropInputV2', 'CropAndResize'],
    ...['DepthToSpace', 'DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropFilter'],
    ...['DepthwiseConv2dNativeBackpropInput', 'Dilation2D', 'Dilation2DBackpropFilter', 'Dilation2DBackpropInput'],
    ...['Draw', 'FlipLeftRight', 'FromPixels', 'FusedConv2D', 'FusedDepthwiseConv2D', 'LRN', 'LRNGrad', 'MaxPool'],
    ...['MaxPool3D', 'MaxPool3DGrad', 'MaxPoolGrad', 'MaxPoolWithArgmax', 'ResizeBilinear', 'ResizeBilinearGrad'],
    ...['ResizeNearestNeighbor', 'ResizeNearestNeighborGrad', 'RotateWithOffset', 'SpaceToBatchND', 'Transform'],
  ],
  'the shape of the result depends on data': [
    ...['NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5', 'RaggedGather', 'RaggedRange'],
    ...[
      'RaggedTensorToTensor',
      'SparseFillEmptyRows',
      'SparseReshape',
      'SparseSegmentMean',
      'SparseSegmentSum',
      'Unique',
    ],
  ],
  'complex numbers and strings are not covered': [
    ...['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real', 'StaticRegexReplace', 'StringNGrams', 'StringSplit'],
    ...['StringToHashBucketFast'],
  ],
  'random numbers must enter as inputs': ['Multinomial'],
  'rarely used': ['Bincount', 'BroadcastArgs', 'DenseBincount', 'MatrixBandPart', 'Pool', 'SparseToDense'],
};
