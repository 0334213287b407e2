import { ArgumentError, EnvironmentError, requireInteger, show } from '../errors.js';
import { allOrNone } from '../settled.js';
import type { Box } from '../spaces/box.js';
import { type Commit, type MaybePromise, type StateDict, type Stateful, together } from '../state.js';
import { requireActions, resetBatch, stepBatch } from './batch.js';
import type { Env } from './env.js';
import { hasState } from './hasState.js';
import { andThen } from './maybePromise.js';
import { requireEnv } from './received.js';
import { resetSeed } from './resetSeed.js';
import type { VectorEnv, VectorReset, VectorStep } from './vectorEnv.js';

/**
 * Several environments in one thread, one after the other; those that answer by promise go on side by side.
 *
 * @example
 * ```ts
 * const env = await SyncVectorEnv.create(8, () => makeMujoco('HalfCheetah-v5'));
 * const { observations } = await env.reset({ seed: 1 }); // [8 * 17]
 * ```
 */
export class SyncVectorEnv implements VectorEnv {
  readonly id: string | undefined;
  readonly numEnvs: number;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly state?: () => MaybePromise<StateDict>;
  readonly prepare?: (state: StateDict) => MaybePromise<Commit>;
  readonly memory: Stateful | undefined;
  private isRunning = false;

  /** @throws ArgumentError unless there is an environment and all have spaces of one size */
  constructor(readonly envs: readonly Env[]) {
    if (!Array.isArray(envs)) throw new ArgumentError(`SyncVectorEnv: envs must be a list, got ${show(envs)}.`);
    for (const env of envs) requireEnv('SyncVectorEnv', env);
    const [first] = envs as readonly Env[];
    if (!first) throw new ArgumentError('SyncVectorEnv: envs must hold at least one environment.');
    this.id = first.id;
    this.numEnvs = envs.length;
    this.observationSpace = first.observationSpace;
    this.actionSpace = first.actionSpace;
    for (const [i, env] of envs.entries()) requireSameSizes(env, first, i);
    this.memory = memoryOf(envs);
    if (!envs.every(hasState)) return;
    const parts = together(Object.fromEntries(envs.map((env, i) => [`env${i}`, env])));
    this.state = () => parts.state();
    this.prepare = async (state) => {
      const commit = await parts.prepare(state);
      return async () => {
        await commit();
        this.isRunning = true;
      };
    };
  }

  /** Makes the environments side by side; `make` gets the index of each. Throws what one threw once each is made or has failed; the others are closed then. */
  static async create(numEnvs: number, make: (index: number) => MaybePromise<Env>): Promise<SyncVectorEnv> {
    requireInteger('SyncVectorEnv.create', 'numEnvs', numEnvs, { min: 1 });
    if (typeof make !== 'function') {
      throw new ArgumentError(
        `SyncVectorEnv.create: make must be a function that returns an environment, got ${show(make)}.`,
      );
    }
    const envs = Array.from({ length: numEnvs }, async (_, i) => make(i));
    return allOrNone(envs, (made) => new SyncVectorEnv(made));
  }

  /** @throws ArgumentError for a seed that is none; nothing has changed then */
  reset(options: { seed?: number } = {}): MaybePromise<VectorReset> {
    const seed = resetSeed('SyncVectorEnv', options);
    const observations = new Float32Array(this.numEnvs * this.observationSpace.size);
    this.isRunning = false;
    return andThen(resetBatch(this.envs, observations, 0, seed), (infos) => {
      this.isRunning = true;
      return { observations, infos };
    });
  }

  /**
   * @throws ShapeError, NonFiniteError for wrong actions; nothing has moved then
   * @throws EnvironmentError naming the environment that threw; then a reset is due
   */
  step(actions: Float32Array): MaybePromise<VectorStep> {
    requireActions('SyncVectorEnv.step', actions, this.numEnvs, this.actionSpace.size);
    if (!this.isRunning) throw new EnvironmentError('SyncVectorEnv.step: call reset first.');
    const size = this.numEnvs * this.observationSpace.size;
    const arrays = {
      observations: new Float32Array(size),
      nextObservations: new Float32Array(size),
      rewards: new Float32Array(this.numEnvs),
      terminated: new Uint8Array(this.numEnvs),
      truncated: new Uint8Array(this.numEnvs),
    };
    this.isRunning = false;
    return andThen(stepBatch(this.envs, actions, arrays, 0), (infos) => {
      this.isRunning = true;
      return { ...arrays, infos };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.envs.map((env) => env.close?.()));
  }
}

function memoryOf(envs: readonly Env[]): Stateful | undefined {
  const parts = envs.flatMap(({ memory }, i) => (memory ? [[`env${i}`, memory] as const] : []));
  return parts.length ? together(Object.fromEntries(parts)) : undefined;
}

function requireSameSizes(env: Env, first: Env, index: number): void {
  for (const space of ['observationSpace', 'actionSpace'] as const) {
    if (env[space].size === first[space].size) continue;
    throw new ArgumentError(
      `SyncVectorEnv: environment ${index} has an ${space} of size ${env[space].size}, environment 0 of size ${first[space].size}; all must have the same.`,
    );
  }
}
