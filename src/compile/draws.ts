import { CompileError, callSite } from './errors.js';
import { liveNodes, type Node, type Value } from './graph.js';

/**
 * Watches over `Math.random`, which all unseeded random numbers of TensorFlow.js come from: a constant made of them would
 * stay the same in every call. (Seeded ones are the same in every eager call too.)
 */
export class RandomDraws {
  private readonly random = Math.random;
  private readonly drawn = new Map<Value, string>();
  private pending?: string;

  constructor() {
    Math.random = () => {
      this.pending ??= callSite();
      return this.random();
    };
  }

  /** Stops watching. */
  release(): void {
    Math.random = this.random;
  }

  /** Whether the numbers that are about to become a constant were drawn, and where; asked once per draw. */
  take(): string | undefined {
    const site = this.pending;
    this.pending = undefined;
    return site;
  }

  mark(value: Value, site: string): void {
    this.drawn.set(value, site);
  }

  /** Where the first of `values` that was drawn comes from. */
  siteOf(values: Iterable<Value>): string | undefined {
    for (const value of values) if (this.drawn.has(value)) return this.drawn.get(value);
    return undefined;
  }

  /** @throws {@link CompileError} if `outputs` depend on a draw */
  check(name: string, nodes: readonly Node[], outputs: readonly Value[]): void {
    const used = liveNodes(nodes, outputs).flatMap((node) => node.inputs);
    const site = this.drawn.size > 0 ? this.siteOf([...outputs, ...used]) : undefined;
    if (site === undefined) return;
    throw new CompileError(
      `${name}: random numbers are drawn inside a compiled function, at ${site}; they would be drawn once and be the same ` +
        'in every call. Draw them outside and pass them as an argument: noise for tf.randomNormal, a mask for dropout.',
    );
  }
}
