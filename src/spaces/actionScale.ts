import { ArgumentError } from '../errors.js';
import type { Box } from './box.js';

/** The affine map between policy actions in [-1, 1] and a bounded action space. */
export class ActionScale {
  private readonly centre: Float64Array;
  private readonly half: Float64Array;

  /** @throws ArgumentError if a bound is infinite or a range is empty */
  constructor(private readonly space: Box) {
    if (!space.isBounded || space.low.some((low, i) => low === space.high[i])) {
      throw new ArgumentError(
        `ActionScale: the action space must have finite bounds with low < high, got low [${space.low}] and high [${space.high}].`,
      );
    }
    this.centre = Float64Array.from(space.low, (low, i) => (low + (space.high[i] as number)) / 2);
    this.half = Float64Array.from(space.low, (low, i) => ((space.high[i] as number) - low) / 2);
  }

  /** Rows of policy actions, clipped to [-1, 1], in the space's units. */
  toSpace(actions: Float32Array): Float32Array {
    return actions.map((action, i) => this.centreOf(i) + this.halfOf(i) * Math.min(Math.max(action, -1), 1));
  }

  /** Rows of the space's actions as policy actions, clipped to [-1, 1]. */
  fromSpace(actions: Float32Array): Float32Array {
    return actions.map((action, i) => Math.min(Math.max((action - this.centreOf(i)) / this.halfOf(i), -1), 1));
  }

  private centreOf(i: number): number {
    return this.centre[i % this.space.size] as number;
  }

  private halfOf(i: number): number {
    return this.half[i % this.space.size] as number;
  }
}
