import type * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../graph.js';
import { activate } from './activations.js';
import type { Emitters } from './emitter.js';

/** Matrix products and batch normalisation. */
export const matrices: Emitters = {
  BatchMatMul: (b, { a, b: other }, attrs: tf.BatchMatMulAttrs) =>
    b.matmul(a, other, attrs.transposeA, attrs.transposeB),
  Einsum: (b, list, { equation }: tf.EinsumAttrs) => {
    const values = Object.values(list as readonly Value[]);
    return b.op('Einsum', values, { type: values[0]!.type, shape: einsumShape(equation, values) }, { equation });
  },
  FusedBatchNorm: (b, { x, mean, variance, scale, offset }, { varianceEpsilon }: tf.FusedBatchNormAttrs) => {
    const deviation = b.unary('Sqrt', b.add(variance, b.scalar(varianceEpsilon ?? 0.001)));
    const factor = scale ? b.div(scale, deviation) : b.unary('Reciprocal', deviation);
    const result = b.mul(b.sub(x, mean), factor);
    return offset ? b.add(result, offset) : result;
  },
  _FusedMatMul: (b, { a, b: other, bias, preluActivationWeights }, attrs: tf._FusedMatMulAttrs) => {
    const product = b.matmul(a, other, attrs.transposeA, attrs.transposeB);
    return activate(b, bias ? b.add(product, bias) : product, attrs, preluActivationWeights);
  },
};

function einsumShape(equation: string, values: readonly Value[]): number[] {
  const [left = '', right = ''] = equation.replaceAll(' ', '').split('->');
  const sizes = new Map<string, number>();
  left.split(',').forEach((term, i) => {
    [...term].forEach((name, axis) => {
      sizes.set(name, values[i]!.shape[axis]!);
    });
  });
  return [...right].map((name) => sizes.get(name)!);
}
