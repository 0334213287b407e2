import * as tf from '@tensorflow/tfjs-core';

/** A small program around one kernel. */
export interface KernelCase {
  kernel: string;
  name: string;
  run: (...x: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  inputs: () => tf.Tensor[];
  /** Whether to compare gradients too. */
  gradient: boolean;
}

type Inputs = (() => tf.Tensor)[];

function add(kernel: string, run: KernelCase['run'], inputs: Inputs, gradient = false, name = ''): KernelCase {
  return { kernel, name: `${kernel} ${name}`.trim(), run, inputs: () => inputs.map((make) => make()), gradient };
}

/** Numbers without pattern, the same in every run. */
export function noise(shape: number[], low = -2, high = 2, seed = 1): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return low + (high - low) * (x - Math.floor(x));
  });
  return tf.tensor(data, shape, 'float32');
}

const real =
  (...shape: number[]) =>
  () =>
    noise(shape);
const other =
  (...shape: number[]) =>
  () =>
    noise(shape, -2, 2, 7);
const positive =
  (...shape: number[]) =>
  () =>
    noise(shape, 0.2, 3);
const unit =
  (...shape: number[]) =>
  () =>
    noise(shape, -0.95, 0.95);
const list =
  (values: number[], dtype: 'float32' | 'int32' = 'float32', shape = [values.length]) =>
  () =>
    tf.tensor(values, shape, dtype);
const ints =
  (low: number, high: number, ...shape: number[]) =>
  () =>
    tf.cast(tf.floor(noise(shape, low, high)), 'int32');
const bools =
  (...shape: number[]) =>
  () =>
    tf.greater(noise(shape), 0);

const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -1.5, 1e-8, -1e-8, 1e-3, 30, -30, 88, -88, 1e6, -1e6];

type Unary = (x: tf.Tensor) => tf.Tensor;
const smooth: Record<string, [Unary, () => tf.Tensor]> = {
  Abs: [tf.abs, real(3, 4)],
  Acos: [tf.acos, unit(12)],
  Acosh: [tf.acosh, () => noise([12], 1.1, 5)],
  Asin: [tf.asin, unit(12)],
  Asinh: [tf.asinh, real(12)],
  Atan: [tf.atan, real(12)],
  Atanh: [tf.atanh, unit(12)],
  ClipByValue: [(x) => tf.clipByValue(x, -0.7, 1.1), real(3, 4)],
  Cos: [tf.cos, real(12)],
  Cosh: [tf.cosh, real(12)],
  Elu: [tf.elu, real(12)],
  Erf: [tf.erf, real(12)],
  Exp: [tf.exp, real(12)],
  Expm1: [tf.expm1, list(SPECIAL.filter((x) => x < 80))],
  LeakyRelu: [(x) => tf.leakyRelu(x, 0.1), real(12)],
  Log: [tf.log, positive(12)],
  Log1p: [tf.log1p, () => noise([24], -0.95, 3)],
  LogSoftmax: [(x) => tf.logSoftmax(x), real(3, 5)],
  Reciprocal: [tf.reciprocal, positive(12)],
  Relu: [tf.relu, real(3, 4)],
  Relu6: [tf.relu6, () => noise([12], -3, 9)],
  Rsqrt: [tf.rsqrt, positive(12)],
  Selu: [tf.selu, real(12)],
  Sigmoid: [tf.sigmoid, real(12)],
  Sin: [tf.sin, real(12)],
  Sinh: [tf.sinh, real(12)],
  Softmax: [(x) => tf.softmax(x), real(2, 3, 5)],
  Softplus: [tf.softplus, list([...SPECIAL])],
  Sqrt: [tf.sqrt, positive(12)],
  Square: [tf.square, real(3, 4)],
  Tan: [tf.tan, unit(12)],
  Tanh: [tf.tanh, real(3, 4)],
};

const rough: Record<string, [Unary, () => tf.Tensor]> = {
  Ceil: [tf.ceil, list(SPECIAL)],
  Floor: [tf.floor, list(SPECIAL)],
  IsFinite: [tf.isFinite, list([0, 1, Infinity, -Infinity, NaN])],
  IsInf: [tf.isInf, list([0, 1, Infinity, -Infinity, NaN])],
  IsNan: [tf.isNaN, list([0, 1, Infinity, -Infinity, NaN])],
  LogicalNot: [tf.logicalNot, bools(7)],
  Neg: [tf.neg, real(3, 4)],
  OnesLike: [(x) => tf.mul(tf.onesLike(x), x), real(3)],
  Round: [tf.round, list(SPECIAL)],
  Sign: [tf.sign, list([0, 1.5, -2])],
  Step: [(x) => tf.step(x, 0.3), list([0, 1.5, -2])],
  ZerosLike: [(x) => tf.add(tf.zerosLike(x), x), real(3)],
};

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const arithmetic: Record<string, [Binary, boolean]> = {
  Add: [tf.add, true],
  Atan2: [tf.atan2, true],
  Equal: [tf.equal, false],
  Greater: [tf.greater, false],
  GreaterEqual: [tf.greaterEqual, false],
  Less: [tf.less, false],
  LessEqual: [tf.lessEqual, false],
  Maximum: [tf.maximum, true],
  Minimum: [tf.minimum, true],
  Mod: [tf.mod, false],
  Multiply: [tf.mul, true],
  NotEqual: [tf.notEqual, false],
  RealDiv: [tf.div, true],
  SquaredDifference: [tf.squaredDifference, true],
  Sub: [tf.sub, true],
};

const SHAPES: [number[], number[]][] = [
  [[], []],
  [[4], []],
  [[2, 3], [3]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [2, 1, 2, 3],
    [2, 3, 1, 1],
  ],
];

/** Kernels whose tfjs gradients forget to sum over broadcast axes. */
const WITHOUT_BROADCAST_GRADIENT = new Set(['Maximum', 'Minimum', 'SquaredDifference']);

const half = (x: tf.Tensor) => tf.clipByValue(tf.round(tf.mul(x, 2)), -2, 2);

/** At least one case for every kernel that can be compiled. */
export const CASES: KernelCase[] = [
  ...Object.entries(smooth).map(([kernel, [run, input]]) => add(kernel, run as KernelCase['run'], [input], true)),
  ...Object.entries(rough).map(([kernel, [run, input]]) => add(kernel, run as KernelCase['run'], [input])),
  ...Object.entries(arithmetic).flatMap(([kernel, [run, gradient]]) => [
    ...SHAPES.map(([a, b]) => {
      const broadcasts = a.join() !== b.join();
      const comparable = gradient && !(broadcasts && WITHOUT_BROADCAST_GRADIENT.has(kernel));
      return add(kernel, run as KernelCase['run'], [real(...a), other(...b)], comparable, `[${a}] [${b}]`);
    }),
    add(
      kernel,
      ((a, b) => run(a, kernel === 'Atan2' ? tf.cast(b, 'float32') : b)) as Binary as KernelCase['run'],
      [ints(-4, 5, 3, 4), () => tf.cast(tf.add(half(noise([4], -1, 1, 5)), 3), 'int32')],
      false,
      'int32',
    ),
  ]),
  ...[tf.equal, tf.notEqual, tf.less, tf.greaterEqual].map((run, i) =>
    add(
      ['Equal', 'NotEqual', 'Less', 'GreaterEqual'][i]!,
      (a, b) => run(half(a!), half(b!)),
      [real(40), other(40)],
      false,
      'ties',
    ),
  ),
  add('Equal', (a, b) => tf.equal(a!, b!), [bools(9), () => tf.greater(noise([9], -2, 2, 3), 0)], false, 'bool'),
  add('Less', (a, b) => tf.less(a!, b!), [bools(9), () => tf.greater(noise([9], -2, 2, 3), 0)], false, 'bool'),
  add('AddN', (a, b, c) => tf.addN([a!, b!, c!]), [real(3), other(3), positive(3)], true),
  add('Atan2', (a, b) => tf.atan2(a!, b!), [list([0, 0, 1, -1, 2, -2]), list([1, -1, 0, 0, -3, -3])], false, 'axes'),
  add('BitwiseAnd', (a, b) => tf.bitwiseAnd(a!, b!), [ints(0, 30, 8), ints(3, 20, 8)]),
  add('FloorDiv', (a, b) => tf.floorDiv(a!, b!), [
    list([7, -7, 7, -7, 6, -6, 0], 'int32'),
    list([2, 2, -2, -2, 3, 3, 5], 'int32'),
  ]),
  add(
    'FloorDiv',
    (a, b) => tf.engine().runKernel('FloorDiv', { a: a!, b: b! }) as tf.Tensor,
    [real(6), positive(6)],
    false,
    'float32',
  ),
  add('FloorDiv', (a, b) => tf.floorDiv(a!, b!), [list([4, 5], 'int32'), list([2, 0], 'int32')], false, 'zero'),
  add('Mod', (a, b) => tf.mod(a!, b!), [list([4, 5], 'int32'), list([3, 0], 'int32')], false, 'zero'),
  add('Mod', (a, b) => tf.mod(a!, b!), [list([7, -7, 7, -7, 6, -6, 0]), list([2, 2, -2, -2, 3, 3, 5])], false, 'signs'),
  add('LogicalAnd', (a, b) => tf.logicalAnd(a!, b!), [bools(3, 4), bools(4)]),
  add('LogicalOr', (a, b) => tf.logicalOr(a!, b!), [bools(3, 4), bools(4)]),
  add('LogicalXor', (a, b) => tf.logicalXor(a!, b!), [bools(12), () => tf.greater(noise([12], -2, 2, 3), 0)]),
  add('Multiply', (a, b) => tf.mul(a!, b!), [bools(6), real(6)], false, 'bool'),
  add('Pow', (a, b) => tf.pow(a!, b!), [positive(3, 4), other(4)], true),
  ...[0.5, 1, 2, 3].map((power) => add('Pow', (x) => tf.pow(x!, power), [positive(3, 4)], true, `${power}`)),
  ...(['float32', 'int32', 'bool'] as const).flatMap((dtype) => [
    add('Cast', (x) => tf.cast(x!, dtype), [real(9)], false, `float32 to ${dtype}`),
    add('Cast', (x) => tf.cast(x!, dtype), [ints(-2, 3, 9)], false, `int32 to ${dtype}`),
    add('Cast', (x) => tf.cast(x!, dtype), [bools(9)], false, `bool to ${dtype}`),
  ]),
  add('EluGrad', (x) => tf.elu(x!), [() => tf.concat([noise([6]), tf.tensor1d([0])])], true),
  add('Identity', (x) => tf.clone(x!), [real(3)], true),
  add('Prelu', (x, a) => tf.prelu(x!, a!), [real(3, 4), positive(4)], true),

  ...(['all', 'any'] as const).flatMap((name) =>
    [undefined, 1].map((axis) =>
      add(
        name === 'all' ? 'All' : 'Any',
        (x) => (name === 'all' ? tf.all : tf.any)(x!, axis),
        [bools(3, 2)],
        false,
        `${axis}`,
      ),
    ),
  ),
  ...[0, 1, 2].flatMap((axis) => [
    add('ArgMax', (x) => tf.argMax(x!, axis), [real(2, 3, 4)], false, `axis ${axis}`),
    add('ArgMin', (x) => tf.argMin(x!, axis), [real(2, 3, 4)], false, `axis ${axis}`),
  ]),
  ...([undefined, 0, -1, [0, 2], [1]] as (number | number[] | undefined)[]).flatMap((axis) =>
    [false, true].flatMap((keep) => [
      add('Sum', (x) => tf.sum(x!, axis, keep), [real(2, 3, 4)], true, `${axis} ${keep}`),
      add('Mean', (x) => tf.mean(x!, axis, keep), [real(2, 3, 4)], true, `${axis} ${keep}`),
      add('Max', (x) => tf.max(x!, axis, keep), [real(2, 3, 4)], true, `${axis} ${keep}`),
      add('Min', (x) => tf.min(x!, axis, keep), [real(2, 3, 4)], true, `${axis} ${keep}`),
      add('Prod', (x) => tf.prod(x!, axis, keep), [real(2, 3, 4)], false, `${axis} ${keep}`),
    ]),
  ),
  ...[tf.sum, tf.mean, tf.max, tf.min, tf.prod].map((run, i) =>
    add(['Sum', 'Mean', 'Max', 'Min', 'Prod'][i]!, (x) => run(x!, 0), [ints(-3, 4, 3, 2)], false, 'int32'),
  ),
  add('Sum', (x) => tf.sum(x!), [bools(9)], false, 'bool'),
  add('Max', (x) => tf.logSumExp(x!, 1), [real(3, 5)], true, 'logSumExp'),
  ...[false, true].flatMap((exclusive) =>
    [false, true].flatMap((reverse) => [
      add('Cumsum', (x) => tf.cumsum(x!, 2, exclusive, reverse), [real(2, 3, 4)], true, `${exclusive} ${reverse}`),
      add('Cumprod', (x) => tf.cumprod(x!, 1, exclusive, reverse), [real(2, 4, 3)], false, `${exclusive} ${reverse}`),
    ]),
  ),
  add('Cumsum', (x) => tf.cumsum(x!, 0), [ints(-3, 4, 5)], false, 'int32'),

  ...[false, true].flatMap((ta) =>
    [false, true].flatMap((tb) => [
      add(
        'BatchMatMul',
        (a, b) => tf.matMul(a!, b!, ta, tb),
        [ta ? real(3, 2) : real(2, 3), tb ? other(4, 3) : other(3, 4)],
        true,
        `${ta} ${tb}`,
      ),
      add(
        'BatchMatMul',
        (a, b) => tf.matMul(a!, b!, ta, tb),
        [ta ? real(5, 3, 2) : real(5, 2, 3), tb ? other(5, 4, 3) : other(5, 3, 4)],
        true,
        `batch ${ta} ${tb}`,
      ),
      add(
        'BatchMatMul',
        (a, b) => tf.matMul(a!, b!, ta, tb),
        [ta ? real(5, 3, 2) : real(5, 2, 3), tb ? other(1, 4, 3) : other(1, 3, 4)],
        false,
        `broadcast ${ta} ${tb}`,
      ),
      add(
        'BatchMatMul',
        (a, b) => tf.matMul(ta ? tf.transpose(a!) : a!, tb ? tf.transpose(b!) : b!),
        [ta ? real(3, 2) : real(2, 3), tb ? other(4, 3) : other(3, 4)],
        true,
        `transpose ${ta} ${tb}`,
      ),
    ]),
  ),
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const).map((activation) =>
    add(
      '_FusedMatMul',
      (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation }),
      [real(2, 3), other(3, 4), real(4)],
      ['linear', 'relu'].includes(activation),
      activation,
    ),
  ),
  add(
    '_FusedMatMul',
    (a, b, w) => tf.fused.matMul({ a: a!, b: b!, activation: 'prelu', preluActivationWeights: w! }),
    [real(2, 3), other(3, 4), positive(4)],
    false,
    'prelu',
  ),
  ...['ij,jk->ik', 'bij,bjk->bik', 'ij,ij->i'].map((equation, i) =>
    add(
      'Einsum',
      (a, b) => tf.einsum(equation, a!, b!),
      [
        [real(2, 3), other(3, 4)],
        [real(2, 3, 4), other(2, 4, 2)],
        [real(2, 3), other(2, 3)],
      ][i]!,
      false,
      equation,
    ),
  ),
  add(
    'FusedBatchNorm',
    (x, m, v, o, s) =>
      tf.batchNorm(x as tf.Tensor2D, m as tf.Tensor1D, v as tf.Tensor1D, o as tf.Tensor1D, s as tf.Tensor1D, 0.01),
    [real(5, 3), other(3), positive(3), real(3), other(3)],
    true,
  ),
  add(
    'FusedBatchNorm',
    (x, m, v) => tf.batchNorm(x as tf.Tensor2D, m as tf.Tensor1D, v as tf.Tensor1D),
    [real(5, 3), other(3), positive(3)],
    false,
    'plain',
  ),

  add('BroadcastTo', (x) => tf.broadcastTo(x!, [2, 3, 4]), [real(3, 1)], true),
  ...[0, 1, -1].map((axis) =>
    add('Concat', (a, b) => tf.concat([a!, b!], axis), [real(3, 3), other(3, 3)], true, `${axis}`),
  ),
  add(
    'Concat',
    (a, b) => tf.mul(tf.slice(tf.concat([a!, b!], 1), [0, 3], [2, 2]), 2),
    [real(2, 3), other(2, 4)],
    true,
    'then slice',
  ),
  add('Diag', (x) => tf.diag(x!), [real(4)]),
  add('ExpandDims', (x) => tf.expandDims(x!, 1), [real(3, 4)], true),
  add('ExpandDims', (x) => tf.expandDims(x!, -1), [real(3, 4)], true, 'last'),
  add('Fill', (x) => tf.add(tf.fill([3], 2.5), x!), [real(3)]),
  add('Fill', (x) => tf.add(tf.cast(tf.fill([3], 0.7, 'int32'), 'float32'), x!), [real(3)], false, 'int32'),
  add('LinSpace', (x) => tf.add(tf.linspace(0, 1, 5), x!), [real(5)]),
  add('Range', (x) => tf.add(tf.range(0, 5, 1, 'int32'), x!), [real(5)]),
  add('Range', (x) => tf.add(tf.range(5, 0), x!), [real(5)], false, 'down'),
  ...(['reflect', 'symmetric'] as const).map((mode) =>
    add(
      'MirrorPad',
      (x) =>
        tf.mirrorPad(
          x!,
          [
            [1, 2],
            [2, 0],
          ],
          mode,
        ),
      [real(4, 3)],
      false,
      mode,
    ),
  ),
  ...[0, 1, -1].map((axis) =>
    add('Pack', (a, b) => tf.stack([a!, b!], axis), [real(2, 3), other(2, 3)], true, `${axis}`),
  ),
  add(
    'PadV2',
    (x) =>
      tf.pad(
        x!,
        [
          [1, 2],
          [0, 3],
        ],
        0.5,
      ),
    [real(2, 3)],
    true,
  ),
  add('Reshape', (x) => tf.reshape(tf.reshape(x!, [2, 6]), [4, -1]), [real(3, 4)], true),
  ...[undefined, 0, [1, 2]].map((dims) =>
    add('Reverse', (x) => tf.reverse(x!, dims), [real(2, 3, 4)], true, `${dims}`),
  ),
  add('Slice', (x) => tf.slice(x!, [1, 0, 2], [1, -1, 2]), [real(2, 3, 4)], true),
  add('SplitV', (x) => tf.split(x!, 3, 1), [real(2, 6)], true),
  add('SplitV', (x) => tf.split(x!, [1, 3], -1), [real(2, 4)], true, 'sizes'),
  add('StridedSlice', (x) => tf.stridedSlice(x!, [1, 0], [3, 5], [1, 2]), [real(4, 6)]),
  add('StridedSlice', (x) => tf.stridedSlice(x!, [-1, 4], [-4, 0], [-1, -2]), [real(4, 6)], false, 'backwards'),
  add('StridedSlice', (x) => tf.stridedSlice(x!, [1, 0], [0, 0], [1, 1], 0, 2, 0, 0, 1), [real(4, 6)], false, 'masks'),
  add('Tile', (x) => tf.tile(x!, [2, 3]), [real(2, 3)], true),
  add('Tile', (x) => tf.tile(x!, [4, 1]), [real(1, 3)], true, 'broadcast'),
  add('Transpose', (x) => tf.transpose(x!, [2, 0, 1]), [real(2, 3, 4)], true),
  add('Transpose', (x) => tf.transpose(tf.transpose(x!, [2, 0, 1]), [0, 2, 1]), [real(2, 3, 4)], true, 'twice'),
  add('Unpack', (x) => tf.unstack(x!, 1), [real(2, 3)], true),

  add('GatherNd', (x, i) => tf.gatherND(x!, i!), [real(3, 4), list([0, 1, 2, 3], 'int32', [2, 2])]),
  ...[0, 1, 2].map((axis) =>
    add('GatherV2', (x, i) => tf.gather(x!, i!, axis), [real(3, 3, 3), list([2, 0, 0], 'int32')], true, `axis ${axis}`),
  ),
  add(
    'GatherV2',
    (x, i) => tf.gather(x!, i!, 1, 1),
    [real(2, 3, 4), list([2, 0, 1, 1], 'int32', [2, 2])],
    false,
    'batch',
  ),
  add(
    'GatherV2',
    (x, i) => tf.gather(x!, i!, 2, 1),
    [real(2, 3, 4), list([2, 0, 1, 1], 'int32', [2, 2])],
    false,
    'batch, inner axis',
  ),
  add('LowerBound', (s, v) => tf.lowerBound(s as tf.Tensor2D, v as tf.Tensor2D), [
    list([0, 1, 1, 2], 'float32', [1, 4]),
    list([1, 0.5, 3], 'float32', [1, 3]),
  ]),
  add('UpperBound', (s, v) => tf.upperBound(s as tf.Tensor2D, v as tf.Tensor2D), [
    list([0, 1, 1, 2], 'float32', [1, 4]),
    list([1, 0.5, 3], 'float32', [1, 3]),
  ]),
  add('SearchSorted', (s, v) => tf.searchSorted(s!, v!, 'right'), [
    list([0, 1, 1, 2], 'float32', [1, 4]),
    list([1, 0.5, 3], 'float32', [1, 3]),
  ]),
  add('OneHot', (i) => tf.oneHot(i!, 4), [list([0, 3, -1, 5], 'int32')]),
  add('OneHot', (i) => tf.oneHot(i!, 3, 2, -1), [list([0, 2, 1, 1], 'int32', [2, 2])], false, 'values'),
  add('ScatterNd', (i, u) => tf.scatterND(i!, u!, [5, 2]), [list([4, 1, 1], 'int32', [3, 1]), real(3, 2)]),
  add('Select', (c, a, b) => tf.where(c!, a!, b!), [bools(3, 4), real(3, 4), other(3, 4)]),
  add(
    'Select',
    (c, a, b) => tf.where(c!, a!, b!),
    [bools(6), () => tf.greater(noise([6], -2, 2, 3), 0), () => tf.greater(noise([6], -2, 2, 4), 0)],
    false,
    'bool',
  ),
  add('TensorScatterUpdate', (t, i, u) => tf.tensorScatterUpdate(t!, i!, u!), [
    real(5, 2),
    list([4, 1], 'int32', [2, 1]),
    other(2, 2),
  ]),
  add(
    'TopK',
    (x) => {
      const { values, indices } = tf.topk(x!, 2);
      return [values, indices];
    },
    [real(3, 5)],
  ),
  add(
    'UnsortedSegmentSum',
    (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 3),
    [real(5, 2), list([0, 2, 2, -1, 0], 'int32')],
    true,
  ),
  add(
    'UnsortedSegmentSum',
    (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 3),
    [real(3, 2), list([0, 9, 1], 'int32')],
    false,
    'beyond',
  ),
  add(
    'UnsortedSegmentSum',
    (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 3),
    [real(4000, 8), ints(0, 3, 4000)],
    false,
    'many of the same segment',
  ),
];
