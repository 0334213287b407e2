import * as tf from '@tensorflow/tfjs-core';
import { type Agent, Box, DiffPpoAgent, DiffSacAgent, DiffWpoAgent, DimeAgent, dmerlSampler } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { someTransitions } from './dmerlFixtures.js';

const env = { observationSpace: Box.uniform(3), actionSpace: Box.uniform(2, -1, 1) };
const chain = (steps: number) => ({
  env,
  sampler: dmerlSampler({ steps, hidden: [256, 256] }),
  compile: false as const,
});
const common = (steps: number) => ({
  ...chain(steps),
  criticHidden: [256, 256],
  batchSize: 64,
  updatesPerTransition: 1 / 64,
});

const agents: Record<string, (steps: number) => Promise<Agent>> = {
  DiffSAC: (steps) => DiffSacAgent.create(common(steps)),
  'DiffSAC, replayed latents': (steps) =>
    DiffSacAgent.create({ ...common(steps), latents: 'replay', actionTarget: 'step' }),
  DiffWPO: (steps) => DiffWpoAgent.create(common(steps)),
  DiffPPO: (steps) =>
    DiffPpoAgent.create({
      ...chain(steps),
      valueHidden: [256, 256],
      rolloutSteps: 64,
      minibatchSize: 64,
      epochs: 1,
    }),
  DIME: (steps) => DimeAgent.create({ ...common(steps), policyDelay: 1 }),
};

/** Kernels run by a whole update, and the most bytes that it held at once above what there was before. */
async function profileOf(name: string, steps: number) {
  const agent = await agents[name]!(steps);
  const given = someTransitions(0, 64);
  const decision = await agent.act(given.observations);
  agent.observe({ ...given, actions: decision.actions }, decision);
  const before = tf.memory().numBytes;
  const { kernels, peakBytes } = await tf.profile(async () => void (await agent.update()));
  agent.dispose();
  return { kernels: kernels.length, bytes: peakBytes - before };
}

describe('a whole update, at K = 20 against K = 5', () => {
  it.each(['DiffSAC', 'DiffSAC, replayed latents', 'DiffWPO', 'DiffPPO'])(
    '%s: at most a tenth more bytes, those of the latents',
    async (name) => {
      const [five, twenty] = [await profileOf(name, 5), await profileOf(name, 20)];
      expect(twenty.bytes / five.bytes).toBeLessThan(1.1);
      if (name === 'DiffSAC, replayed latents') expect(twenty.kernels).toBe(five.kernels);
    },
  );

  it('DIME, through the whole chain: more than twice the bytes', async () => {
    const [five, twenty] = [await profileOf('DIME', 5), await profileOf('DIME', 20)];
    expect(twenty.bytes / five.bytes).toBeGreaterThan(2);
  });
});
