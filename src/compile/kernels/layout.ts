import * as tf from '@tensorflow/tfjs-core';
import { type Builder, castNumber } from '../builder.js';
import type { Value } from '../graph.js';
import { normalAxes, range, withSize } from '../shapes.js';
import type { Emitters } from './emitter.js';

/** Kernels that create, cut, join and rearrange tensors. */
export const layout = {
  BroadcastTo: (b, { x }, { shape }) => b.broadcastTo(x, shape),
  Concat: (b, list, { axis }) => b.concat(list, normalAxes(axis, list[0]!.shape.length)[0]!),
  Diag: (b, { x }) => {
    const size = x.shape.reduce((product, n) => product * n, 1);
    const row = b.reshape(x, [1, size]);
    const eye = b.graph.constant(identity(size), { type: 'bool', shape: [size, size] });
    return b.reshape(b.where(eye, row, b.scalar(0, x.type)), [...x.shape, ...x.shape]);
  },
  ExpandDims: (b, { input }, { dim }) => {
    const at = dim < 0 ? dim + input.shape.length + 1 : dim;
    return b.reshape(input, input.shape.toSpliced(at, 0, 1));
  },
  Fill: (b, _, { shape, value, dtype }) => {
    const type = (dtype ?? 'float32') as Value['type'];
    return b.fill(castNumber(value as number, type), shape, type);
  },
  LinSpace: (b, _, { start, stop, num }) => {
    const data = Float32Array.from(range(num), (i) => (num === 1 ? start : start + (i * (stop - start)) / (num - 1)));
    return b.graph.constant(data, { type: 'float32', shape: [num] });
  },
  MirrorPad: (b, { x }, attrs) => range(x.shape.length).reduce((padded, axis) => mirrored(b, padded, axis, attrs), x),
  Pack: (b, list, { axis }) => {
    const at = axis < 0 ? axis + list[0]!.shape.length + 1 : axis;
    const parts = list.map((value) => b.reshape(value, value.shape.toSpliced(at, 0, 1)));
    return b.concat(parts, at);
  },
  PadV2: (b, { x }, { paddings, constantValue }) => {
    const shape = x.shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]);
    if (x.shape.includes(0)) return b.fill(constantValue, shape, x.type);
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    const pads = b.longs([...paddings.map((pair) => pair[0]), ...paddings.map((pair) => pair[1])]);
    return b.op('Pad', [x, pads, b.scalar(constantValue, x.type)], { type: x.type, shape });
  },
  Range: (b, _, { start, stop, step: given, dtype }) => {
    const step = stop < start && given === 1 ? -1 : given;
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const list = range(length).map((i) => start + i * step);
    const data = dtype === 'int32' ? Int32Array.from(list) : Float32Array.from(list);
    return b.graph.constant(data, { type: dtype, shape: [length] });
  },
  Reshape: (b, { x }, { shape }) => b.reshape(x, inferred(shape, x)),
  Reverse: (b, { x }, { dims }) => {
    const axes = normalAxes(dims, x.shape.length);
    return axes.reduce((value, axis) => reversed(b, value, axis), x);
  },
  Slice: (b, { x }, attrs) => {
    const [begin, size] = tf.slice_util.parseSliceParams(x as unknown as tf.TensorInfo, attrs.begin, attrs.size);
    return b.slice(x, begin!, size!);
  },
  SplitV: (b, { x }, { numOrSizeSplits, axis }) => {
    const at = normalAxes(axis, x.shape.length)[0]!;
    const sizes = tf.backend_util.prepareSplitSize(x as unknown as tf.Tensor, numOrSizeSplits, at);
    let start = 0;
    return sizes.map((size) => {
      const part = b.slice(
        x,
        withSize(
          x.shape.map(() => 0),
          at,
          start,
        ),
        withSize(x.shape, at, size),
      );
      start += size;
      return part;
    });
  },
  StridedSlice: (b, { x }, attrs) => stridedSlice(b, x, attrs),
  Tile: (b, { x }, { reps }) => tile(b, x, reps),
  Transpose: (b, { x }, { perm }) => b.transpose(x, perm),
  Unpack: (b, { value }, { axis }) => {
    const at = normalAxes(axis, value.shape.length)[0]!;
    const shape = value.shape.toSpliced(at, 1);
    return range(value.shape[at]!).map((i) => {
      const begin = withSize(
        value.shape.map(() => 0),
        at,
        i,
      );
      return b.reshape(b.slice(value, begin, withSize(value.shape, at, 1)), shape);
    });
  },
} satisfies Partial<Emitters>;

function identity(size: number): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

function inferred(shape: readonly number[], x: Value): number[] {
  return tf.util.inferFromImplicitShape([...shape], tf.util.sizeFromShape([...x.shape]));
}

function reversed(b: Builder, x: Value, axis: number): Value {
  const begin = x.shape.map((size, i) => (i === axis ? size - 1 : 0));
  return b.slice(
    x,
    begin,
    x.shape,
    x.shape.map((_, i) => (i === axis ? -1 : 1)),
  );
}

/** `x` with its own mirror image before and after on `axis`. */
function mirrored(b: Builder, x: Value, axis: number, { paddings, mode }: tf.MirrorPadAttrs): Value {
  const [before, after] = paddings[axis]!;
  const edge = mode === 'reflect' ? 1 : 0;
  const length = x.shape[axis]!;
  const cut = (start: number, size: number) =>
    reversed(
      b,
      b.slice(
        x,
        withSize(
          x.shape.map(() => 0),
          axis,
          start,
        ),
        withSize(x.shape, axis, size),
      ),
      axis,
    );
  return b.concat([cut(edge, before), x, cut(length - edge - after, after)], axis);
}

function stridedSlice(b: Builder, x: Value, attrs: tf.StridedSliceAttrs): Value {
  const info = tf.slice_util.sliceInfo(
    [...x.shape],
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  const size = tf.slice_util.computeOutShape(info.begin, info.end, info.strides).map((n) => Math.max(0, n));
  return b.reshape(b.slice(x, info.begin, size, info.strides), info.finalShape);
}

/** Repeats whole axes: a broadcast where the axis has size 1. */
function tile(b: Builder, x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((size, i) => size * reps[i]!);
  if (x.shape.every((size, i) => size === 1 || reps[i] === 1)) return b.broadcastTo(x, shape);
  return b.op('Tile', [x, b.longs(reps)], { type: x.type, shape });
}
