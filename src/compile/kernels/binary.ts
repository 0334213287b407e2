import type { Builder } from '../builder.js';
import { dataOf, fillOf, type Value } from '../graph.js';
import type { Emitter, Emitters } from './emitter.js';

/** Elementwise kernels on two tensors that broadcast. */
export const binary = {
  Add: (b, { a, b: other }) => b.add(a, other),
  AddN: (b, list) => list.reduce((sum, value) => b.add(sum, value)),
  Atan2: (b, { a, b: other }) => atan2(b, a, other),
  BitwiseAnd: (b, { a, b: other }) => b.binary('BitwiseAnd', a, other),
  Equal: compare('Equal'),
  FloorDiv: (b, { a, b: other }) => floorDiv(b, a, other),
  Greater: compare('Greater'),
  GreaterEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessEqual: compare('LessOrEqual'),
  LogicalAnd: (b, { a, b: other }) => b.and(a, other),
  LogicalOr: (b, { a, b: other }) => b.binary('Or', a, other),
  LogicalXor: (b, { a, b: other }) => b.binary('Xor', a, other),
  Maximum: (b, { a, b: other }) => b.max(a, other),
  Minimum: (b, { a, b: other }) => b.min(a, other),
  Mod: (b, { a, b: other }) => mod(b, a, other),
  Multiply: (b, { a, b: other }) => multiply(b, a, other),
  NotEqual: (b, { a, b: other }) => b.not(b.compare('Equal', a, other)),
  Pow: (b, { a, b: other }) => pow(b, a, other),
  RealDiv: (b, { a, b: other }) => b.div(a, other),
  SquaredDifference: (b, { a, b: other }) => {
    const difference = b.sub(a, other);
    return b.mul(difference, difference);
  },
  Sub: (b, { a, b: other }) => b.sub(a, other),
} satisfies Partial<Emitters>;

function compare(operator: string): Emitter<'Equal' | 'Greater' | 'GreaterEqual' | 'Less' | 'LessEqual'> {
  return (b, { a, b: other }) => b.compare(operator, a, other);
}

function multiply(b: Builder, x: Value, y: Value): Value {
  return x.type === 'bool' ? b.binary('And', x, y) : b.mul(x, y);
}

function pow(b: Builder, x: Value, exponent: Value): Value {
  const power = x.type === exponent.type ? fillOf(exponent) : undefined;
  if (exponent.shape.length <= x.shape.length && power !== undefined) {
    if (power === 1) return b.mul(x, exponent);
    if (power === 2) return b.mul(b.mul(x, x), b.fill(1, exponent.shape, x.type));
  }
  return b.binary('Pow', x, exponent);
}

/** The remainder with the sign of the divisor. */
function mod(b: Builder, x: Value, y: Value): Value {
  if (x.type === 'int32') return zeroAtZero(b, y, (divisor) => b.binary('Mod', x, divisor));
  const rest = b.binary('Mod', x, y, x.type, { fmod: 1 });
  const zero = b.scalar(0, x.type);
  const opposite = b.binary('Xor', b.compare('Less', rest, zero), b.compare('Less', y, zero));
  const shifted = b.where(opposite, b.add(rest, y), rest);
  return b.where(b.compare('Equal', rest, zero), rest, shifted);
}

/** floor(x / y) as an integer, exact for integers. */
function floorDiv(b: Builder, x: Value, y: Value): Value {
  if (x.type === 'float32') return b.cast(b.unary('Floor', b.div(x, y)), 'int32');
  return zeroAtZero(b, y, (divisor) => integerFloorDiv(b, x, divisor));
}

/** What `divide` gives for the integers `y`, and 0 where they are 0, as in tfjs; ONNX Runtime would end the whole run. */
function zeroAtZero(b: Builder, y: Value, divide: (divisor: Value) => Value): Value {
  if (y.constant && Array.from<number | bigint>(dataOf(y)).every(Number)) return divide(y);
  const isZero = b.compare('Equal', y, b.scalar(0, y.type));
  const rest = divide(b.where(isZero, b.scalar(1, y.type), y));
  return b.where(isZero, b.scalar(0, rest.type), rest);
}

function integerFloorDiv(b: Builder, x: Value, y: Value): Value {
  const quotient = b.div(x, y);
  const rest = b.sub(x, b.mul(quotient, y));
  const zero = b.scalar(0, x.type);
  const opposite = b.binary('Xor', b.compare('Less', rest, zero), b.compare('Less', y, zero));
  const inexact = b.not(b.compare('Equal', rest, zero));
  return b.sub(quotient, b.cast(b.binary('And', inexact, opposite), x.type));
}

/** The angle of the point (x, y), -pi ... pi. */
function atan2(b: Builder, y: Value, x: Value): Value {
  const zero = b.scalar(0);
  const halfPi = b.mul(b.unary('Sign', y), b.scalar(Math.PI / 2));
  const right = b.unary('Atan', b.div(y, x));
  const turn = b.where(b.compare('Less', y, zero), b.scalar(-Math.PI), b.scalar(Math.PI));
  const left = b.add(right, turn);
  const beside = b.where(b.compare('Less', x, zero), left, right);
  return b.where(b.compare('Equal', x, zero), halfPi, beside);
}
