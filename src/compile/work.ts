import type { Node } from './graph.js';
import { sizeOf } from './shapes.js';

/** Floating point operations in the matrix products among `nodes`. */
export function productWork(nodes: readonly Node[]): number {
  const products = nodes.filter(({ operator }) => operator === 'MatMul' || operator === 'Gemm');
  return products.reduce((sum, node) => sum + nodeWork(node), 0);
}

/** Floating point operations of a node: two per multiplication of a matrix product, one per element elsewhere. */
export function nodeWork({ operator, inputs, outputs, attributes }: Node): number {
  const size = sizeOf(outputs[0]!.shape);
  if (operator === 'MatMul') return 2 * size * inputs[0]!.shape.at(-1)!;
  if (operator === 'Gemm') return 2 * size * inputs[0]!.shape[attributes.transA ? 0 : 1]!;
  return Math.max(size, sizeOf(inputs[0]?.shape ?? []));
}
