import { isMatrix, type Node, producersOf, usesOf, type Value } from './graph.js';

/** Makes one Gemm of a matrix product and what is added to it, where nothing else needs the product. */
export function fuseBias(nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
  const uses = usesOf(nodes);
  const producers = producersOf(nodes);
  return nodes.map((node) => {
    if (node.operator !== 'Add') return node;
    const at = node.inputs.findIndex(
      (value) => uses.get(value) === 1 && !outputs.has(value) && isProduct(producers.get(value)),
    );
    const [product, bias] = [producers.get(node.inputs[at]!), node.inputs[1 - at]!];
    if (!product || !broadcastsTo(product.outputs[0]!.shape, bias.shape)) return node;
    const { transA = 0, transB = 0 } = product.attributes;
    const fused = {
      operator: 'Gemm',
      inputs: [...product.inputs, bias],
      outputs: node.outputs,
      attributes: { transA, transB },
    };
    producers.set(node.outputs[0]!, fused);
    return fused;
  });
}

/** Whether a node multiplies two matrices and does nothing else. */
function isProduct(node: Node | undefined): boolean {
  return (
    (node?.operator === 'MatMul' || node?.operator === 'Gemm') &&
    node.inputs.length === 2 &&
    node.inputs.every(isMatrix)
  );
}

/** Whether an addend of this shape leaves a matrix of the shape `[rows, columns]`. */
function broadcastsTo([rows, columns]: readonly number[], shape: readonly number[]): boolean {
  const [height = 1, width = 1] = shape.length === 1 ? [1, ...shape] : shape;
  return shape.length <= 2 && (height === 1 || height === rows) && (width === 1 || width === columns);
}
