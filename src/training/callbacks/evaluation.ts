import type { Env } from '../../envs/env.js';
import { hasState } from '../../envs/hasState.js';
import { requireEnv } from '../../envs/received.js';
import type { VectorEnv } from '../../envs/vectorEnv.js';
import { ArgumentError, requireInteger } from '../../errors.js';
import { requireOptions } from '../../options.js';
import type { Stateful } from '../../state.js';
import type { TrainingCallback } from '../callback.js';
import { requireMatch } from '../environments.js';
import { evaluate } from '../evaluate.js';

export interface EvaluationOptions {
  /** An environment of its own, not the one that is trained in. */
  env: Env | VectorEnv;
  /** Environment steps of training between two evaluations. Default 10,000. */
  every?: number;
  /** Episodes of each evaluation. Default 10. */
  episodes?: number;
  /** Seed of each evaluation: all see the same starts. Default 0. */
  seed?: number;
}

/**
 * Evaluates the agent now and then and adds the results to `run.history.evaluations`. What the environment remembers, such
 * as a normaliser's moments, is part of the run's checkpoints.
 */
export function evaluation(options: EvaluationOptions): TrainingCallback {
  requireOptions('evaluation', options, { env: true, every: true, episodes: true, seed: true });
  const { env, every = 10_000, episodes = 10, seed = 0 } = options;
  requireInteger('evaluation', 'every', every, { min: 1 });
  requireInteger('evaluation', 'episodes', episodes, { min: 1 });
  requireEnv('evaluation', env);
  requireInteger('evaluation', 'seed', seed, { min: 0 });
  return {
    parts: partsOf(env),
    onStart(run) {
      requireMatch('evaluation', run.agent, env);
      if (run.env !== env) return;
      throw new ArgumentError('evaluation: env must not be the environment that is trained in; make a second one.');
    },
    async onStep(run) {
      if (!run.isDue(every)) return;
      const result = await evaluate({ agent: run.agent, env, episodes, seed });
      run.history.evaluations.push({ step: run.step, ...result });
    },
  };
}

/** What checkpoints hold of an environment for evaluations. */
export function partsOf(env: Env | VectorEnv): Record<string, Stateful> {
  const part = hasState(env) ? env : env.memory;
  return part ? { evaluation: part } : {};
}
