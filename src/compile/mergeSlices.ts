import { dataOf, type Graph, type Node, type Value } from './graph.js';
import { withSize } from './shapes.js';

/** A run of entries along one axis. */
interface Piece {
  readonly node: Node;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** Makes one Split of the slices that cut a value into pieces, such as the rows of a table that is read step by step. */
export function mergeSlices(graph: Graph, nodes: readonly Node[]): Node[] {
  const groups = new Map<string, Piece[]>();
  for (const node of nodes) {
    const piece = pieceOf(node);
    if (!piece) continue;
    const key = `${node.inputs[0]!.id} ${piece.axis}`;
    groups.set(key, [...(groups.get(key) ?? []), piece]);
  }
  const splits = new Map<Node, Node | undefined>();
  for (const pieces of groups.values()) {
    if (pieces.length < 2) continue;
    const [first] = pieces as [Piece];
    const split = splitInto(
      graph,
      first.node.inputs[0]!,
      first.axis,
      pieces.toSorted((a, b) => a.start - b.start),
    );
    if (split) for (const { node } of pieces) splits.set(node, node === first.node ? split : undefined);
  }
  return nodes.flatMap((node) => (splits.has(node) ? (splits.get(node) ?? []) : [node]));
}

/** What a Slice along one axis in steps of 1 cuts out. */
function pieceOf(node: Node): Piece | undefined {
  if (node.operator !== 'Slice') return undefined;
  const [starts, , axes, steps] = node.inputs.slice(1).map((value) => [...dataOf(value)].map(Number));
  if (axes!.length !== 1 || steps![0] !== 1) return undefined;
  const [start, axis] = [starts![0]!, axes![0]!];
  return { node, axis, start, end: start + node.outputs[0]!.shape[axis]! };
}

/** A Split with the outputs of `pieces`, which are in order, and of what lies between them; none if they overlap. */
function splitInto(graph: Graph, x: Value, axis: number, pieces: readonly Piece[]): Node | undefined {
  const length = x.shape[axis]!;
  const outputs: Value[] = [];
  let at = 0;
  const fill = (to: number) => {
    if (to > at) outputs.push(graph.looseValue({ type: x.type, shape: withSize(x.shape, axis, to - at) }));
  };
  for (const { node, start, end } of pieces) {
    if (start < at) return undefined;
    fill(start);
    outputs.push(node.outputs[0]!);
    at = end;
  }
  fill(length);
  const sizes = BigInt64Array.from(outputs, ({ shape }) => BigInt(shape[axis]!));
  const split = graph.constant(sizes, { type: 'int64', shape: [sizes.length] });
  return { operator: 'Split', inputs: [x, split], outputs, attributes: { axis } };
}
