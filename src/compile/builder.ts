import { type Attribute, dataOf, type ElementType, fillOf, Graph, type Value, type ValueInfo } from './graph.js';
import { broadcastShape, normalAxes, range, reducedShape, sameShape, sizeOf, withSize } from './shapes.js';

type Attributes = Readonly<Record<string, Attribute>>;

/** With this many times more rows than columns, a product whose left side is transposed is faster the other way round. */
const NARROW = 4;

/** What operators give for two numbers of float32, and nothing for anything else. */
const ARITHMETIC: Readonly<Record<string, (a: Value, b: Value) => number | undefined>> = {
  Add: onNumbers((a, b) => a + b),
  Sub: onNumbers((a, b) => a - b),
  Mul: onNumbers((a, b) => a * b),
  Div: onNumbers((a, b) => a / b),
};

/** The end of a slice that runs backwards to the first entry. */
const END = -Number.MAX_SAFE_INTEGER;

/**
 * Writes ONNX operators into a {@link Graph}, and leaves out what changes nothing: neutral elements, reshapes of
 * reshapes, broadcasts that an elementwise operator does by itself, anything without elements.
 */
export class Builder {
  readonly graph = new Graph();

  /** A constant of one number and rank 0. */
  scalar(value: number, type: ElementType = 'float32'): Value {
    return this.graph.fill(value, { type, shape: [] });
  }

  fill(value: number, shape: readonly number[], type: ElementType = 'float32'): Value {
    return this.graph.fill(value, { type, shape });
  }

  /** A one-dimensional int64 constant: axes, shapes, starts ... */
  longs(values: readonly number[]): Value {
    return this.graph.constant(BigInt64Array.from(values, BigInt), { type: 'int64', shape: [values.length] });
  }

  /** Any operator with one output. */
  op(operator: string, inputs: readonly Value[], info: ValueInfo, attributes: Attributes = {}): Value {
    if (sizeOf(info.shape) === 0) return this.graph.fill(0, info);
    return this.graph.node(operator, inputs, [info], attributes)[0]!;
  }

  /** An elementwise operator on one value; before it is repeated, if it is. */
  unary(operator: string, x: Value, attributes: Attributes = {}, type: ElementType = x.type): Value {
    const source = repeated(x);
    if (source) return this.broadcastTo(this.unary(operator, source, attributes, type), x.shape);
    return this.op(operator, [x], { type, shape: x.shape }, attributes);
  }

  /** An elementwise operator on two values that broadcast; the result has the type of `a` unless `type` is given. */
  binary(operator: string, a: Value, b: Value, type: ElementType = a.type, attributes: Attributes = {}): Value {
    const shape = broadcastShape(a.shape, b.shape);
    const [left, right] = [this.bare(a), this.bare(b)];
    const number = ARITHMETIC[operator]?.(left, right);
    if (number !== undefined) return this.fill(number, shape, type);
    if (sizeOf(broadcastShape(left.shape, right.shape)) < sizeOf(shape)) {
      return this.broadcastTo(this.binary(operator, left, right, type, attributes), shape);
    }
    const [first, second] = [narrow(this, a, b, shape), narrow(this, b, a, shape)];
    const isWhole = sameShape(broadcastShape(first.shape, second.shape), shape);
    return this.op(operator, [first, isWhole ? second : b], { type, shape }, attributes);
  }

  add(a: Value, b: Value): Value {
    if (fillOf(b) === 0) return this.likeBoth(a, b);
    if (fillOf(a) === 0) return this.likeBoth(b, a);
    const perm = sharedTranspose(a, b);
    if (perm) return this.transpose(this.add(a.node!.inputs[0]!, b.node!.inputs[0]!), perm);
    return this.commutative('Add', a, b);
  }

  sub(a: Value, b: Value): Value {
    if (fillOf(b) === 0) return this.likeBoth(a, b);
    if (fillOf(a) === 0) return this.likeBoth(this.neg(b), a);
    return this.binary('Sub', a, b);
  }

  /** Zero times anything is zero here, so that dropped gradients cost nothing. */
  mul(a: Value, b: Value): Value {
    if (fillOf(a) === 0 || fillOf(b) === 0) return this.fill(0, broadcastShape(a.shape, b.shape), a.type);
    for (const [x, factor] of [[a, b] as const, [b, a] as const]) {
      if (fillOf(factor) === 1) return this.likeBoth(x, factor);
      if (fillOf(factor) === -1) return this.likeBoth(this.neg(x), factor);
    }
    return this.commutative('Mul', a, b);
  }

  div(a: Value, b: Value): Value {
    if (fillOf(b) === 1) return this.likeBoth(a, b);
    return this.binary('Div', a, b);
  }

  neg(x: Value): Value {
    const fill = fillOf(x);
    if (fill !== undefined) return this.fill(-fill, x.shape, x.type);
    return x.node?.operator === 'Neg' ? x.node.inputs[0]! : this.unary('Neg', x);
  }

  max(a: Value, b: Value): Value {
    return this.commutative('Max', a, b);
  }

  min(a: Value, b: Value): Value {
    return this.commutative('Min', a, b);
  }

  /** `Equal`, `Less`, `Greater` ... of two values of one type; bool has an order here too. */
  compare(operator: string, a: Value, b: Value): Value {
    if (a.type === 'bool' && operator !== 'Equal')
      return this.compare(operator, this.cast(a, 'int32'), this.cast(b, 'int32'));
    return this.binary(operator, a, b, 'bool');
  }

  /** Both; whether `x` lies between two numbers, which is how gradients of a clip ask, is whether a clip leaves it as it is. */
  and(a: Value, b: Value): Value {
    const [x, min] = boundIn(a, 'GreaterOrEqual');
    const [same, max] = boundIn(b, 'LessOrEqual');
    const isRange = min !== undefined && max !== undefined && min <= max;
    if (!x || x !== same || !isRange) return this.binary('And', a, b);
    return this.compare('Equal', x, this.clip(x, min, max));
  }

  not(x: Value): Value {
    return x.node?.operator === 'Not' ? x.node.inputs[0]! : this.unary('Not', x);
  }

  /** `condition ? a : b`, all three broadcasting. */
  where(condition: Value, a: Value, b: Value): Value {
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
    if (a.type === 'bool') {
      const isA = this.binary('And', condition, a);
      return this.binary('Or', isA, this.binary('And', this.not(condition), b));
    }
    const full = [a, b].find(
      (value) => sameShape(value.shape, shape) && !repeated(value) && fillOf(value) === undefined,
    );
    const chosen = full ? narrow(this, condition, full, shape) : condition;
    const inputs = [chosen, narrow(this, a, full ?? condition, shape), narrow(this, b, full ?? condition, shape)];
    return this.op('Where', inputs, { type: a.type, shape });
  }

  clip(x: Value, min: number, max: number): Value {
    const bound = (limit: number) => this.scalar(x.type === 'float32' ? Math.fround(limit) : inInt32(limit), x.type);
    return this.op('Clip', [x, bound(min), bound(max)], x);
  }

  cast(x: Value, type: ElementType): Value {
    if (x.type === type) return x;
    const fill = fillOf(x);
    if (fill !== undefined) return this.fill(castNumber(fill, type), x.shape, type);
    const origin = x.node?.operator === 'Cast' ? x.node.inputs[0]! : x;
    if (origin.type === type && type === 'bool') return origin;
    return this.unary('Cast', x, { to: ONNX_TYPE[type] }, type);
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.constant) {
      return 'fill' in x.constant
        ? this.fill(x.constant.fill, shape, x.type)
        : this.graph.constant(x.constant.data, { type: x.type, shape });
    }
    if (x.node?.operator === 'Reshape') return this.reshape(x.node.inputs[0]!, shape);
    const source = repeated(x);
    if (source && sizeOf(source.shape) === 1) {
      return this.broadcastTo(this.reshape(source, new Array(shape.length).fill(1)), shape);
    }
    const rows = this.rowsReshaped(x, shape);
    if (rows) return rows;
    return this.op('Reshape', [x, this.longs(shape)], { type: x.type, shape });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => x.shape[axis]!);
    const moved = perm.filter((axis) => x.shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || moved[i - 1]! < axis)) return this.reshape(x, shape);
    if (x.node?.operator === 'Transpose') {
      const inner = x.node.attributes.perm as readonly number[];
      const composed = perm.map((axis) => inner[axis]!);
      return this.transpose(x.node.inputs[0]!, composed);
    }
    return this.op('Transpose', [x], { type: x.type, shape }, { perm });
  }

  /** `x` repeated along its axes of size 1 until it has `shape`. */
  broadcastTo(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    const fill = fillOf(x);
    if (fill !== undefined) return this.fill(fill, shape, x.type);
    const source = repeated(x);
    if (source) return this.broadcastTo(source, shape);
    return this.op('Expand', [x, this.longs(shape)], { type: x.type, shape });
  }

  /** `size` entries from `begin` on every axis, `step` apart. */
  slice(
    x: Value,
    begin: readonly number[],
    size: readonly number[],
    step: readonly number[] = size.map(() => 1),
  ): Value {
    if (sameShape(x.shape, size) && step.every((s) => s === 1)) return x;
    const fill = fillOf(x);
    if (fill !== undefined) return this.fill(fill, size, x.type);
    const part = step.every((s) => s === 1) && this.partOfConcat(x, begin, size);
    if (part) return part;
    const axes = range(x.shape.length).filter((i) => size[i] !== x.shape[i] || step[i] !== 1);
    const starts = axes.map((i) => begin[i]!);
    const ends = axes.map((i) => {
      const end = begin[i]! + (size[i]! - 1) * step[i]! + Math.sign(step[i]!);
      return end < 0 ? END : end;
    });
    const limits = [starts, ends, axes, axes.map((i) => step[i]!)].map((list) => this.longs(list));
    return this.op('Slice', [x, ...limits], { type: x.type, shape: size });
  }

  concat(values: readonly Value[], axis: number): Value {
    const [{ type, shape }] = values as [Value];
    const length = values.reduce((sum, value) => sum + value.shape[axis]!, 0);
    const info = { type, shape: withSize(shape, axis, length) };
    const parts = values.filter((value) => sizeOf(value.shape) > 0);
    if (parts.length === 0) return this.fill(0, info.shape, type);
    if (parts.length === 1) return parts[0]!;
    const part = joinedPart(parts, axis);
    if (part) return this.slice(part.source, part.begin, info.shape);
    const matrices = axis === 0 ? parts.map(unstacked) : undefined;
    if (matrices?.every((x) => x !== undefined)) return this.reshape(this.concat(matrices, 0), info.shape);
    return this.op('Concat', parts, info, { axis });
  }

  /** A reduction: `ReduceSum`, `ReduceMax` ...; `empty` is its value over no elements. */
  reduce(operator: string, x: Value, axes: readonly number[], keepDims: boolean, empty: number): Value {
    const shape = reducedShape(x.shape, axes, keepDims);
    if (sizeOf(x.shape) === 0) return this.fill(empty, shape, x.type);
    if (axes.every((axis) => x.shape[axis] === 1)) return this.reshape(x, shape);
    const weight = this.columnWeight(operator, x, axes, sizeOf(shape));
    if (weight !== undefined) return this.weightedRowSum(x, weight, shape);
    const inputs = [x, this.longs(axes)];
    return this.op(operator, inputs, { type: x.type, shape }, { keepdims: keepDims ? 1 : 0 });
  }

  sum(x: Value, axes?: number | readonly number[], keepDims = false): Value {
    const list = normalAxes(axes, x.shape.length);
    const fill = fillOf(x);
    const shape = reducedShape(x.shape, list, keepDims);
    const count = sizeOf(x.shape) / Math.max(1, sizeOf(shape));
    const source = repeated(x);
    if (source && sizeOf(source.shape) === 1) {
      const one = this.reshape(source, new Array(shape.length).fill(1));
      return this.broadcastTo(this.mul(one, this.scalar(count, x.type)), shape);
    }
    if (fill === undefined || count === 0) return this.reduce('ReduceSum', x, list, keepDims, 0);
    return this.fill(fill * count, shape, x.type);
  }

  /** Matrix product over the last two axes, leading axes broadcasting; the flags swap an operand's last two axes. */
  matmul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
    if (a.type !== 'float32') return this.integerProduct(this.swapped(a, transposeA), this.swapped(b, transposeB));
    const [left, flipA] = withoutSwap(a, transposeA);
    const [right, flipB] = withoutSwap(b, transposeB);
    const rows = left.shape.at(flipA ? -1 : -2)!;
    const inner = left.shape.at(flipA ? -2 : -1)!;
    const columns = right.shape.at(flipB ? -2 : -1)!;
    const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
    const info = { type: left.type, shape: [...batch, rows, columns] };
    if (inner === 0 || sizeOf(info.shape) === 0) return this.fill(0, info.shape, info.type);
    if (fillOf(left) === 0 || fillOf(right) === 0) return this.fill(0, info.shape, info.type);
    if (sizeOf(batch) === 1) {
      const [a2, b2] = [left, right].map((x) => this.reshape(x, x.shape.slice(-2)));
      return this.reshape(this.matrixProduct(a2!, b2!, flipA, flipB), info.shape);
    }
    if (sizeOf(right.shape.slice(0, -2)) === 1 && !flipA) {
      const flat = this.reshape(left, [sizeOf(batch) * rows, inner]);
      const weight = this.reshape(right, right.shape.slice(-2));
      return this.reshape(this.matrixProduct(flat, weight, false, flipB), info.shape);
    }
    return this.op('MatMul', [this.swapped(left, flipA), this.swapped(right, flipB)], info);
  }

  /** The weight of every row, if the reduction of `x` is a weighted sum of more than one row of several columns. */
  private columnWeight(operator: string, x: Value, axes: readonly number[], columns: number): number | undefined {
    const leading = axes.every((axis, i) => axis === i);
    if (!leading || columns < 2 || x.type !== 'float32') return undefined;
    if (operator === 'ReduceSum') return 1;
    return operator === 'ReduceMean' ? columns / sizeOf(x.shape) : undefined;
  }

  /** As a product with a row vector, which ONNX Runtime does ten times faster than a reduction of leading axes. */
  private weightedRowSum(x: Value, weight: number, shape: readonly number[]): Value {
    const columns = sizeOf(shape);
    const rows = sizeOf(x.shape) / columns;
    return this.reshape(this.matmul(this.fill(weight, [1, rows]), this.reshape(x, [rows, columns])), shape);
  }

  /** ONNX Runtime has no Gemm of integers. */
  private integerProduct(a: Value, b: Value): Value {
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.op('MatMul', [a, b], { type: a.type, shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!] });
  }

  private matrixProduct(a: Value, b: Value, transA: boolean, transB: boolean): Value {
    const [rows, columns] = [a.shape[transA ? 1 : 0]!, b.shape[transB ? 0 : 1]!];
    const info = { type: a.type, shape: [rows, columns] };
    if (!transA && !transB) return this.op('MatMul', [a, b], info);
    if (transA && !transB && columns * NARROW <= rows)
      return this.transpose(this.matrixProduct(b, a, true, false), [1, 0]);
    return this.op('Gemm', [a, b], info, { transA: transA ? 1 : 0, transB: transB ? 1 : 0 });
  }

  private swapped(x: Value, swap: boolean): Value {
    const rank = x.shape.length;
    return swap ? this.transpose(x, [...range(rank - 2), rank - 1, rank - 2]) : x;
  }

  private commutative(operator: string, a: Value, b: Value): Value {
    return a.id <= b.id ? this.binary(operator, a, b) : this.binary(operator, b, a);
  }

  /** What an operand repeats: a number, or a value with axes of size 1. */
  private bare(x: Value): Value {
    const fill = fillOf(x);
    return fill === undefined ? (repeated(x) ?? x) : this.scalar(fill, x.type);
  }

  /** `x` in the shape it would have after broadcasting with `other`. */
  private likeBoth(x: Value, other: Value): Value {
    return this.broadcastTo(x, broadcastShape(x.shape, other.shape));
  }

  /** Some of the leading entries of a value with its first two axes joined: cut out after joining those, once for all parts. */
  private rowsReshaped(x: Value, shape: readonly number[]): Value | undefined {
    if (x.node?.operator !== 'Slice' || !sameShape(shape, joined(x.shape))) return undefined;
    const [source, starts, , axes, steps] = x.node.inputs as [Value, ...Value[]];
    const [start, axis, step] = [starts, axes, steps].map((list) => [...dataOf(list!)].map(Number));
    if (axis!.length !== 1 || axis![0] !== 0 || step![0] !== 1) return undefined;
    const begin = [start![0]! * x.shape[1]!, ...shape.slice(1).fill(0)];
    return this.slice(this.reshape(source, joined(source.shape)), begin, shape);
  }

  /** The operand of the Concat `x` that the slice lies in, sliced, if there is one. */
  private partOfConcat(x: Value, begin: readonly number[], size: readonly number[]): Value | undefined {
    if (x.node?.operator !== 'Concat') return undefined;
    const axis = x.node.attributes.axis as number;
    let start = begin[axis]!;
    for (const part of x.node.inputs) {
      const length = part.shape[axis]!;
      if (start < length) {
        return start + size[axis]! <= length ? this.slice(part, withSize(begin, axis, start), size) : undefined;
      }
      start -= length;
    }
    return undefined;
  }
}

/** Codes of `TensorProto.DataType`. */
export const ONNX_TYPE: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

function onNumbers(compute: (a: number, b: number) => number) {
  return (a: Value, b: Value): number | undefined => {
    const [x, y] = [fillOf(a), fillOf(b)];
    if (x === undefined || y === undefined || a.type !== 'float32') return undefined;
    return Math.fround(compute(Math.fround(x), Math.fround(y)));
  };
}

/** What `x` is, before it is repeated along axes. */
function repeated(x: Value): Value | undefined {
  return x.node?.operator === 'Expand' ? x.node.inputs[0]! : undefined;
}

/** What a comparison with a number asks of which value, if it keeps the shape of that. */
function boundIn({ node, shape }: Value, operator: string): [value?: Value, bound?: number] {
  if (node?.operator !== operator || !sameShape(node.inputs[0]!.shape, shape)) return [];
  return [node.inputs[0]!, fillOf(node.inputs[1]!)];
}

/** The value that `parts` were cut out of along `axis`, one after the other, and where the first begins. */
function joinedPart(parts: readonly Value[], axis: number): { source: Value; begin: number[] } | undefined {
  const [source, ...others] = new Set(
    parts.map(({ node }) => (node?.operator === 'Slice' ? node.inputs[0]! : undefined)),
  );
  if (!source || others.length > 0) return undefined;
  const first = Number(dataOf(parts[0]!.node!.inputs[1]!)[0]);
  let at = first;
  for (const part of parts) {
    const [starts, , axes, steps] = part.node!.inputs.slice(1).map((list) => `${dataOf(list)}`);
    if (starts !== `${at}` || axes !== `${axis}` || steps !== '1') return undefined;
    at += part.shape[axis]!;
  }
  return { source, begin: source.shape.map((_, i) => (i === axis ? first : 0)) };
}

/** A shape with its first two axes made one. */
function joined([first, second, ...rest]: readonly number[]): number[] {
  return [first! * second!, ...rest];
}

/** What was made one of several entries along a new first axis, if `x` is such. */
function unstacked(x: Value): Value | undefined {
  const source = x.node?.operator === 'Reshape' ? x.node.inputs[0]! : undefined;
  return source && x.shape.length > 2 && sameShape(source.shape, joined(x.shape)) ? source : undefined;
}

/** How both values are transposed, if they are the same way: their sum can be transposed instead. */
function sharedTranspose(a: Value, b: Value): readonly number[] | undefined {
  if (a.node?.operator !== 'Transpose' || b.node?.operator !== 'Transpose') return undefined;
  const [permA, permB] = [a.node.attributes.perm, b.node.attributes.perm] as [number[], number[]];
  return sameShape(permA, permB) && sameShape(a.shape, b.shape) ? permA : undefined;
}

/** The smallest value that gives the same result as `x` in an elementwise operator with `other` of result `shape`. */
function narrow(builder: Builder, x: Value, other: Value, shape: readonly number[]): Value {
  if (!sameShape(other.shape, shape)) return x;
  const fill = fillOf(x);
  if (fill !== undefined) return builder.scalar(fill, x.type);
  return x.node?.operator === 'Expand' ? x.node.inputs[0]! : x;
}

/** `x` without a swap of its last two axes, and whether an operand that should (not) be swapped still must be. */
function withoutSwap(x: Value, swap: boolean): [Value, boolean] {
  if (x.node?.operator !== 'Transpose') return [x, swap];
  const perm = x.node.attributes.perm as readonly number[];
  const rank = perm.length;
  const isSwap = perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
  return isSwap ? [x.node.inputs[0]!, !swap] : [x, swap];
}

/** The number of int32 that is nearest to `value`. */
function inInt32(value: number): number {
  return Math.max(-(2 ** 31), Math.min(Math.trunc(value), 2 ** 31 - 1));
}

/** `value` as `type` holds it. */
export function castNumber(value: number, type: ElementType): number {
  if (type === 'bool') return value === 0 ? 0 : 1;
  return type === 'float32' ? value : Math.trunc(value);
}
