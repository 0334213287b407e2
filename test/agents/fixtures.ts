import { type Agent, Box, type Metrics, Rng, type Transitions } from 'diffrl';

/** Three numbers to observe, two to act with. */
export const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 1]) };

/** Random transitions with actions all over the space. */
export function transitions(seed: number, rows = 20): Transitions {
  const rng = Rng.fromSeed(seed);
  const actions = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2)));
  return {
    observations: rng.normals(3 * rows),
    actions,
    rewards: rng.normals(rows),
    nextObservations: rng.normals(3 * rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
  };
}

/** Critic losses of first updates on one batch: where no episode ends, where all are truncated, where all terminate. */
export async function criticLossesByEnd(
  create: () => Promise<Agent & { learn(): Promise<Metrics> }>,
): Promise<(number | undefined)[]> {
  const losses = [];
  for (const [terminated, truncated] of [
    [0, 0],
    [0, 1],
    [1, 0],
  ] as const) {
    const agent = await create();
    const data = transitions(0);
    agent.observe(
      {
        ...data,
        terminated: data.terminated.fill(terminated),
        truncated: data.truncated.fill(truncated),
      },
      null,
    );
    losses.push((await agent.learn()).criticLoss);
    agent.dispose();
  }
  return losses;
}
