/**
 * Numbers >= 0 and their sums, in a binary tree: setting one, and finding one in proportion to its size, take as many steps
 * as the tree is high. It grows with use. The sums depend on the numbers alone, not on the order in which they were set.
 */
export class SumTree {
  private room = 1;
  /** The root at 1, the children of k at 2k and 2k + 1, the numbers from `room`. */
  private nodes = new Float64Array(2);

  /** Numbers `from`, the others 0. */
  static of(from: ArrayLike<number>): SumTree {
    const tree = new SumTree();
    tree.grow(from.length);
    tree.nodes.set(from, tree.room);
    tree.sumUp();
    return tree;
  }

  get total(): number {
    return this.nodes[1] as number;
  }

  get(index: number): number {
    return this.nodes[this.room + index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.room) {
      this.grow(index + 1);
      this.sumUp();
    }
    this.nodes[this.room + index] = value;
    for (let node = (this.room + index) >> 1; node >= 1; node >>= 1) this.sum(node);
  }

  /** The first number with which the sum from the left exceeds `mass`, in [0, total); never one that is 0. */
  find(mass: number): number {
    let [node, left] = [1, mass];
    while (node < this.room) {
      const [first, second] = [this.nodes[2 * node] as number, this.nodes[2 * node + 1] as number];
      const isFirst = left < first || second === 0;
      node = 2 * node + (isFirst ? 0 : 1);
      if (!isFirst) left -= first;
    }
    return node - this.room;
  }

  /** The first `count` numbers. */
  first(count: number): Float64Array {
    return Float64Array.from({ length: count }, (_, i) => this.get(i));
  }

  private grow(count: number): void {
    const numbers = this.nodes.subarray(this.room);
    while (this.room < count) this.room *= 2;
    this.nodes = new Float64Array(2 * this.room);
    this.nodes.set(numbers, this.room);
  }

  private sumUp(): void {
    for (let node = this.room - 1; node >= 1; node--) this.sum(node);
  }

  private sum(node: number): void {
    this.nodes[node] = (this.nodes[2 * node] as number) + (this.nodes[2 * node + 1] as number);
  }
}
