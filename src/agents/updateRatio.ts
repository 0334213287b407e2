import { CheckpointError } from '../errors.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';

/** Counts gradient steps that are due by a ratio to transitions; fractions carry over, and are saved. */
export class UpdateRatio implements Stateful {
  private pending = 0;

  /** @param ratio gradient steps for each transition, > 0 */
  constructor(private readonly ratio: number) {}

  /** Takes in `transitions` more. */
  add(transitions: number): void {
    this.pending += transitions * this.ratio;
  }

  /** Whole steps that are due, which count as done from now on. */
  take(): number {
    // Sums of fractions such as 0.1 end just below a whole number.
    const whole = Math.floor(this.pending + 1e-9);
    this.pending = Math.max(this.pending - whole, 0);
    return whole;
  }

  state(): StateDict {
    return { pending: stateArray(this.pending) };
  }

  prepare(state: StateDict): () => void {
    const [pending] = readEntries(state, { pending: 1 }).pending as Float64Array;
    if (!(pending! >= 0 && Number.isFinite(pending))) {
      throw new CheckpointError(`loadState: entry 'pending' must be a number >= 0, got ${pending}; it is damaged.`);
    }
    return () => {
      this.pending = pending!;
    };
  }
}
