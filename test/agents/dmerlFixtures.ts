import { type Agent, Box, dmerlSampler, type Metrics, type StateDict, type Transitions } from 'diffrl';
import { expect } from 'vitest';
import { loadState } from '../../src/state.js';
import { env, transitions } from './fixtures.js';

export { env as spaces };

export const smallSampler = (steps = 3) => dmerlSampler({ steps, hidden: [16] });

/** As {@link transitions}, with some episodes that terminate and some that are truncated. */
export function someTransitions(seed: number, rows: number): Transitions {
  return {
    ...transitions(seed, rows),
    terminated: Uint8Array.from({ length: rows }, (_, i) => Number(i % 7 === 3)),
    truncated: Uint8Array.from({ length: rows }, (_, i) => Number(i % 7 === 5)),
  };
}

/** Those that come after `before`, whose episodes go on unless they ended. */
export function nextTransitions(before: Transitions, seed: number, rows: number): Transitions {
  const next = someTransitions(seed, rows);
  const width = next.observations.length / rows;
  const ended = (i: number) => before.terminated[i] || before.truncated[i];
  return {
    ...next,
    observations: next.observations.map((value, j) =>
      ended(Math.floor(j / width)) ? value : (before.nextObservations[j] as number),
    ),
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

type Step<A> = (agent: A, seed: number) => Promise<Metrics>;

/** Acts on made-up observations of `rows` environments, observes and updates once. */
export async function playStep(agent: Agent, seed: number, rows: number): Promise<Metrics> {
  const given = someTransitions(seed, rows);
  const decision = await agent.act(given.observations);
  agent.observe({ ...given, actions: decision.actions }, decision);
  return agent.update();
}

/** `twin` takes over the state of `agent` after `saved` steps and does the next three exactly as it does. */
export async function expectGoesOn<A extends Agent>(agent: A, twin: A, step: Step<A>, saved: number): Promise<void> {
  for (let i = 0; i < saved; i++) await step(agent, i);
  await loadState(twin, await agent.state());
  for (let i = saved; i < saved + 3; i++) expect(await step(twin, i)).toEqual(await step(agent, i));
  expectSameState(await twin.state(), await agent.state());
}

/** The same `steps` leave two agents in one state (1e-4). */
export async function expectCompiledIsEager<A extends Agent>(
  eager: A,
  compiled: A,
  step: Step<A>,
  steps: number,
): Promise<void> {
  for (let i = 0; i < steps; i++) {
    await step(eager, i);
    await step(compiled, i);
  }
  expectSameState(await compiled.state(), await eager.state(), 1e-4);
  compiled.dispose();
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
    const decision = await agent.act(observations);
    const { actions } = decision;
    const rewards = actions.map(twoHumps);
    agent.observe({ observations, actions, rewards, nextObservations: observations, ...ended }, decision);
    await agent.update();
  }
  const { actions } = await agent.act(new Float32Array(2000).fill(0.5), { explore: false });
  return actions.reduce((sum, action) => sum + twoHumps(action), 0) / actions.length;
}
