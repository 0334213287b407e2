import { RunningMoments } from '../../ops/runningMoments.js';
import { requireOptions } from '../../options.js';
import { Box } from '../../spaces/box.js';
import type { MaybePromise, StateDict } from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { andThen } from '../maybePromise.js';
import { Wrapper } from './wrapper.js';

/** Options of {@link NormaliseObservation}. */
export interface NormaliseObservationOptions {
  /** Moments to use and to go on with; share those of training with the environment of evaluation. */
  moments?: RunningMoments;
  /** Whether the moments take in what is observed; default true. Switch it off for evaluation. */
  learns?: boolean;
}

/**
 * Observations less their running mean, over their running standard deviation, entry by entry, cut to [-10, 10]. The
 * moments are part of the state.
 *
 * @example
 * ```ts
 * const env = new NormaliseObservation(await makeMujoco('Hopper-v5'));
 * const test = new NormaliseObservation(await makeMujoco('Hopper-v5'), { moments: env.moments, learns: false });
 * ```
 */
export class NormaliseObservation<E extends Env = Env> extends Wrapper<E> {
  override readonly observationSpace: Box;
  readonly moments: RunningMoments;
  private readonly learns: boolean;

  constructor(env: E, options: NormaliseObservationOptions = {}) {
    super(env);
    requireOptions('NormaliseObservation', options, { moments: true, learns: true });
    const { moments, learns = true } = options;
    this.observationSpace = Box.uniform(env.observationSpace.size, -10, 10);
    this.moments = moments ?? new RunningMoments(env.observationSpace.size);
    this.learns = learns;
  }

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return andThen(super.reset(options), (result) => this.normalised(result));
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => this.normalised(result));
  }

  protected override ownState(): StateDict {
    return this.moments.state();
  }

  protected override prepareOwn(state: StateDict): () => void {
    return this.moments.prepare(state);
  }

  private normalised<R extends { observation: Float32Array }>(result: R): R {
    if (this.learns) this.moments.add(result.observation);
    return { ...result, observation: this.moments.normalise(result.observation) };
  }
}
