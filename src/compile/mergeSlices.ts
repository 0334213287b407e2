import { dataOf, type Graph, type Node, type Value } from './graph.js';
import { withSize } from './shapes.js';

/** A run of entries along one axis. */
interface Piece {
  readonly node: Node;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** Parts that one Split may have: WebGPU promises eight buffers to a shader, and what is split is one. */
const MOST_PARTS = 7;

/** Makes one Split, or a few, of the slices that cut a value into pieces, such as the rows of a table that is read step by step. */
export function mergeSlices(graph: Graph, nodes: readonly Node[]): Node[] {
  const groups = new Map<string, Piece[]>();
  for (const node of nodes) {
    const piece = pieceOf(node);
    if (!piece) continue;
    const key = `${node.inputs[0]!.id} ${piece.axis}`;
    groups.set(key, [...(groups.get(key) ?? []), piece]);
  }
  const splits = new Map<Node, readonly Node[]>();
  for (const pieces of groups.values()) {
    if (pieces.length < 2) continue;
    const [first] = pieces as [Piece];
    const split = splitInto(
      graph,
      first.node.inputs[0]!,
      first.axis,
      pieces.toSorted((a, b) => a.start - b.start),
    );
    if (split) for (const { node } of pieces) splits.set(node, node === first.node ? split : []);
  }
  return nodes.flatMap((node) => splits.get(node) ?? [node]);
}

/** What a Slice along one axis in steps of 1 cuts out. */
function pieceOf(node: Node): Piece | undefined {
  if (node.operator !== 'Slice') return undefined;
  const [starts, , axes, steps] = node.inputs.slice(1).map((value) => [...dataOf(value)].map(Number));
  if (axes!.length !== 1 || steps![0] !== 1) return undefined;
  const [start, axis] = [starts![0]!, axes![0]!];
  return { node, axis, start, end: start + node.outputs[0]!.shape[axis]! };
}

/** What splits `x` into `pieces`, which are in order, and into what lies between them; nothing if they overlap. */
function splitInto(graph: Graph, x: Value, axis: number, pieces: readonly Piece[]): Node[] | undefined {
  const parts: Value[] = [];
  let at = 0;
  const fill = (to: number) => {
    if (to > at) parts.push(partOf(graph, x, axis, to - at));
  };
  for (const { node, start, end } of pieces) {
    if (start < at) return undefined;
    fill(start);
    parts.push(node.outputs[0]!);
    at = end;
  }
  fill(x.shape[axis]!);
  return splits(graph, x, axis, parts);
}

/** Splits into groups of parts first, where there are too many for one. */
function splits(graph: Graph, x: Value, axis: number, parts: readonly Value[]): Node[] {
  if (parts.length <= MOST_PARTS) return [splitNode(graph, x, axis, parts)];
  const count = Math.ceil(parts.length / MOST_PARTS);
  const groups = Array.from({ length: count }, (_, i) => parts.slice(i * MOST_PARTS, (i + 1) * MOST_PARTS));
  const wholes = groups.map((group) => {
    if (group.length === 1) return group[0]!;
    return partOf(
      graph,
      x,
      axis,
      group.reduce((sum, { shape }) => sum + shape[axis]!, 0),
    );
  });
  const inner = groups.flatMap((group, i) => (group.length === 1 ? [] : [splitNode(graph, wholes[i]!, axis, group)]));
  return [...splits(graph, x, axis, wholes), ...inner];
}

function splitNode(graph: Graph, x: Value, axis: number, outputs: readonly Value[]): Node {
  const sizes = BigInt64Array.from(outputs, ({ shape }) => BigInt(shape[axis]!));
  const list = graph.constant(sizes, { type: 'int64', shape: [sizes.length] });
  return { operator: 'Split', inputs: [x, list], outputs: [...outputs], attributes: { axis } };
}

function partOf(graph: Graph, x: Value, axis: number, length: number): Value {
  return graph.looseValue({ type: x.type, shape: withSize(x.shape, axis, length) });
}
