import type * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { normalAxes, range, reducedShape, withSize } from '../shapes.js';
import type { Emitter, Emitters } from './emitter.js';

/** Kernels that reduce or scan axes. */
export const reductions = {
  All: logical('ReduceMin', 1),
  Any: logical('ReduceMax', 0),
  ArgMax: arg('ArgMax'),
  ArgMin: arg('ArgMin'),
  Cumprod: (b, { x }, attrs) => cumprod(b, x, attrs),
  Cumsum: (b, { x }, { axis, exclusive, reverse }) => {
    const number = x.type === 'bool' ? b.cast(x, 'int32') : x;
    const position = b.graph.constant(BigInt64Array.of(BigInt(axis)), { type: 'int64', shape: [] });
    return b.op('CumSum', [number, position], number, { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 });
  },
  Max: (b, { x }, attrs) => reduced(b, 'ReduceMax', x, attrs.reductionIndices, attrs.keepDims, -Infinity),
  Mean: (b, { x }, attrs) => reduced(b, 'ReduceMean', b.cast(x, 'float32'), attrs.axis, attrs.keepDims, NaN),
  Min: (b, { x }, attrs) => reduced(b, 'ReduceMin', x, attrs.axis, attrs.keepDims, Infinity),
  Prod: (b, { x }, attrs) => reduced(b, 'ReduceProd', number(b, x), attrs.axis, attrs.keepDims, 1),
  Sum: (b, { x }, attrs) => b.sum(number(b, x), attrs.axis, attrs.keepDims),
} satisfies Partial<Emitters>;

type Axes = number | number[];

function number(b: Builder, x: Value): Value {
  return x.type === 'bool' ? b.cast(x, 'int32') : x;
}

function reduced(b: Builder, operator: string, x: Value, axes: Axes, keepDims: boolean, empty: number): Value {
  return b.reduce(operator, x, normalAxes(axes, x.shape.length), keepDims, empty);
}

function logical(operator: string, empty: number): Emitter<'All' | 'Any'> {
  return (b, { x }, attrs) =>
    b.cast(reduced(b, operator, b.cast(x, 'int32'), attrs.axis, attrs.keepDims, empty), 'bool');
}

function arg(operator: string): Emitter<'ArgMax' | 'ArgMin'> {
  return (b, { x }, attrs) => {
    const axis = normalAxes(attrs.axis, x.shape.length)[0]!;
    const info = { type: 'int64', shape: reducedShape(x.shape, [axis], false) } as const;
    return b.cast(b.op(operator, [number(b, x)], info, { axis, keepdims: 0 }), 'int32');
  };
}

/** ONNX has no cumulative product: one multiplication per entry of the axis. */
function cumprod(b: Builder, x: Value, { axis: given, exclusive, reverse }: tf.CumprodAttrs): Value {
  const axis = normalAxes(given, x.shape.length)[0]!;
  const values = number(b, x);
  const one = withSize(x.shape, axis, 1);
  const order = range(x.shape[axis]!);
  if (reverse) order.reverse();
  const results: Value[] = [];
  let product = b.fill(1, one, values.type);
  for (const index of order) {
    const entry = b.slice(
      values,
      withSize(
        x.shape.map(() => 0),
        axis,
        index,
      ),
      one,
    );
    const next = b.mul(product, entry);
    results.push(exclusive ? product : next);
    product = next;
  }
  return results.length ? b.concat(reverse ? results.reverse() : results, axis) : values;
}
