import { type Agent, Box, dmerlSampler, Rng, type StateDict, type Transitions } from 'diffrl';
import { expect } from 'vitest';

/** Three observation and two action dimensions, the latter with uneven bounds. */
export const spaces = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 1]) };

export const smallSampler = (steps = 3) => dmerlSampler({ steps, hidden: [16] });

/** One step of `rows` environments that nobody simulated. */
export function someTransitions(seed: number, rows: number, actions?: Float32Array): Transitions {
  const rng = Rng.fromSeed(seed);
  const uniform = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2)));
  return {
    observations: rng.normals(3 * rows),
    actions: actions ?? uniform,
    rewards: rng.normals(rows),
    nextObservations: rng.normals(3 * rows),
    terminated: Uint8Array.from({ length: rows }, (_, i) => Number(i % 7 === 3)),
    truncated: Uint8Array.from({ length: rows }, (_, i) => Number(i % 7 === 5)),
  };
}

export function expectSameState(got: StateDict, expected: StateDict, tolerance = 0) {
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape, name).toEqual(shape);
    if (tolerance === 0) expect(got[name]!.data, name).toEqual(data);
    else expect(largestDifference(got[name]!.data, data), name).toBeLessThan(tolerance);
  }
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(0, ...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

/** Rewards of a one-step task on an action in [-1, 1]: two humps, the right one a little higher. */
export function twoHumps(action: number): number {
  const hump = (centre: number) => Math.exp(-0.5 * ((action - centre) / 0.2) ** 2);
  return hump(-0.5) + 1.05 * hump(0.6);
}

/** The one-step task's spaces. */
export const bandit = { observationSpace: Box.uniform(1), actionSpace: Box.uniform(1, -1, 1) };

/** Lets `agent` act in `rows` copies of the one-step task `rounds` times; the mean reward of its last actions. */
export async function playBandit(agent: Agent, rounds: number, rows: number): Promise<number> {
  const observations = new Float32Array(rows).fill(0.5);
  const ended = { terminated: new Uint8Array(rows).fill(1), truncated: new Uint8Array(rows) };
  for (let round = 0; round < rounds; round++) {
    const actions = await agent.act(observations);
    const rewards = actions.map(twoHumps);
    agent.observe({ observations, actions, rewards, nextObservations: observations, ...ended });
    await agent.update();
  }
  const actions = await agent.act(new Float32Array(2000).fill(0.5), { explore: false });
  return actions.reduce((sum, action) => sum + twoHumps(action), 0) / actions.length;
}
