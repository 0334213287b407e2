import type { Graph, Node, Value } from './graph.js';
import { Rewriter } from './rewriter.js';
import { sizeOf } from './shapes.js';
import { LARGEST, rowWeight } from './stackLanes.js';

/** A product over rows in a sum: `left` transposed times `right`, or the sum of the rows of `right` times `weight`. */
interface RowProduct {
  readonly left?: Value;
  readonly weight?: number;
  readonly right: Value;
  /** What is done with the product before it is added, if anything. */
  readonly reshape?: Node;
}

/**
 * Makes one product of a sum of products over rows, by putting the rows below each other: the gradients of a layer that is
 * applied K times are K small products and K - 1 sums otherwise.
 */
export class ProductMerger extends Rewriter {
  /** `nodes` with merged products; the parts that are not needed any more are still there. */
  static merge(graph: Graph, nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
    return new ProductMerger(graph, nodes, outputs).merged();
  }

  private merged(): Node[] {
    const innerSums = new Set(this.nodes.filter(isSum).flatMap(({ inputs }) => inputs.filter((x) => this.isInner(x))));
    for (const node of this.nodes) {
      if (!isSum(node) || innerSums.has(node.outputs[0]!) || !this.mergeSum(node)) this.result.push(node);
    }
    return this.result;
  }

  private mergeSum(root: Node): boolean {
    const groups = new Map<string, RowProduct[]>();
    const values: Value[] = [];
    const collect = (value: Value): void => {
      const node = this.producers.get(value);
      const isPart = this.isInner(value);
      if (isPart && isSum(node)) {
        node.inputs.forEach(collect);
        return;
      }
      const product = isPart ? this.productIn(value) : undefined;
      if (!product) {
        values.push(value);
        return;
      }
      const key = `${product.left?.shape[1] ?? product.weight} ${product.right.shape[1]} ${product.left === undefined}`;
      groups.set(key, [...(groups.get(key) ?? []), product]);
    };
    root.inputs.forEach(collect);
    if (![...groups.values()].some((group) => group.length > 1)) return false;
    const terms = [...values, ...[...groups.values()].map((group) => this.productOf(group))];
    const [first, ...others] = terms as [Value, ...Value[]];
    others.reduce((sum, term) => this.write('Add', [sum, term], root.outputs[0]!.shape), first);
    // The last node takes the place of the sum.
    this.result.push({ ...this.result.pop()!, outputs: root.outputs });
    return true;
  }

  private productIn(value: Value): RowProduct | undefined {
    const node = this.producers.get(value);
    if (node?.operator === 'Gemm' && node.attributes.transA && !node.attributes.transB) {
      return { left: node.inputs[0]!, right: node.inputs[1]! };
    }
    if (node?.operator === 'Reshape' && this.isInner(node.inputs[0]!)) {
      const product = this.productIn(node.inputs[0]!);
      return product && !product.left ? { ...product, reshape: node } : undefined;
    }
    const weight = node && rowWeight(node);
    return weight === undefined ? undefined : { weight, right: node!.inputs[1]! };
  }

  private productOf(terms: readonly RowProduct[]): Value {
    // Gradients of later steps come first; in the order of the steps, their rows are often below each other already.
    const group = terms.toSorted((a, b) => b.right.id - a.right.id);
    if (group.length > 1 && group.some(isLarge)) return this.chainOf(group.toReversed());
    const { left, weight, reshape } = group[0]!;
    const right = this.stack(group.map((product) => product.right));
    if (left) {
      const shape = [left.shape[1]!, right.shape[1]!];
      return this.write('Gemm', [this.stack(group.map((product) => product.left!)), right], shape, {
        transA: 1,
        transB: 0,
      });
    }
    const weights = this.graph.fill(weight!, { type: 'float32', shape: [1, right.shape[0]!] });
    return this.reshaped(this.write('MatMul', [weights, right], [1, right.shape[1]!]), reshape);
  }

  /** Every product on top of the sum of those before it, in the order in which gradients come. */
  private chainOf(group: readonly RowProduct[]): Value {
    let sum: Value | undefined;
    for (const { left, weight, right } of group) {
      const factor = left ?? this.graph.fill(weight!, { type: 'float32', shape: [1, right.shape[0]!] });
      const shape = [left?.shape[1] ?? 1, right.shape[1]!];
      const inputs = sum ? [factor, right, sum] : [factor, right];
      sum = this.write('Gemm', inputs, shape, { transA: left ? 1 : 0, transB: 0 });
    }
    return this.reshaped(sum!, group[0]!.reshape);
  }

  /** `value` as `reshape` would have it, if that is given. */
  private reshaped(value: Value, reshape: Node | undefined): Value {
    return reshape ? this.write('Reshape', [value, reshape.inputs[1]!], reshape.outputs[0]!.shape) : value;
  }
}

/** Whether the factors had better not be copied: stacked they leave the cache. */
function isLarge({ left, right }: RowProduct): boolean {
  return Math.max(sizeOf(left?.shape ?? []), sizeOf(right.shape)) > LARGEST;
}

/** Whether a node adds two values of one shape. */
export function isSum(node: Node | undefined): node is Node {
  return node?.operator === 'Add' && node.inputs.every((x) => `${x.shape}` === `${node.outputs[0]!.shape}`);
}
