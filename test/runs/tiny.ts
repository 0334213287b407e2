import type { EnvSpaces } from 'diffrl';
import { TinyAgent } from '../training/tinyAgent.js';

/** A linear agent for runs, sweeps and commands that are about something else than learning. */
export function makeTiny({ env, seed }: { env: EnvSpaces; seed: number }): TinyAgent {
  return new TinyAgent(env, seed);
}
