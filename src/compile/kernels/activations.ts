import type * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { sizeOf } from '../shapes.js';
import type { Emitters, UnaryEmitter } from './emitter.js';

/** Tensors of so few elements cost as much as an operator itself. */
const SMALL = 256;

/** Activations of networks, and softmax. */
export const activations = {
  Elu: direct('Elu'),
  EluGrad: (b, { dy, y }) => {
    const negative = b.mul(dy, b.add(y, b.scalar(1)));
    return b.where(b.compare('Less', y, b.scalar(0)), negative, dy);
  },
  LeakyRelu: (b, { x }, { alpha }) => leakyRelu(b, x, alpha),
  LogSoftmax: (b, { logits }, { axis }) => b.op('LogSoftmax', [logits], logits, { axis }),
  Prelu: (b, { x, alpha }) => b.op('PRelu', [x, alpha], x),
  Relu: direct('Relu'),
  Relu6: (b, { x }) => b.clip(x, 0, 6),
  Selu: direct('Selu'),
  Sigmoid: direct('Sigmoid'),
  Softmax: (b, { logits }, { dim }) => b.op('Softmax', [logits], logits, { axis: dim }),
  Softplus: (b, { x }) => softplus(b, x),
} satisfies Partial<Emitters>;

/** Applies the activation of a fused kernel. */
export function activate(
  b: Builder,
  x: Value,
  { activation, leakyreluAlpha }: tf._FusedMatMulAttrs,
  slope?: Value,
): Value {
  switch (activation) {
    case undefined:
    case null:
    case 'linear':
      return x;
    case 'relu':
      return b.unary('Relu', x);
    case 'relu6':
      return b.clip(x, 0, 6);
    case 'elu':
      return b.unary('Elu', x);
    case 'sigmoid':
      return b.unary('Sigmoid', x);
    case 'leakyrelu':
      return leakyRelu(b, x, leakyreluAlpha ?? 0.2);
    case 'prelu':
      return b.op('PRelu', [x, slope!], x);
  }
}

function direct(operator: string): UnaryEmitter {
  return (b, { x }) => b.unary(operator, x);
}

/** max(x, 0) + log(1 + exp(-|x|)) for all but small tensors: ONNX Runtime's Softplus takes ten times as long. */
function softplus(b: Builder, x: Value): Value {
  if (sizeOf(x.shape) <= SMALL) return b.unary('Softplus', x);
  const tail = b.unary('Exp', b.neg(b.unary('Abs', x)));
  return b.add(b.unary('Relu', x), b.unary('Log', b.add(tail, b.scalar(1))));
}

function leakyRelu(b: Builder, x: Value, alpha: number): Value {
  return b.unary('LeakyRelu', x, { alpha: { float: alpha } });
}
