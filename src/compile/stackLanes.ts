import { dataOf, fillOf, type Graph, isMatrix, type Node, type Value } from './graph.js';
import { Rewriter, reshapeNode } from './rewriter.js';
import { broadcastShape, sameShape, sizeOf } from './shapes.js';

/** With fewer matrices below each other, nothing is saved. */
const FEWEST = 6;

/** Larger matrices are faster one by one, while they are in the cache. */
export const LARGEST = 4096;

const ELEMENTWISE = new Set(['Add', 'Div', 'Mul', 'Neg', 'Sub']);
const COMMUTATIVE = new Set(['Add', 'Mul']);

/**
 * Where the same is computed for many small matrices, only to put them below each other, puts what it is computed from below
 * each other: the densities of all steps of a chain, and the gradients of its step sizes, are few operators so.
 */
export class LaneStacker extends Rewriter {
  /** `nodes` with what is computed in stacks; the parts that are not needed any more are still there. */
  static stack(graph: Graph, nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
    return new LaneStacker(graph, nodes, outputs).stacked();
  }

  private stacked(): Node[] {
    for (const node of this.nodes) {
      const lanes = node.inputs;
      const value = isStack(node) ? this.computed(lanes) : undefined;
      if (value) this.result.push({ ...reshapeNode(this.graph, value, node.outputs[0]!.shape), outputs: node.outputs });
      else this.result.push(node);
    }
    return this.result;
  }

  /** The lanes along a new first axis, computed together if they are computed alike and needed nowhere else. */
  private computed(lanes: readonly Value[]): Value | undefined {
    const nodes = lanes.map((lane) => this.producers.get(lane));
    const [first] = nodes;
    const isAlike = lanes.every((lane, i) => this.isFree(lane) && nodes[i]?.operator === first?.operator);
    if (!first || !isAlike) return undefined;
    if (isRowSum(first) && nodes.every((node) => isRowSum(node!))) return this.rowSums(nodes as Node[]);
    if (!ELEMENTWISE.has(first.operator)) return undefined;
    const perLane = nodes.map((node) => operandsLike(node!, first.inputs));
    if (perLane.includes(undefined)) return undefined;
    const columns = first.inputs.map((_, i) => perLane.map((row) => row![i]!));
    if (columns.some((column) => column[0]!.shape.length !== 2 && new Set(column).size > 1)) return undefined;
    const operands = columns.map((column) => this.operand(column));
    return this.write(first.operator, operands, operands.map(({ shape }) => shape).reduce(broadcastShape));
  }

  /** Values that stand in one place of an elementwise operator, along a new first axis. */
  private operand(values: readonly Value[]): Value {
    const [first] = values as [Value];
    if (values.every((value) => value === first)) {
      return first.shape.length < 2 ? first : this.reshape(first, [1, ...first.shape]);
    }
    return (
      this.computed(values) ?? this.reshape(this.sliced(values) ?? this.stack(values), [values.length, ...first.shape])
    );
  }

  /** The sums over the rows of matrices, `[lanes, 1, columns]`. */
  private rowSums(nodes: readonly Node[]): Value | undefined {
    const matrices = nodes.map(({ inputs }) => inputs[1]!);
    const { shape } = matrices[0]!;
    if (sizeOf(shape) > LARGEST || !matrices.every((matrix) => sameShape(matrix.shape, shape))) return undefined;
    const stack = this.operand(matrices);
    const axes = this.graph.constant(BigInt64Array.of(1n), { type: 'int64', shape: [1] });
    return this.write('ReduceSum', [stack, axes], [nodes.length, 1, shape[1]!], { keepdims: 1 });
  }

  /** The value that `parts` are all rows of, in order. */
  private sliced(parts: readonly Value[]): Value | undefined {
    const nodes = parts.map((part) => this.producers.get(part));
    const [source, ...others] = new Set(nodes.map((node) => node?.inputs[0]));
    if (!source || others.length > 0 || source.shape[0] !== parts.length * parts[0]!.shape[0]!) return undefined;
    const isPlace = (node: Node, i: number) => {
      const [starts, , axes, steps] = node.inputs.slice(1).map((list) => `${dataOf(list)}`);
      return starts === `${i * parts[0]!.shape[0]!}` && axes === '0' && steps === '1';
    };
    return nodes.every((node, i) => node?.operator === 'Slice' && isPlace(node, i)) ? source : undefined;
  }

  private isFree(value: Value): boolean {
    return this.isInner(value) && value.type === 'float32' && sizeOf(value.shape) <= LARGEST;
  }

  private reshape(x: Value, shape: readonly number[]): Value {
    return this.put(reshapeNode(this.graph, x, shape));
  }
}

/** Whether a node puts many matrices of float32 and of one shape below each other. */
export function isStack({ operator, inputs, attributes }: Node): boolean {
  const isLike = (value: Value) => isMatrix(value) && sameShape(value.shape, inputs[0]!.shape);
  return operator === 'Concat' && attributes.axis === 0 && inputs.length >= FEWEST && inputs.every(isLike);
}

/** Whether a node adds up the rows of a matrix, in the form that the builder gives such sums. */
export function isRowSum(node: Node): boolean {
  return rowWeight(node) === 1;
}

/** What a node multiplies every row of a matrix by before it adds them up, if it does that. */
export function rowWeight({ operator, inputs }: Node): number | undefined {
  const isSum = operator === 'MatMul' && inputs.every(isMatrix) && inputs[0]!.shape[0] === 1;
  return isSum ? fillOf(inputs[0]!) : undefined;
}

/** The operands of `node`, swapped if order does not matter and they fit only so; nothing unless each is shaped as in `likes`. */
function operandsLike({ operator, inputs }: Node, likes: readonly Value[]): readonly Value[] | undefined {
  const orders = COMMUTATIVE.has(operator) ? [inputs, inputs.toReversed()] : [inputs];
  return orders.find((order) => order.every(({ shape }, i) => sameShape(shape, likes[i]!.shape)));
}
