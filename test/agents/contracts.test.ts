import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  Box,
  CheckpointError,
  checkpoints,
  DimeAgent,
  type DimeOptions,
  DisposedError,
  EulerMaruyamaSampler,
  evaluate,
  MarkovEnv,
  NonFiniteError,
  Pendulum,
  Rng,
  readCheckpoint,
  type StateDict,
  TimeConditionedMlp,
  TrainingRun,
  train,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { env as spaces, transitions } from './fixtures.js';

const network = (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
  new TimeConditionedMlp(rng, { ...sizes, hidden: [4], timeSize: 4 });

function create(options: Partial<DimeOptions> = {}): Promise<DimeAgent> {
  const sampler = new EulerMaruyamaSampler({ steps: 2, network });
  return DimeAgent.create({
    ...{ env: spaces, sampler, criticHidden: [4], batchSize: 4, warmupSteps: 4, compile: false, seed: 1 },
    ...options,
  });
}

const pendulum = () => new Pendulum({ maxEpisodeSteps: 10 });
const small = { bufferCapacity: 100, policyDelay: 1 };

/** All of a state as one text. */
function text(state: StateDict): string {
  return JSON.stringify(Object.entries(state).map(([name, { data }]) => [name, [...data]]));
}

/** An environment whose observations and rewards may be of any size. */
class Scaled extends MarkovEnv<[number]> {
  readonly id = 'Scaled';
  readonly observationSpace = Box.uniform(3);
  readonly actionSpace = Box.uniform(1, -1, 1);
  constructor(
    private readonly reward: number,
    private readonly scale: number,
  ) {
    super({ stateSize: 1, maxEpisodeSteps: 20 });
  }
  protected start(rng: Rng): [number] {
    return [rng.normal()];
  }
  protected advance([x]: [number], [a]: number[]) {
    const y = 0.9 * x + 0.1 * a!;
    return { state: [y] as [number], reward: -this.reward * y * y, terminated: false };
  }
  protected observe([x]: [number]) {
    return Float32Array.of(x * this.scale, this.scale, -x * this.scale);
  }
}

describe('options', () => {
  it.each([
    [{ gama: 0.9 }, "DimeAgent: there is no option 'gama', did you mean 'gamma'?"],
    [{ lr: 1e-3 }, "there is no option 'lr'; there are seed, gamma, "],
    [{ updatesPerStep: 0 }, 'updatesPerStep must be a number > 0, got 0'],
    [{ criticHidden: 256 }, 'criticHidden must be a list of widths such as [256, 256], got 256'],
    [{ criticHidden: [1e15] }, 'criticHidden[0] must be an integer >= 1 and <= 65536'],
    [{ criticHidden: ['4'] }, "criticHidden[0] must be an integer >= 1 and <= 65536, got '4'"],
    [{ compile: 'no' }, "compile must be true, false or options of the engine, got 'no'"],
    [{ criticLearningRate: 'x' }, 'criticLearningRate must be a number >= 0 or a function of the step'],
    [{ support: { mim: 0 } }, "DimeAgent: support: there is no option 'mim', did you mean 'min'?"],
    [{ env: undefined }, 'env must be an environment'],
    [{ env: { ...spaces, actionSpace: { kind: 'discrete', n: 3 } } }, 'its actionSpace is'],
  ])('%o is refused by name', async (options, message) => {
    const before = tf.memory().numTensors;
    await expect(create(options as never)).rejects.toThrow(message);
    await expect(create(options as never)).rejects.toThrow(ArgumentError);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('nothing at all is refused by name', async () => {
    await expect(DimeAgent.create({} as never)).rejects.toThrow('DimeAgent: env must be an environment');
    await expect(DimeAgent.create(undefined as never)).rejects.toThrow('DimeAgent: env must be an environment');
  });

  it('stand in a table, and as plain JSON in checkpoints', async () => {
    const { gamma, updatesPerTransition } = DimeAgent.options;
    expect([gamma.allowed, gamma.defaultText]).toEqual(['number >= 0 and < 1', '0.99']);
    expect(updatesPerTransition.defaultText).toBe('2');
    const agent = await create({ support: { max: 50 } });
    expect(agent.options.support).toMatchObject({ min: -200, max: 50, atoms: 101 });
    expect(agent.config).toMatchObject({ gamma: 0.99, sampler: { type: 'EulerMaruyamaSampler', steps: 2 } });
    expect(JSON.parse(JSON.stringify(agent.config))).toEqual(agent.config);
  });

  it('a create that fails leaves the sampler and the memory as they were', async () => {
    const sampler = new EulerMaruyamaSampler({ steps: 2, network });
    const before = tf.memory().numTensors;
    await expect(create({ sampler, support: { min: 5, max: -5 } })).rejects.toThrow(ArgumentError);
    expect(tf.memory().numTensors).toBe(before);
    const agent = await create({ sampler });
    await expect(create({ sampler })).rejects.toThrow('give every agent a sampler of its own');
    agent.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('decisions', () => {
  it('come back, or are refused', async () => {
    const agent = await create();
    const data = transitions(0, 4);
    const decision = await agent.act(data.observations);
    const before = text(await agent.state());
    const { actions } = decision;
    expect(() => agent.observe({ ...data, actions }, { actions })).toThrow('must be what act() of this agent returned');
    expect(() => agent.observe({ ...data, actions }, 0 as never)).toThrow(ArgumentError);
    expect(() => agent.observe({} as never, null)).toThrow(ArgumentError);
    expect(text(await agent.state())).toBe(before);
    agent.observe({ ...data, actions }, decision);
    expect(agent.replay.size).toBe(4);
  });

  it('are kept in the digits that the policy gave', async () => {
    const wide = { observationSpace: Box.uniform(3), actionSpace: new Box([1000, 0], [1001, 1]) };
    const [narrow, shifted] = [await create(), await create({ env: wide })];
    const kept = [];
    for (const agent of [narrow, shifted]) {
      const data = transitions(0, 4);
      const decision = await agent.act(data.observations);
      agent.observe({ ...data, actions: decision.actions }, decision);
      kept.push(agent.replay.sample(8, Rng.fromSeed(0)).actions);
    }
    expect(kept[1]).toEqual(kept[0]);
  });

  it('act takes lists of numbers, and says what else it gets', async () => {
    const agent = await create();
    expect((await agent.act([0, 0, 0] as never)).actions.length).toBe(2);
    await expect(agent.act(undefined as never)).rejects.toThrow('must be a Float32Array or a list of numbers');
    await expect(agent.act([0, 0, '1'] as never)).rejects.toThrow(ArgumentError);
    await expect(agent.act([0, 0, Number.NaN] as never)).rejects.toThrow(NonFiniteError);
  });
});

describe('the ratio of updates to transitions', () => {
  it.each([
    [2, 1, 8],
    [1, 4, 16],
    [0.25, 1, 1],
    [0.3, 3, 3],
  ])('%d with %d environments: %i steps after four steps of all', async (updatesPerTransition, rows, expected) => {
    const agent = await create({ updatesPerTransition });
    agent.observe(transitions(9, 30), null);
    expect(await agent.update()).toEqual({});
    for (let i = 0; i < 4; i++) {
      const data = transitions(i, rows);
      const decision = await agent.act(data.observations);
      agent.observe({ ...data, actions: decision.actions }, decision);
      await agent.update();
    }
    expect(agent.updates).toBe(expected);
  });
});

describe('one thing at a time', () => {
  const ready = async () => {
    const agent = await create({ env: pendulum(), ...small });
    await train({ agent, env: pendulum(), steps: 8 });
    return agent;
  };

  it('calls at once are calls in a row', async () => {
    const [one, other] = [await ready(), await ready()];
    const observation = Float32Array.of(1, 0, 0);
    const [, , { actions }, state] = await Promise.all([one.learn(), one.learn(), one.act(observation), one.state()]);
    await other.learn();
    await other.learn();
    expect((await other.act(observation)).actions).toEqual(actions);
    expect(text(await other.state())).toBe(text(state));
  });

  it('a run that is saved during a step is saved as it is after it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const env = pendulum();
    const run = new TrainingRun({ agent: await create({ env, ...small }), env });
    for (let i = 0; i < 6; i++) await run.advance();
    await Promise.all([run.advance(), run.save(folder), run.advance()]);
    const twin = new TrainingRun({ agent: await create({ env: pendulum(), ...small }), env: pendulum() });
    await twin.restore(folder);
    expect(twin.step).toBe(7);
    await twin.advance();
    expect(text(await twin.agent.state())).toBe(text(await run.agent.state()));
    expect(text(await twin.state())).toBe(text(await run.state()));
  });

  it('observing during an update is refused', async () => {
    const agent = await ready();
    const learning = agent.learn();
    const data = { observations: new Float32Array(3), actions: new Float32Array(1), rewards: new Float32Array(1) };
    const rest = { nextObservations: new Float32Array(3), terminated: new Uint8Array(1), truncated: new Uint8Array(1) };
    expect(() => agent.observe({ ...data, ...rest }, null)).toThrow('an update is under way; await it first');
    await learning;
    agent.observe({ ...data, ...rest }, null);
  });

  it('after dispose every call says so, and what was under way has ended', async () => {
    const agent = await ready();
    const last = agent.learn();
    agent.dispose();
    agent.dispose();
    expect(Object.keys(await last)).toContain('criticLoss');
    for (const call of [
      () => agent.act(new Float32Array(3)),
      () => agent.update(),
      () => agent.state(),
      () => agent.save('nowhere'),
      () => agent.restore('nowhere'),
      () => agent.prepare({}),
      async () => agent.observe(transitions(0), null),
    ]) {
      await expect(call()).rejects.toThrow(DisposedError);
    }
  });
});

describe('evaluating', () => {
  it('gives the same for the same seed, and changes nothing', async () => {
    const agent = await create({ env: pendulum(), ...small });
    const before = text(await agent.state());
    const [first, second] = [
      await evaluate({ agent, env: pendulum(), episodes: 3, seed: 7 }),
      await evaluate({ agent, env: pendulum(), episodes: 3, seed: 7 }),
    ];
    expect(second).toEqual(first);
    expect((await evaluate({ agent, env: pendulum(), episodes: 3, seed: 8 })).returns).not.toEqual(first.returns);
    await agent.act(new Float32Array(3), { explore: false });
    expect(text(await agent.state())).toBe(before);
  });
});

describe.each([false, true])('an update that is not finite, compiled: %s', (compile) => {
  it.each([
    ['observations of 1e30', 1, 1e30, /observations reach/],
    ['rewards of 1e38', 1e38, 1, /rewards reach/],
  ])(
    '%s: changes no parameter, and training ends by name with its last checkpoint',
    async (_, reward, scale, cause) => {
      const world = new Scaled(reward, scale);
      const path = await mkdtemp(join(tmpdir(), 'diffrl-'));
      const agent = await create({ env: world, compile, critic: 'scalar', ...small });
      const callbacks = [checkpoints({ path, every: 1 })];
      const training = train({ agent, env: world, steps: 30, callbacks });
      await expect(training).rejects.toThrow(NonFiniteError);
      await expect(training).rejects.toThrow(
        /^train: at step 5: DIME.update: .* in gradient step 1, which has changed no/,
      );
      await expect(training).rejects.toThrow(cause);
      for (const [name, { data }] of Object.entries(await agent.state())) {
        if (!name.startsWith('replay/')) expect(data.every(Number.isFinite), name).toBe(true);
      }
      expect((await readCheckpoint(path)).training!.steps!.data[0]).toBe(4);
      agent.dispose();
    },
  );

  it('a learning rate that is not a number changes nothing', async () => {
    const agent = await create({ compile, criticLearningRate: () => tf.scalar(Number.NaN) });
    agent.observe(transitions(0), null);
    const before = Object.entries(await agent.state()).filter(([name]) => /^critic/.test(name));
    await expect(agent.learn()).rejects.toThrow(/a gradient or learning rate is not finite.*run away/);
    const after = Object.entries(await agent.state()).filter(([name]) => /^critic/.test(name));
    expect(text(Object.fromEntries(after))).toBe(text(Object.fromEntries(before)));
    agent.dispose();
  });
});

describe('checkpoints', () => {
  it('of other options are refused by name, and change nothing', async () => {
    const path = await mkdtemp(join(tmpdir(), 'diffrl-'));
    await (await create({ seed: 5 })).save(path);
    const other = await create({ gamma: 0.5, support: { min: -10, max: 10 } });
    const before = text(await other.state());
    await expect(other.restore(path)).rejects.toThrow(CheckpointError);
    await expect(other.restore(path)).rejects.toThrow(/gamma 0.99 instead of 0.5/);
    expect(text(await other.state())).toBe(before);
    await (await create({ compile: true })).restore(path);
  });
});
