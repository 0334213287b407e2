import type * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { normalAxes, range, sizeOf } from '../shapes.js';
import type { Emitter, Emitters } from './emitter.js';

/** Kernels that choose or scatter entries by index, condition or order. */
export const indexing = {
  GatherNd: (b, { params, indices }) => {
    const depth = indices.shape.at(-1)!;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    return b.op('GatherND', [params, b.cast(indices, 'int64')], { type: params.type, shape });
  },
  GatherV2: (b, { x, indices }, attrs) => gather(b, x, indices, attrs),
  LowerBound: bound('Less'),
  OneHot: (b, { indices }, { depth, onValue, offValue, dtype }) => {
    const type = dtype as Value['type'];
    const classes = b.graph.constant(Int32Array.from(range(depth)), { type: 'int32', shape: [depth] });
    const chosen = b.compare('Equal', b.reshape(b.cast(indices, 'int32'), [...indices.shape, 1]), classes);
    if (onValue === 1 && offValue === 0) return b.cast(chosen, type);
    return b.where(chosen, b.scalar(onValue, type), b.scalar(offValue, type));
  },
  ScatterNd: (b, { indices, updates }, { shape }) =>
    scatter(b, b.fill(0, shape, updates.type), indices, updates, 'add'),
  SearchSorted: (b, operands, { side }) => bound(side === 'left' ? 'Less' : 'LessOrEqual')(b, operands, {}),
  Select: (b, { condition, t, e }) => b.where(condition, t, e),
  TensorScatterUpdate: (b, { tensor, indices, updates }) => scatter(b, tensor, indices, updates, 'none'),
  TopK: (b, { x }, { k, sorted }) => {
    const shape = [...x.shape.slice(0, -1), k];
    if (sizeOf(shape) === 0) return [b.fill(0, shape, x.type), b.fill(0, shape, 'int32')];
    const infos = [
      { type: x.type, shape },
      { type: 'int64', shape },
    ] as const;
    const [values, indices] = b.graph.node('TopK', [x, b.longs([k])], infos, { axis: -1, sorted: sorted ? 1 : 0 });
    return [values!, b.cast(indices!, 'int32')];
  },
  UnsortedSegmentSum: (b, { x, segmentIds }, { numSegments }) =>
    b.cast(segmentSum(b, x, segmentIds, numSegments), 'float32'),
  UpperBound: bound('LessOrEqual'),
} satisfies Partial<Emitters>;

function gather(b: Builder, x: Value, indices: Value, { axis, batchDims: given = 0 }: tf.GatherV2Attrs): Value {
  const batchDims = normalAxes(given, indices.shape.length)[0]!;
  const at = normalAxes(axis, x.shape.length)[0]!;
  const shape = [...x.shape.slice(0, at), ...indices.shape.slice(batchDims), ...x.shape.slice(at + 1)];
  if (batchDims === 0) return b.op('Gather', [x, indices], { type: x.type, shape }, { axis: at });
  // GatherND indexes the axes right after the batch: move `axis` there, and its results back.
  const between = range(x.shape.length).slice(batchDims, at);
  const after = range(x.shape.length).slice(at + 1);
  const batch = range(batchDims);
  const moved = b.transpose(x, [...batch, at, ...between, ...after]);
  const picked = indices.shape.length - batchDims;
  const positions = b.cast(b.reshape(indices, [...indices.shape, 1]), 'int64');
  const result = [...indices.shape, ...between.map((i) => x.shape[i]!), ...after.map((i) => x.shape[i]!)];
  const gathered = b.op('GatherND', [moved, positions], { type: x.type, shape: result }, { batch_dims: batchDims });
  const start = batchDims + picked;
  const perm = [...batch, ...between.map((_, i) => start + i), ...range(picked).map((i) => batchDims + i)];
  return b.transpose(gathered, [...perm, ...after.map((_, i) => start + between.length + i)]);
}

/** How many entries of each sorted row lie before each value. */
function bound(operator: string): Emitter<'LowerBound' | 'UpperBound'> {
  return (b, { sortedSequence, values }) => {
    const [rows, length] = sortedSequence.shape as [number, number];
    const sequence = b.reshape(sortedSequence, [rows, 1, length]);
    const each = b.reshape(values, [rows, values.shape[1]!, 1]);
    return b.sum(b.cast(b.compare(operator, sequence, each), 'int32'), 2);
  };
}

function scatter(b: Builder, base: Value, indices: Value, updates: Value, reduction: 'add' | 'none'): Value {
  if (updates.type === 'bool' && reduction === 'add') throw new Error('bool cannot be added up; tf.cast it before');
  if (sizeOf(updates.shape) === 0) return base;
  return b.op('ScatterND', [base, b.cast(indices, 'int64'), updates], base, { reduction });
}

/** Rows of `x` added up by segment; segments that there are not are left out. */
function segmentSum(b: Builder, x: Value, segmentIds: Value, segments: number): Value {
  const rank = segmentIds.shape.length;
  const count = sizeOf(segmentIds.shape);
  const rest = x.shape.slice(rank);
  const ids = b.reshape(segmentIds, [count]);
  // One more segment, cut off at the end, takes what is left out.
  const extra = b.scalar(segments, 'int32');
  const isOut = b.binary('Or', b.compare('Less', ids, b.scalar(0, 'int32')), b.compare('Greater', ids, extra));
  const row = b.where(isOut, extra, ids);
  const zeros = b.fill(0, [segments + 1, ...rest], x.type);
  const sums = scatter(b, zeros, b.reshape(row, [count, 1]), b.reshape(x, [count, ...rest]), 'add');
  return b.slice(
    sums,
    sums.shape.map(() => 0),
    [segments, ...rest],
  );
}
