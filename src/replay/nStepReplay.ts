import { CheckpointError, requireInteger, requireNumber } from '../errors.js';
import type { Rng } from '../rng/rng.js';
import {
  asCount,
  type Commit,
  type MaybePromise,
  readEntries,
  type StateDict,
  type Stateful,
  stateArray,
  together,
} from '../state.js';
import type { DiscountedTransitions, Replay, ReplayBatch } from './replay.js';
import { type ObservedTransitions, requireColumns } from './transitions.js';

export interface NStepOptions {
  observationSize: number;
  actionSize: number;
  /** Steps n of reward before the value of a state, >= 1. */
  steps: number;
  /** Discount of one step, in [0, 1]. */
  gamma: number;
}

/** A step whose n-step return is not known yet. */
interface Pending {
  observation: Float32Array;
  action: Float32Array;
  reward: number;
  next: Float32Array;
}

/**
 * Turns steps into those of n at once and keeps them in `replay`: the reward is $\sum_{j<n} \gamma^j r_{t+j}$, the successor that
 * of n steps later, whose value counts $\gamma^n$. No tail is dropped: where an episode ends after k < n steps, its last steps
 * have returns of k, whose successor counts $\gamma^k$ if the episode was cut, and 0 if the task ended. Steps of N environments
 * come side by side; where one does not go on from its last successor (a lost environment, another episode), what was pending
 * is cut there.
 *
 * Agents with the option `nStep` make one. Nothing corrects for the n - 1 actions that later policies would choose otherwise,
 * and entropy bonuses between are left out, as in the n-step returns of Rainbow (Hessel et al. 2018) and D4PG.
 *
 * @example
 * ```ts
 * const sizes = { observationSize: 3, actionSize: 1 };
 * const replay = new NStepReplay({ ...sizes, steps: 3, gamma: 0.99 }, new ReplayBuffer({ ...sizes, discounts: true }));
 * ```
 */
export class NStepReplay implements Replay {
  readonly learned: Replay['learned'];
  readonly rewriteActions: Replay['rewriteActions'];
  private readonly pending: PendingSteps;
  private readonly parts: Required<Stateful>;

  /**
   * @param replay keeps the results, discounts included
   * @throws ArgumentError for sizes or steps below 1, or a discount outside [0, 1]
   */
  constructor(
    private readonly options: NStepOptions,
    private readonly replay: Replay,
  ) {
    requireInteger('NStepReplay', 'observationSize', options?.observationSize, { min: 1 });
    requireInteger('NStepReplay', 'actionSize', options.actionSize, { min: 1 });
    requireInteger('NStepReplay', 'steps', options.steps, { min: 1 });
    requireNumber('NStepReplay', 'gamma', options.gamma, { min: 0, max: 1 });
    this.learned = replay.learned?.bind(replay);
    this.rewriteActions = replay.rewriteActions?.bind(replay);
    this.pending = new PendingSteps(options);
    this.parts = together({ replay, pending: this.pending });
  }

  get size(): number {
    return this.replay.size;
  }

  add(transitions: ObservedTransitions): void {
    const { observationSize, actionSize } = this.options;
    const [observations, actions, number] = [{ width: observationSize }, { width: actionSize }, { width: 1 }];
    const columns = { observations, actions, rewards: number, nextObservations: observations };
    requireColumns('NStepReplay.add', transitions, { ...columns, terminated: number, truncated: number });
    const streams = this.pending.streams.map((stream) => [...stream]);
    const done = this.advance(streams, transitions);
    if (done.length) this.replay.add(joined(done));
    this.pending.streams = streams;
  }

  /** Takes one step into `streams`; returns what is known now. */
  private advance(streams: Pending[][], transitions: ObservedTransitions): Return[] {
    const count = transitions.rewards.length;
    const done = streams.splice(count).flatMap((stream) => this.returnsOf(stream, 0));
    for (let i = 0; i < count; i++) {
      streams[i] ??= [];
      const stream = streams[i] as Pending[];
      const isLost = Boolean(transitions.lost?.[i]);
      const step = this.stepOf(transitions, i);
      if (isLost || !continues(stream.at(-1), step)) done.push(...this.returnsOf(stream.splice(0), 0));
      if (isLost) continue;
      stream.push(step);
      const [terminated, truncated] = [transitions.terminated[i] as number, transitions.truncated[i] as number];
      if (terminated || truncated) done.push(...this.returnsOf(stream.splice(0), terminated, truncated));
      // More than one where what was loaded waited for longer returns than these.
      else for (; stream.length >= this.options.steps; stream.shift()) done.push(this.returnOf(this.ahead(stream, 0)));
    }
    return done;
  }

  private stepOf({ observations, actions, rewards, nextObservations }: ObservedTransitions, i: number): Pending {
    const row = (values: Float32Array, width: number) => Float32Array.from(values.subarray(i * width, (i + 1) * width));
    const { observationSize, actionSize } = this.options;
    return {
      observation: row(observations, observationSize),
      action: row(actions, actionSize),
      reward: rewards[i] as number,
      next: row(nextObservations, observationSize),
    };
  }

  /** Returns of the steps of an episode that ends, or is not seen any more, after the last of them. */
  private returnsOf(steps: readonly Pending[], terminated: number, truncated = 1 - terminated): Return[] {
    return steps.map((_, i) => {
      const ahead = this.ahead(steps, i);
      return i + ahead.length < steps.length ? this.returnOf(ahead) : this.returnOf(ahead, terminated, truncated);
    });
  }

  /** The steps of one return. */
  private ahead(steps: readonly Pending[], from: number): readonly Pending[] {
    return steps.slice(from, from + this.options.steps);
  }

  /** The return of the first of `steps`, with the value of what follows the last. */
  private returnOf(steps: readonly Pending[], terminated = 0, truncated = 0): Return {
    const { gamma } = this.options;
    const [first, last] = [steps[0] as Pending, steps.at(-1) as Pending];
    const reward = steps.reduceRight((sum, step) => step.reward + gamma * sum, 0);
    const discount = terminated ? 0 : gamma ** steps.length;
    return { ...first, reward, next: last.next, terminated, truncated, discount };
  }

  sample(batchSize: number, rng: Rng): ReplayBatch {
    return this.replay.sample(batchSize, rng);
  }

  state(): MaybePromise<StateDict> {
    return this.parts.state();
  }

  snapshot(): MaybePromise<StateDict> {
    return this.parts.snapshot();
  }

  prepare(state: StateDict): MaybePromise<Commit> {
    return this.parts.prepare(state);
  }
}

/** A step of n at once. */
interface Return extends Pending {
  terminated: number;
  truncated: number;
  discount: number;
}

/** Whether `step` begins where `last` ended. */
function continues(last: Pending | undefined, { observation }: Pending): boolean {
  return !last || last.next.every((value, i) => value === observation[i]);
}

function joined(returns: readonly Return[]): DiscountedTransitions {
  return {
    observations: concatenated(returns.map(({ observation }) => observation)),
    actions: concatenated(returns.map(({ action }) => action)),
    rewards: Float32Array.from(returns, ({ reward }) => reward),
    nextObservations: concatenated(returns.map(({ next }) => next)),
    terminated: Uint8Array.from(returns, ({ terminated }) => terminated),
    truncated: Uint8Array.from(returns, ({ truncated }) => truncated),
    discounts: Float32Array.from(returns, ({ discount }) => discount),
  };
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}

/** The steps of each environment whose returns are not known yet. */
class PendingSteps implements Stateful {
  streams: Pending[][] = [];

  constructor(private readonly sizes: { observationSize: number; actionSize: number }) {}

  state(): StateDict {
    const steps = this.streams.flat();
    return {
      lengths: stateArray(Float64Array.from(this.streams, (stream) => stream.length)),
      observations: stateArray(concatenated(steps.map(({ observation }) => observation))),
      actions: stateArray(concatenated(steps.map(({ action }) => action))),
      rewards: stateArray(Float32Array.from(steps, ({ reward }) => reward)),
      nextObservations: stateArray(concatenated(steps.map(({ next }) => next))),
    };
  }

  prepare(state: StateDict): Commit {
    const { observationSize, actionSize } = this.sizes;
    const rows = state.rewards?.data?.length ?? 0;
    const entries = readEntries(state, {
      lengths: undefined,
      observations: rows * observationSize,
      actions: rows * actionSize,
      rewards: rows,
      nextObservations: rows * observationSize,
    });
    const lengths = Array.from(entries.lengths, (length) => asCount(Float64Array.of(Number(length)), 'lengths'));
    if (lengths.reduce((sum, length) => sum + length, 0) !== rows) {
      throw new CheckpointError(`NStepReplay: lengths [${lengths}] do not fit ${rows} pending steps.`);
    }
    const row = (name: 'observations' | 'actions' | 'nextObservations', width: number, i: number) =>
      Float32Array.from(entries[name].subarray(i * width, (i + 1) * width) as Float32Array);
    let next = 0;
    const streams = lengths.map((length) =>
      Array.from({ length }, () => {
        const i = next++;
        return {
          observation: row('observations', observationSize, i),
          action: row('actions', actionSize, i),
          reward: Number(entries.rewards[i]),
          next: row('nextObservations', observationSize, i),
        };
      }),
    );
    return () => {
      this.streams = streams;
    };
  }
}
