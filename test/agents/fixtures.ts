import { Box, Rng, type Transitions } from 'diffrl';

/** Three numbers to observe, two to act with. */
export const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 1]) };

/** Random transitions with actions all over the space. */
export function transitions(seed: number, rows = 20): Transitions {
  const rng = Rng.fromSeed(seed);
  return {
    observations: rng.normals(3 * rows),
    actions: Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2))),
    rewards: rng.normals(rows),
    nextObservations: rng.normals(3 * rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
  };
}
