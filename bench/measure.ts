/** What benchmarks share: the machine's name, the shortest of many runs, a backend for op-by-op execution, made-up data. */
import { availableParallelism, cpus } from 'node:os';
import type { Transitions } from '../src/replay/transitions.js';
import { Rng } from '../src/rng/rng.js';
import type { Box } from '../src/spaces/box.js';

export const machine = `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}`;

/** Milliseconds that `run` takes. */
export async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** The fastest of runs that take `budget` milliseconds in all, but at least three. */
export async function best(run: () => Promise<unknown>, budget = 2000): Promise<number> {
  let shortest = Infinity;
  const end = performance.now() + budget;
  for (let i = 0; i < 3 || performance.now() < end; i++) shortest = Math.min(shortest, await time(run));
  return shortest;
}

/** Name of the fastest backend for op-by-op execution: tfjs-node where it is installed, else WebAssembly (import it). */
export async function eagerBackend(): Promise<string> {
  const native = '@tensorflow/tfjs-node';
  return import(native).then(
    () => 'tensorflow',
    () => 'wasm',
  );
}

/** Random transitions with actions in [-1, 1] and no ends. */
export function transitions(
  { observationSpace, actionSpace }: { observationSpace: Box; actionSpace: Box },
  count: number,
): Transitions {
  const rng = Rng.fromSeed(0);
  return {
    observations: rng.normals(count * observationSpace.size),
    actions: rng.uniforms(count * actionSpace.size, -1, 1),
    rewards: rng.normals(count),
    nextObservations: rng.normals(count * observationSpace.size),
    terminated: new Uint8Array(count),
    truncated: new Uint8Array(count),
  };
}
