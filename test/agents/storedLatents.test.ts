import { Box, DiffSacAgent, dmerlSampler, Rng, substate } from 'diffrl';
import { expect, it, vi } from 'vitest';
import { loadState } from '../../src/state.js';
import { expectClose } from '../close.js';

const [ROWS, ROUNDS, K] = [4, 50, 3];
const env = { observationSpace: Box.uniform(2), actionSpace: Box.uniform(1, 1000, 1001) };

/** The start of every chain in replay, and what the agent drew for it, when `executed` is what became of an action. */
async function starts(executed: (action: number) => number) {
  const sampler = dmerlSampler({ steps: K, hidden: [8] });
  const agent = await DiffSacAgent.create({ env, sampler, latents: 'replay', bufferCapacity: 500, compile: false });
  const noise = Rng.fromSeed(0);
  await loadState(noise, substate(await agent.state(), 'noise'));
  const drawn: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const observations = Rng.fromSeed(round).normals(ROWS * 2);
    const decision = await agent.act(observations);
    drawn.push(...noise.normals((K + 1) * ROWS).subarray(0, ROWS));
    const flags = new Uint8Array(ROWS);
    agent.observe(
      {
        ...{ observations, nextObservations: observations, rewards: new Float32Array(ROWS) },
        ...{ actions: decision.actions.map(executed), terminated: flags, truncated: flags },
      },
      decision,
    );
  }
  const actions = (await agent.replay.state())['rows0/actions']!.data as Float32Array;
  const stored = actions.filter((_, i) => i % (K + 1) === 1);
  agent.dispose();
  return { stored, drawn };
}

it('replay keeps the chain of every action, however far its bounds are from 0', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { stored, drawn } = await starts((action) => action);
  expectClose(stored, drawn, 1e-6);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

it('warns once where other actions were executed than decided, and takes latents of the prior for them', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { stored, drawn } = await starts((action) => Math.min(action + 0.1, 1001));
  expect(stored.filter((value, i) => Math.abs(value - drawn[i]!) < 1e-6).length).toBeLessThan(ROWS);
  expect(warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('latents'))).toHaveLength(1);
  warn.mockRestore();
});
