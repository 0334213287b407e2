import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import type { Emitters, UnaryEmitter } from './emitter.js';

/** Elementwise kernels on one tensor. */
export const unary = {
  Abs: direct('Abs'),
  Acos: direct('Acos'),
  Acosh: direct('Acosh'),
  Asin: direct('Asin'),
  Asinh: direct('Asinh'),
  Atan: direct('Atan'),
  Atanh: direct('Atanh'),
  Cast: (b, { x }, { dtype }) => b.cast(x, dtype),
  Ceil: direct('Ceil'),
  ClipByValue: (b, { x }, attrs) => b.clip(x, attrs.clipValueMin, attrs.clipValueMax),
  Cos: direct('Cos'),
  Cosh: direct('Cosh'),
  Erf: direct('Erf'),
  Exp: direct('Exp'),
  Expm1: (b, { x }) => expm1(b, x),
  Floor: direct('Floor'),
  Identity: (_, { x }) => x,
  IsFinite: (b, { x }) => b.compare('Less', b.unary('Abs', x), b.scalar(Infinity)),
  IsInf: (b, { x }) => b.unary('IsInf', x, {}, 'bool'),
  IsNan: (b, { x }) => b.unary('IsNaN', x, {}, 'bool'),
  Log: direct('Log'),
  Log1p: (b, { x }) => log1p(b, x),
  LogicalNot: (b, { x }) => b.not(x),
  Neg: (b, { x }) => b.neg(x),
  OnesLike: (b, { x }) => b.fill(1, x.shape, x.type),
  Reciprocal: direct('Reciprocal'),
  Round: direct('Round'),
  Rsqrt: (b, { x }) => b.unary('Reciprocal', b.unary('Sqrt', x)),
  Sign: direct('Sign'),
  Sin: direct('Sin'),
  Sinh: direct('Sinh'),
  Sqrt: direct('Sqrt'),
  Square: (b, { x }) => b.mul(x, x),
  Step: (b, { x }, { alpha = 0 }) => step(b, x, alpha),
  Tan: direct('Tan'),
  Tanh: direct('Tanh'),
  ZerosLike: (b, { x }) => b.fill(0, x.shape, x.type),
} satisfies Partial<Emitters>;

function direct(operator: string): UnaryEmitter {
  return (b, { x }) => b.unary(operator, x);
}

/** tanh(x / 2) (exp(x) + 1), exact near 0. */
function expm1(b: Builder, x: Value): Value {
  const half = b.unary('Tanh', b.mul(x, b.scalar(0.5)));
  return b.mul(half, b.add(b.unary('Exp', x), b.scalar(1)));
}

/** 2 atanh(x / (2 + x)) near 0, where log(1 + x) is not exact. */
function log1p(b: Builder, x: Value): Value {
  const near = b.mul(b.scalar(2), b.unary('Atanh', b.div(x, b.add(x, b.scalar(2)))));
  const far = b.unary('Log', b.add(x, b.scalar(1)));
  return b.where(b.compare('Less', b.unary('Abs', x), b.scalar(0.5)), near, far);
}

/** 1 where x > 0, `alpha` elsewhere; asked of relu(x) if there is one, so that ONNX Runtime may make one operator of that and a product. */
function step(b: Builder, x: Value, alpha: number): Value {
  const positive = b.compare('Greater', b.graph.find('Relu', [x]) ?? x, b.scalar(0, x.type));
  if (alpha === 0) return b.cast(positive, x.type);
  return b.where(positive, b.scalar(1, x.type), b.scalar(alpha, x.type));
}
