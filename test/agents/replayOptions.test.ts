/** What every agent that learns from replay does with the discounts, weights and priorities of its replay. */
import {
  type Agent,
  Box,
  DimeAgent,
  EulerMaruyamaSampler,
  evaluate,
  linearDecay,
  MarkovEnv,
  prioritizedReplay,
  type ReplayBatch,
  ReplayBuffer,
  type ReplayFactory,
  type Rng,
  SacAgent,
  type StateArray,
  type StateDict,
  stepNetwork,
  train,
} from 'diffrl';
import { afterEach, describe, expect, it } from 'vitest';
import { namesOf } from '../../src/options.js';
import { env, transitions } from './fixtures.js';
import { type Learner, learners, smallLearner } from './learners.js';

const made: Agent[] = [];
afterEach(() => {
  for (const agent of made.splice(0)) agent.dispose();
});

/** A uniform replay whose batches are changed. */
function changed(change: (batch: ReplayBatch) => Partial<ReplayBatch>): ReplayFactory {
  return (options) => {
    const buffer = new ReplayBuffer(options);
    return {
      get size() {
        return buffer.size;
      },
      add: (transitions) => buffer.add(transitions),
      sample: (rows, rng) => {
        const batch = buffer.sample(rows, rng);
        return { ...batch, ...change(batch) };
      },
      rewriteActions: (batch, actions) => buffer.rewriteActions(batch, actions),
      state: () => buffer.state(),
      prepare: (saved) => buffer.prepare(saved),
    };
  };
}

const constant = (value: number) => (batch: ReplayBatch) => batch.rewards.map(() => value);

async function state(agent: Agent, wanted: RegExp): Promise<StateDict> {
  return Object.fromEntries(Object.entries(await agent.state()).filter(([name]) => wanted.test(name)));
}

it('a replay that keeps no discounts is refused for returns of several steps', async () => {
  const learn = async (nStep: number, terminated: number) => {
    const replay = changed(() => ({ discounts: undefined }));
    const agent = await smallLearner(learners.find(([name]) => name === 'sac')!, { replay, nStep });
    made.push(agent);
    const data = transitions(0);
    agent.observe({ ...data, terminated: data.terminated.fill(terminated) }, null);
    return agent.learn();
  };
  await expect(learn(1, 0)).resolves.toHaveProperty('criticLoss');
  await expect(learn(3, 1)).rejects.toThrow(/SAC: replay.sample gave a batch without discounts, which nStep 3 needs/);
});

describe.each(learners)('%s', (name, Class, table) => {
  const create = async (options: object): Promise<Learner> => {
    const agent = await smallLearner([name, Class, table], options);
    made.push(agent);
    return agent;
  };
  const learned = async (options: object, terminated = 0) => {
    const agent = await create(options);
    const data = transitions(0);
    agent.observe({ ...data, terminated: data.terminated.fill(terminated) }, null);
    await agent.learn();
    return agent;
  };
  const moments = async (agent: Agent) => {
    const first = Object.values(await state(agent, /^criticAdam\/first\//));
    expect(first.length).toBeGreaterThan(0);
    return first.flatMap(({ data }) => [...data].map(Math.abs)).reduce((sum, x) => sum + x, 0);
  };

  it('rows of weight 0 leave the critics alone, weights of 1/2 halve their gradients', async () => {
    const sizes: number[] = [];
    for (const weight of [0, 0.5, 1]) {
      sizes.push(await moments(await learned({ replay: changed((batch) => ({ weights: constant(weight)(batch) })) })));
    }
    expect(sizes[0]).toBe(0);
    expect(sizes[2]).toBeGreaterThan(0);
    // Gradients are clipped in some agents, so that halving can do less than halve, never nothing at all.
    expect(sizes[1]).toBeLessThanOrEqual(sizes[2]! * (1 + 1e-6));
    expect(sizes[1]).toBeGreaterThanOrEqual(sizes[2]! * (0.5 - 1e-6));
  });

  it('a discount of 0 is a termination, one of gamma is none', async () => {
    for (const [discount, terminated] of [
      [0, 1],
      [0.99, 0],
    ] as const) {
      const told = await learned({
        gamma: 0.99,
        replay: changed((batch) => ({ discounts: constant(discount)(batch) })),
      });
      const seen = await learned({ gamma: 0.99 }, terminated);
      const [ours, theirs] = [await state(told, /^(?!replay\/)/), await state(seen, /^(?!replay\/)/)];
      expect(Object.keys(ours)).toEqual(Object.keys(theirs));
      const apart = ([name, { data }]: [string, StateArray]) =>
        Array.from(data, (x, i) => Math.abs(Number(x) - Number(theirs[name]!.data[i]))).filter((gap) => gap > 1e-5)
          .length;
      expect(
        Object.entries(ours)
          .filter((entry) => apart(entry))
          .map(([name]) => name),
      ).toEqual([]);
    }
  });

  it('has Adam options, and rates that follow a schedule', async () => {
    const names = namesOf(table);
    const adams = names.filter((name) => /^adam$|Adam$/.test(name));
    const rates = names.filter((name) => /LearningRate$/.test(name) && /function/.test(table[name]!.allowed));
    expect([adams.length > 0, rates.length > 1]).toEqual([true, true]);
    const given = (beta1: number) => [
      ...adams.map((name) => [name, { beta1 }]),
      ...rates.map((name) => [name, linearDecay({ from: 1e-3, to: 0, over: 10 })]),
    ];
    const [half, tenth] = [0.5, 0.9].map(async (beta1) => moments(await learned(Object.fromEntries(given(beta1)))));
    expect((await half!) / (await tenth!)).toBeCloseTo(5, 3);
  });

  it('with n steps and priorities it goes on bit for bit, compiled', { timeout: 30_000 }, async () => {
    const options = { replay: prioritizedReplay(), nStep: 3, compile: true };
    const [first, second] = [await create(options), await create({ ...options, seed: 5 })];
    const play = async (agent: Agent, from: number) => {
      for (let t = from; t < from + 4; t++) {
        const data = { ...transitions(t, 4), nextObservations: transitions(t + 1, 4).observations };
        const decision = await agent.act(data.observations);
        agent.observe({ ...data, actions: decision.actions }, decision);
        await agent.update();
      }
    };
    await play(first, 0);
    const priorities = (await state(first, /priorities$/))['replay/replay/priorities']!.data;
    expect(new Set(priorities).size).toBeGreaterThan(4);
    await (await second.prepare(await first.state()))();
    for (const agent of [first, second]) await play(agent, 4);
    expect(await second.state()).toEqual(await first.state());
    expect(first.updates).toBeGreaterThan(0);
  });
});

it('what makes no replay, or one of other sizes, is refused by name', async () => {
  await expect(SacAgent.create({ env, replay: 'prioritized' as never })).rejects.toThrow(
    "replay must be a function such as prioritizedReplay(), got 'prioritized'",
  );
  await expect(SacAgent.create({ env, replay: () => ({}) as never })).rejects.toThrow('has no add()');
  const replay = changed(() => ({ weights: new Float32Array(3) }));
  const agent = await SacAgent.create({ env, batchSize: 8, hidden: [4], replay, compile: false });
  made.push(agent);
  agent.observe(transitions(0), null);
  await expect(agent.learn()).rejects.toThrow('SAC: replay.sample: weights must have 8 numbers');
});

/** A point on a line that is pushed to 0 in 10 steps: about -4 at random, -0.3 at best. */
class Line extends MarkovEnv<[number]> {
  readonly id = 'Line';
  readonly observationSpace = Box.uniform(1);
  readonly actionSpace = Box.uniform(1, -1, 1);
  constructor() {
    super({ stateSize: 1, maxEpisodeSteps: 10 });
  }
  protected start(rng: Rng): [number] {
    return [rng.uniform(-1, 1)];
  }
  protected advance([x]: [number], [push]: number[]) {
    const moved = Math.min(Math.max(x + 0.5 * push!, -1), 1);
    return { state: [moved] as [number], reward: -moved * moved, terminated: false };
  }
  protected observe([x]: [number]) {
    return Float32Array.of(x);
  }
}

const learning = {
  ...{ env: new Line(), gamma: 0.9, batchSize: 32, warmupSteps: 200, seed: 1 },
  ...{ nStep: 3, replay: prioritizedReplay(), temperature: 0.1, actorLearningRate: 3e-3, criticLearningRate: 3e-3 },
};
const chain = () => new EulerMaruyamaSampler({ steps: 2, network: stepNetwork({ hidden: [32], timeSize: 8 }) });

it.each([
  ['SAC', () => SacAgent.create({ ...learning, hidden: [32, 32], targetRate: 0.05 })],
  [
    'DIME',
    () =>
      DimeAgent.create({
        ...{ ...learning, criticHidden: [32, 32], updatesPerTransition: 1, policyDelay: 1 },
        ...{ support: { min: -10, max: 2 }, sampler: chain() },
      }),
  ],
] as const)('%s learns with three steps and priorities: over -0.8, -4 at random', async (_, make) => {
  const agent = await make();
  made.push(agent);
  const returns = async () => (await evaluate({ agent, env: new Line(), episodes: 20 })).mean;
  expect(await returns()).toBeLessThan(-1.5);
  await train({ agent, env: new Line(), seed: 1, steps: 800 });
  expect(await returns()).toBeGreaterThan(-0.8);
});
