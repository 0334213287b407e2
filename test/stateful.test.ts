import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  type Agent,
  AugmentedMdp,
  agentClasses,
  BroAgent,
  DiffSacAgent,
  DiffWpoAgent,
  type Env,
  EpisodeStatistics,
  FrameStack,
  loadState,
  MountainCarContinuous,
  MultiGoal,
  NormaliseObservation,
  NormaliseReward,
  OrnsteinUhlenbeckSampler,
  Pendulum,
  ReplayBuffer,
  Rng,
  RunningMoments,
  type StateDict,
  type Stateful,
  SyncVectorEnv,
  TemperatureControl,
  TimeConditionedMlp,
  TimeLimit,
  TrainingRun,
  ValueTemperature,
  type VectorEnv,
} from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';
import { WorkerVectorEnv } from 'diffrl/node';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { StepCounter } from '../src/agents/stepCounter.js';
import { CheckpointError } from '../src/errors.js';
import { AugmentedRollout } from '../src/mdp/rollout.js';
import { Temperature } from '../src/objectives/temperature.js';
import { RewardScale } from '../src/ops/rewardScale.js';
import { variablesAsState } from '../src/ops/variables.js';
import { TrainingHistory } from '../src/training/history.js';
import { variants } from './agents/denoisingFixtures.js';
import { playStep } from './agents/dmerlFixtures.js';
import { env as spaces, transitions } from './agents/fixtures.js';
import { createSmall } from './agents/small.js';
import { TinyAgent } from './training/tinyAgent.js';

type Make = (seed: number) => Stateful | Promise<Stateful>;
const opened: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of opened) await close();
});

/** Plays some steps, more of them for a larger seed. */
async function played<E extends Env | VectorEnv>(env: E, seed: number): Promise<Stateful> {
  opened.push(() => env.close?.());
  const numEnvs = 'numEnvs' in env ? env.numEnvs : 1;
  await env.reset({ seed });
  for (let t = 0; t <= seed; t++) await env.step(new Float32Array(numEnvs * env.actionSpace.size).fill(0.1 * t));
  return env as unknown as Stateful;
}

async function learned<A extends Agent>(agent: A, seed: number): Promise<A> {
  for (let i = 0; i <= seed; i++) await playStep(agent, i, 8);
  opened.push(() => agent.dispose());
  return agent;
}

const network = (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
  new TimeConditionedMlp(rng, { ...sizes, hidden: [4], timeSize: 4 });
const offPolicy = { env: spaces, compile: false, criticHidden: [4], batchSize: 4 };
const walks = new URL('./node/makeWalk.ts', import.meta.url);
const execArgv = ['--import', new URL('../scripts/registerTsx.mjs', import.meta.url).href];

function moments(seed: number) {
  const moments = new RunningMoments(2);
  moments.add(Rng.fromSeed(seed).normals(2 * (seed + 1)));
  return moments;
}

async function temperature(seed: number) {
  const temperature = new Temperature();
  for (let i = 0; i <= seed; i++) tf.tidy(() => temperature.step(tf.scalar(i), 1));
  return temperature;
}

const everything: Record<string, Make> = {
  Rng: (seed) => Rng.fromSeed(seed),
  variables: (seed) => variablesAsState({ a: tf.variable(tf.scalar(seed)), b: tf.variable(tf.fill([2, 3], seed)) }),
  Adam: (seed) => {
    const adam = new Adam({ x: tf.variable(tf.ones([2])) });
    for (let i = 0; i < seed; i++) tf.tidy(() => adam.apply({ x: tf.ones([2]) }));
    return adam;
  },
  Temperature: temperature,
  'TemperatureControl, fixed': (seed) => new TemperatureControl(seed, 2),
  'TemperatureControl, automatic': (seed) => new TemperatureControl({ automatic: { initial: seed + 1 } }, 2),
  ValueTemperature: (seed) => {
    const level = new ValueTemperature();
    for (let i = 0; i < seed; i++) level.advance();
    return level;
  },
  StepCounter: (seed) => Object.assign(new StepCounter(), { value: seed }),
  ReplayBuffer: (seed) => {
    const replay = new ReplayBuffer({ observationSize: 3, actionSize: 2, capacity: 50 });
    replay.add(transitions(seed, 5 + seed));
    return replay;
  },
  AugmentedRollout: (seed) => {
    const rollout = new AugmentedRollout();
    const { observations, rewards, nextObservations, terminated, truncated } = transitions(seed, 4);
    const latents = { latents: new Float32Array(16), nextLatents: new Float32Array(8) };
    for (let i = 0; i < seed; i++) {
      rollout.add({ observations, rewards, nextObservations, terminated, truncated, ...latents });
    }
    return rollout;
  },
  RunningMoments: moments,
  RewardScale: (seed) => {
    const scale = new RewardScale(0.9);
    scale.add(Float32Array.of(seed, 2), [0, 0]);
    return scale;
  },
  TrainingHistory: (seed) => {
    const history = new TrainingHistory();
    for (let i = 0; i < seed; i++) history.episodes.push({ step: i, return: 2 * i, length: 3 });
    for (let i = 0; i < seed; i++) {
      history.evaluations.push({
        step: i,
        returns: [1, i],
        lengths: [5, 6],
        mean: 0.5 + i / 2,
        std: Math.abs(i - 1) / Math.SQRT2,
      });
    }
    return history;
  },
  Pendulum: (seed) => played(new Pendulum(), seed),
  MountainCarContinuous: (seed) => played(new MountainCarContinuous(), seed),
  MultiGoal: (seed) => played(new MultiGoal(), seed),
  'all wrappers': (seed) =>
    played(
      new FrameStack(
        new NormaliseReward(new NormaliseObservation(new EpisodeStatistics(new TimeLimit(new Pendulum(), 50)))),
        2,
      ),
      seed,
    ),
  AugmentedMdp: (seed) => played(new AugmentedMdp(new Pendulum(), { diffusionSteps: 4 }), seed),
  SyncVectorEnv: async (seed) => played(await SyncVectorEnv.create(2, () => new Pendulum()), seed),
  MujocoEnv: async (seed) => played(await makeMujoco('InvertedPendulum-v5'), seed),
  'MujocoEnv whose model is part of the state': async (seed) => played(await makeMujoco('Pusher-v4'), seed),
  WorkerVectorEnv: async (seed) => {
    const environment = { module: walks, export: 'makeWalk', args: [] };
    return played(await WorkerVectorEnv.create({ environment, numEnvs: 3, workers: 2, execArgv }), seed);
  },
  TrainingRun: async (seed) => {
    const env = new Pendulum({ maxEpisodeSteps: 3 });
    const run = new TrainingRun({ agent: new TinyAgent(env), env, seed });
    for (let i = 0; i < 4 + 3 * seed; i++) await run.advance();
    return run;
  },
  'BroAgent with a reset': async (seed) =>
    learned(
      await BroAgent.create({
        ...{ env: spaces, compile: false, batchSize: 4, updatesPerTransition: 0.5, resets: [16], seed },
        ...{ criticWidth: 4, criticBlocks: 1, actorWidth: 4, quantiles: 3 },
      }),
      seed,
    ),
  ...Object.fromEntries(
    Object.keys(agentClasses).map((name) => [
      name,
      async (seed: number) => learned(await createSmall(name, { compile: false, seed }), seed),
    ]),
  ),
  'DiffSacAgent with a trust region': async (seed) =>
    learned(
      await DiffSacAgent.create({
        ...offPolicy,
        sampler: new OrnsteinUhlenbeckSampler({ steps: 2, network }),
        trustRegion: {},
        seed,
      }),
      seed,
    ),
  'DiffWpoAgent on replayed latents': async (seed) =>
    learned(
      await DiffWpoAgent.create({
        ...offPolicy,
        sampler: new OrnsteinUhlenbeckSampler({ steps: 2, network }),
        latents: 'replay',
        seed,
      }),
      seed,
    ),
  ...Object.fromEntries(
    variants.map(([name, create]) => [name, async (seed: number) => learned((await create({ seed })) as never, seed)]),
  ),
};

/** All of a state as one text, quick to compare. */
function text(state: StateDict): string {
  const entries = Object.entries(state).map(([name, { shape, data }]) => {
    return `${name} [${shape}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`;
  });
  return entries.sort().join('\n');
}

/** Ways in which a state can be wrong, at the entry with number `at`. */
const damages: Record<string, (state: StateDict, name: string) => StateDict> = {
  missing: (state, name) => Object.fromEntries(Object.entries(state).filter(([other]) => other !== name)),
  short: (state, name) => ({ ...state, [name]: { ...state[name]!, data: state[name]!.data.slice(1) } }),
  long: (state, name) => {
    const { shape, data } = state[name]!;
    return { ...state, [name]: { shape, data: Float64Array.from([...data, 1]) } };
  },
  foreign: (state, name) => ({ ...state, [`${name}/strange`]: { shape: [1], data: Float64Array.of(1) } }),
  'without data': (state, name) => ({ ...state, [name]: { shape: state[name]!.shape, data: undefined as never } }),
};

const entryOf = (state: StateDict, at: number) => Object.keys(state)[Math.floor(at * Object.keys(state).length)]!;

describe.each(Object.entries(everything))('%s', (_, make) => {
  it('takes over a state, and refuses a damaged one without any change', { timeout: 30_000 }, async () => {
    const [one, other] = [await make(3), await make(1)];
    const [saved, before] = [await one.state(), text(await other.state())];
    expect(text(saved)).not.toBe(before);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(damages)),
        fc.double({ min: 0, max: 0.999 }),
        async (kind, at) => {
          const name = entryOf(saved, at);
          if (kind === 'short' && saved[name]!.data.length === 0) return;
          const damaged = damages[kind]!(saved, name);
          await expect(async () => other.prepare(damaged), `${kind} ${name}`).rejects.toThrow(CheckpointError);
          expect(text(await other.state()) === before, `${kind} ${name}: unchanged`).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
    await other.prepare(saved);
    expect(text(await other.state()) === before, 'prepared only').toBe(true);
    await loadState(other, saved);
    expect(text(await other.state()) === text(saved), 'loaded').toBe(true);
  });

  it('gives copies', async () => {
    const thing = await make(2);
    const [state, kept] = [await thing.state(), text(await thing.state())];
    for (const { data } of Object.values(state)) data.fill(7);
    expect(text(await thing.state()) === kept).toBe(true);
  });
});
