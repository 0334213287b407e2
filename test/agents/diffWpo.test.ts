import { DiffSacAgent, DiffWpoAgent, type DiffWpoOptions, dmerlSampler, type StateDict } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectSameState, someTransitions, spaces } from './dmerlFixtures.js';

// What DiffWPO shares with DiffSAC (learning, saving, compiling, leaks) is tested in diffSac.test.ts for both.

const small = () => ({
  env: spaces,
  sampler: dmerlSampler({ steps: 3, hidden: [16], learnDiffusion: false }),
  criticHidden: [16],
  batchSize: 8,
  actorLearningRate: 1e-3,
  compile: false,
});

const wpo = (options: Partial<DiffWpoOptions> = {}) =>
  DiffWpoAgent.create({ ...small(), trustRegion: false, ...options });

/** Updates from the same transitions; the metrics of the last. */
async function updates(agent: DiffSacAgent | DiffWpoAgent, count: number) {
  agent.observe(someTransitions(0, 20), null);
  for (let i = 1; i < count; i++) await agent.learn();
  return agent.learn();
}

const actorOf = (state: StateDict): StateDict =>
  Object.fromEntries(Object.entries(state).filter(([name]) => name.startsWith('actor/')));

describe('DiffWpoAgent', () => {
  it('under natural rescaling updates the control as DiffSAC with pathOnly does (1e-5)', async () => {
    const agent = await wpo();
    const sac = await DiffSacAgent.create({ ...small(), pathOnly: true, actorAdam: { updateClip: false } });
    await updates(agent, 3);
    await updates(sac, 3);
    expectSameState(await agent.state(), await sac.state(), 1e-5);
  });

  it('rescales as told: Adam takes off what relative and natural differ by, not what none weighs (1e-4)', async () => {
    const [natural, relative, none] = await Promise.all(
      (['natural', 'relative', 'none'] as const).map(async (rescale) => {
        const agent = await wpo({ rescale });
        const { actorLoss } = await updates(agent, 1);
        return { actorLoss: actorLoss as number, actor: actorOf(await agent.state()) };
      }),
    );
    expect(relative!.actorLoss).not.toBeCloseTo(natural!.actorLoss, 3);
    expectSameState(relative!.actor, natural!.actor, 1e-4);
    expect(() => expectSameState(none!.actor, natural!.actor, 1e-3)).toThrow();
  });

  it('leaves the diffusion coefficient as it is', async () => {
    const agent = await wpo({ sampler: dmerlSampler({ steps: 3, hidden: [16] }) });
    const before = actorOf(await agent.state());
    await updates(agent, 3);
    const after = actorOf(await agent.state());
    for (const name of ['actor/stepSize', 'actor/friction']) expect(after[name]).toEqual(before[name]);
    expect(after['actor/control/trunk/kernel0']).not.toEqual(before['actor/control/trunk/kernel0']);
  });
});

describe('its trust region', () => {
  const region = { multiplier: 0.5, multiplierLearningRate: 0, bound: 1e-9 };

  it('with switch: transitions outside of it are pulled back and nothing else', async () => {
    const agent = await wpo({ trustRegion: { ...region, mode: 'switch' } });
    const first = await updates(agent, 1);
    expect(first.chainKl).toBe(0); // around itself: all inside
    expect(first.actorLoss).not.toBe(0);
    const { actorLoss, chainKl } = (await agent.learn()) as Record<'actorLoss' | 'chainKl', number>;
    expect(chainKl).toBeGreaterThan(1e-6);
    expect(actorLoss / (0.5 * chainKl)).toBeCloseTo(1, 4);
  });

  it('with sum: every loss pays for its divergence', async () => {
    const free = await updates(await wpo(), 2);
    const { actorLoss, chainKl } = await updates(await wpo({ trustRegion: { ...region, mode: 'sum' } }), 2);
    expect(chainKl).toBeGreaterThan(1e-6);
    expect(actorLoss as number).toBeCloseTo((free.actorLoss as number) + 0.5 * (chainKl as number), 5);
  });

  it('moves along with the policy every `period` updates', async () => {
    const agent = await wpo({ trustRegion: { ...region, period: 2 } });
    const kls = [(await updates(agent, 1)).chainKl];
    for (let i = 1; i < 4; i++) kls.push((await agent.learn()).chainKl);
    expect(kls.map((kl) => kl === 0)).toEqual([true, false, true, false]);
  });

  it('is weighed more as long as the divergence is above the bound', async () => {
    const agent = await wpo({ trustRegion: { ...region, multiplierLearningRate: 0.1 } });
    const logWeight = async () => (await agent.state())['trustRegion/multiplier/log']!.data[0]!;
    await updates(agent, 1);
    const before = await logWeight();
    await agent.learn();
    expect(await logWeight()).toBeGreaterThan(before);
  });
});
