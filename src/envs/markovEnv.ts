import { EnvironmentError, requireFinite, requireInteger, requireLength, requireNamed } from '../errors.js';
import type { Rng } from '../rng/rng.js';
import type { Box } from '../spaces/box.js';
import { asCount, lengthOf, prefixed, readEntries, type StateDict, stateArray, substate } from '../state.js';
import type { Env, ResetResult, StepResult } from './env.js';
import { resetSeed } from './resetSeed.js';
import { StartRng } from './startRng.js';

/** What {@link MarkovEnv.advance} returns. */
export interface Advance<State> {
  state: State;
  reward: number;
  /** Whether the task itself ended. */
  terminated: boolean;
}

/**
 * An environment whose whole state is a short list of float64 numbers. Seeding, the time limit, saving and the checks
 * of arguments are done here. Without a seed the first reset draws one at random.
 *
 * Subclass requirements: name the spaces and give `start`, `advance` and `observe`, which depend on their arguments
 * only and change nothing but the `Rng` they are handed.
 *
 * @example
 * ```ts
 * class Walk extends MarkovEnv<[x: number]> {
 *   readonly id = 'Walk';
 *   readonly observationSpace = Box.uniform(1);
 *   readonly actionSpace = Box.uniform(1, -1, 1);
 *   constructor() { super({ stateSize: 1, maxEpisodeSteps: 50 }); }
 *   protected start(rng: Rng): [number] { return [rng.normal()]; }
 *   protected advance([x]: [number], [push]: number[]): Advance<[number]> {
 *     const moved = x + push!;
 *     return { state: [moved], reward: -Math.abs(moved - 3), terminated: false };
 *   }
 *   protected observe([x]: [number]) { return Float32Array.of(x); }
 * }
 * ```
 */
export abstract class MarkovEnv<State extends number[]> implements Env {
  abstract readonly id: string;
  abstract readonly observationSpace: Box;
  abstract readonly actionSpace: Box;
  /** Steps after which an episode is truncated; may be infinite. */
  readonly maxEpisodeSteps: number;
  private readonly stateSize: number;
  private readonly random = new StartRng();
  private current: State | undefined;
  private elapsed = 0;

  /** @throws ArgumentError unless maxEpisodeSteps is an integer >= 1 or Infinity */
  constructor(given: { stateSize: number; maxEpisodeSteps: number }) {
    const { stateSize, maxEpisodeSteps } = requireNamed('MarkovEnv', given);
    this.stateSize = stateSize;
    if (maxEpisodeSteps !== Infinity)
      requireInteger(this.constructor.name, 'maxEpisodeSteps', maxEpisodeSteps, { min: 1 });
    this.maxEpisodeSteps = maxEpisodeSteps;
  }

  /** The state in which an episode starts. */
  protected abstract start(rng: Rng): State;

  /** The next state; `action` is finite and has the right size, but may lie outside of the action space. */
  protected abstract advance(state: State, action: number[], rng: Rng): Advance<State>;

  /** `[observationSpace.size]`, a fresh array. */
  protected abstract observe(state: State): Float32Array;

  reset(options: { seed?: number } = {}): ResetResult {
    const seed = resetSeed(this.id, options);
    this.current = this.start(this.random.start(seed));
    this.elapsed = 0;
    return { observation: this.observe(this.current), info: {} };
  }

  /**
   * @throws EnvironmentError where `reset` is due
   * @throws ShapeError, NonFiniteError for an action that is not a vector of the action space's size
   */
  step(action: Float32Array): StepResult {
    if (!this.current) throw new EnvironmentError(`${this.id}.step: call reset first; no episode is running.`);
    requireLength(`${this.id}.step`, 'action', action, this.actionSpace.size);
    requireFinite(`${this.id}.step`, 'action', action);
    const { state, reward, terminated } = this.advance(this.current, Array.from(action), this.random.rng);
    this.elapsed += 1;
    const truncated = !terminated && this.elapsed >= this.maxEpisodeSteps;
    this.current = terminated || truncated ? undefined : state;
    return { observation: this.observe(state), reward, terminated, truncated, info: {} };
  }

  /** `physics` is the state vector; it is empty while no episode is running. */
  state(): StateDict {
    return {
      physics: stateArray(Float64Array.from(this.current ?? [])),
      elapsed: stateArray(this.elapsed),
      ...prefixed('rng', this.random.state()),
    };
  }

  prepare(state: StateDict): () => void {
    const isRunning = lengthOf(state, 'physics') > 0;
    const entries = readEntries(state, { physics: isRunning ? this.stateSize : 0, elapsed: 1 }, ['rng']);
    const elapsed = asCount(entries.elapsed, 'elapsed');
    const rng = this.random.prepare(substate(state, 'rng'));
    return () => {
      rng();
      this.current = isRunning ? (Array.from(entries.physics) as State) : undefined;
      this.elapsed = elapsed;
    };
  }
}
