import { type Graph, inRunningOrder, type Node, producersOf, usesOf, type Value } from './graph.js';
import { isSum } from './mergeProducts.js';
import { reshapeNode } from './rewriter.js';
import { sizeOf } from './shapes.js';
import { isRowSum, isStack } from './stackLanes.js';

/**
 * Where matrices stand below each other anyway, takes their sum, and the sums over the rows of each, from there: the gradients of
 * an observation and of K steps that go into a layer side by side are two products so, in place of 2 K operators.
 */
export function sumLanes(graph: Graph, nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
  const uses = usesOf(nodes);
  const producers = producersOf(nodes);
  const stacks = new Map(nodes.filter(isStack).map((node) => [keyOf(node.inputs), node]));
  const addends = (node: Node): Value[] =>
    node.inputs.flatMap((value) => {
      const source = producers.get(value);
      return isSum(source) && uses.get(value) === 1 && !outputs.has(value) ? addends(source) : [value];
    });
  const replaced = nodes.flatMap((node) => {
    const sum = isSum(node) ? stacks.get(keyOf(addends(node))) : undefined;
    if (sum) return sumOfLanes(graph, sum, node);
    const sources = isStack(node) ? node.inputs.map((value) => producers.get(value)) : [];
    if (sources.length === 0 || !sources.every((source) => source && isRowSum(source))) return node;
    const lanes = sources.map((source) => source!.inputs[1]!);
    const stack = stacks.get(keyOf(lanes));
    return stack?.inputs.every((lane, i) => lane === lanes[i]) ? rowSumsOfLanes(graph, stack, node) : node;
  });
  return inRunningOrder(replaced);
}

function keyOf(values: readonly Value[]): string {
  return `${values.map(({ id }) => id).sort((a, b) => a - b)}`;
}

function sumOfLanes(graph: Graph, { inputs: lanes, outputs: [stack] }: Node, { outputs }: Node): Node[] {
  const [count, size] = [lanes.length, sizeOf(lanes[0]!.shape)];
  const flat = reshapeNode(graph, stack!, [count, size]);
  const sum = multiply(graph, [1, count], flat, [1, size]);
  return [flat, sum, { ...reshapeNode(graph, sum.outputs[0]!, outputs[0]!.shape), outputs }];
}

function rowSumsOfLanes(graph: Graph, { inputs: lanes, outputs: [stack] }: Node, { outputs }: Node): Node[] {
  const [rows, columns] = lanes[0]!.shape as [number, number];
  const apart = reshapeNode(graph, stack!, [lanes.length, rows, columns]);
  const sums = multiply(graph, [1, rows], apart, [lanes.length, 1, columns]);
  return [apart, sums, { ...reshapeNode(graph, sums.outputs[0]!, outputs[0]!.shape), outputs }];
}

function multiply(graph: Graph, ones: number[], { outputs: [x] }: Node, shape: number[]): Node {
  const left = graph.fill(1, { type: 'float32', shape: ones });
  return graph.looseNode('MatMul', [left, x!], { type: 'float32', shape }, {});
}
