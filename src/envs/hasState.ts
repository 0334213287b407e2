import type { Stateful } from '../state.js';
import type { Env } from './env.js';
import type { VectorEnv } from './vectorEnv.js';

/** Whether `env` can be saved and go on within its episode. */
export function hasState<E extends Env | VectorEnv>(env: E): env is E & Stateful {
  return Boolean(env.state && env.prepare);
}
