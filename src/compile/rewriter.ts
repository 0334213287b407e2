import { type Graph, type Node, producersOf, usesOf, type Value } from './graph.js';
import { withSize } from './shapes.js';

/** A pass over the nodes of a graph that writes them anew. Parts that are not needed any more are left to be dropped. */
export abstract class Rewriter {
  protected readonly producers: ReadonlyMap<Value, Node>;
  protected readonly result: Node[] = [];
  private readonly uses: ReadonlyMap<Value, number>;
  private readonly stacks = new Map<string, Value>();

  protected constructor(
    protected readonly graph: Graph,
    protected readonly nodes: readonly Node[],
    private readonly outputs: ReadonlySet<Value>,
  ) {
    this.producers = producersOf(nodes);
    this.uses = usesOf(nodes);
  }

  /** Whether `value` is used once, and inside. */
  protected isInner(value: Value): boolean {
    return this.uses.get(value) === 1 && !this.outputs.has(value);
  }

  /** Matrices below each other, written once. */
  protected stack(parts: readonly Value[]): Value {
    if (parts.length === 1) return parts[0]!;
    const key = `${parts.map(({ id }) => id)}`;
    const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const stacked =
      this.stacks.get(key) ?? this.write('Concat', parts, withSize(parts[0]!.shape, 0, rows), { axis: 0 });
    this.stacks.set(key, stacked);
    return stacked;
  }

  protected write(
    operator: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Node['attributes'] = {},
  ): Value {
    return this.put(this.graph.looseNode(operator, inputs, { type: inputs[0]!.type, shape }, attributes));
  }

  protected put(node: Node): Value {
    this.result.push(node);
    return node.outputs[0]!;
  }
}

/** A node that gives `x` another shape. */
export function reshapeNode(graph: Graph, x: Value, shape: readonly number[]): Node {
  const list = graph.constant(BigInt64Array.from(shape, BigInt), { type: 'int64', shape: [shape.length] });
  return graph.looseNode('Reshape', [x, list], { type: x.type, shape }, {});
}
