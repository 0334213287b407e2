import type { Value } from '../graph.js';
import { activate } from './activations.js';
import type { Emitters } from './emitter.js';

/** Matrix products and batch normalisation. */
export const matrices = {
  BatchMatMul: (b, { a, b: other }, attrs) => b.matmul(a, other, attrs.transposeA, attrs.transposeB),
  Einsum: (b, list, { equation }) => {
    return b.op('Einsum', list, { type: list[0]!.type, shape: einsumShape(equation, list) }, { equation });
  },
  FusedBatchNorm: (b, { x, mean, variance, scale, offset }, { varianceEpsilon }) => {
    const deviation = b.unary('Sqrt', b.add(variance, b.scalar(varianceEpsilon ?? 0.001)));
    const factor = scale ? b.div(scale, deviation) : b.unary('Reciprocal', deviation);
    const result = b.mul(b.sub(x, mean), factor);
    return offset ? b.add(result, offset) : result;
  },
  _FusedMatMul: (b, { a, b: other, bias, preluActivationWeights }, attrs) => {
    const product = b.matmul(a, other, attrs.transposeA, attrs.transposeB);
    return activate(b, bias ? b.add(product, bias) : product, attrs, preluActivationWeights);
  },
} satisfies Partial<Emitters>;

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
