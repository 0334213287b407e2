/** Every public method of what the library makes gets nonsense: a result, or an error of diffrl's own and nothing changed. */
import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  AugmentedMdp,
  Box,
  ClipAction,
  ConsistencySampler,
  DdpmSampler,
  DiffrlError,
  DimeAgent,
  Discrete,
  type Env,
  EpisodeStatistics,
  EulerMaruyamaSampler,
  encodeOnnx,
  FlowSampler,
  FrameStack,
  GaussianSampler,
  GeneralBridgeSampler,
  loadPolicy,
  Microscope,
  MountainCarContinuous,
  MultiGoal,
  NormaliseObservation,
  NormaliseReward,
  NStepReplay,
  OrnsteinUhlenbeckSampler,
  Pendulum,
  PrioritizedReplay,
  ReplayBuffer,
  RescaleAction,
  Rng,
  RunningMoments,
  SacAgent,
  SyncVectorEnv,
  stepNetwork,
  Temperature,
  TemperatureControl,
  TimeLimit,
  TrainingHistory,
  TrainingRun,
  ValueTemperature,
  type VectorEnv,
  Wrapper,
} from 'diffrl';
import { FrameRecorder, Hand, type MujocoEnv, makeMujoco } from 'diffrl/mujoco';
import { WorkerVectorEnv } from 'diffrl/node';
import { connectEnv, connectVectorEnv, serveEnv } from 'diffrl/remote';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { transitions as columns } from './agents/fixtures.js';
import { mistakes } from './mistakes.js';
import { TinyAgent } from './training/tinyAgent.js';

// biome-ignore lint/suspicious/noExplicitAny: the point is to hand over anything
type Anything = any;
/** Calls of each thing; `FUZZ_RUNS=1000 npx vitest run test/fuzzMethods`. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 100);

interface Subject {
  make(): Anything;
  /** Right arguments of each method. */
  calls: Record<string, (thing: Anything) => unknown[] | Promise<unknown[]>>;
  /** What must stay as it is after an error; default: all that can be reached from the thing. */
  seen?(thing: Anything): Anything;
  /** Whether making it takes long, so that one is used for all calls. */
  once?: boolean;
}

const rng = () => Rng.fromSeed(7);
const none = () => [];
const stateful = { state: none, prepare: async (thing: Anything) => [await thing.state()] };
const snapshots = { ...stateful, snapshot: none };
const temperatures = { value: none, ...stateful, dispose: none };
const transitions = () => columns(1, 4);
const sizes = { observationSize: 3, actionSize: 2 };
const filled = <R extends { add(rows: object): unknown }>(replay: R): R => {
  replay.add(transitions());
  return replay;
};
const replays = { add: () => [transitions()], sample: () => [2, rng()], ...snapshots };
const batches = { rewriteActions: (replay: Anything) => [replay.sample(2, rng()), new Float32Array(4)] };
const learned = (replay: Anything) => [replay.sample(2, rng()), new Float32Array(2)];

async function started<E extends Env | VectorEnv>(env: E): Promise<E> {
  await env.reset({ seed: 1 });
  return env;
}
const numbersFor = ({ numEnvs = 1, actionSpace }: Anything) => [new Float32Array(numEnvs * actionSpace.size)];
const envs = { reset: () => [{ seed: 1 }], step: numbersFor };
const wrappers = { ...envs, close: none };

const network = stepNetwork({ hidden: [4], timeSize: 4 });
const gates = stepNetwork({ hidden: [4], timeSize: 4, outputs: 4 });
const chain = { steps: 2, network };
const rows = tf.zeros<tf.Rank.R2>([2, 3]);
const noiseFor = (sampler: Anything) => tf.zeros(sampler.noiseShape(2));
const policies = {
  build: () => [rng(), sizes],
  noiseShape: () => [2],
  actions: (sampler: Anything) => [rows, noiseFor(sampler), 'sde'],
  twin: none,
  dispose: none,
};
const samplers = {
  ...policies,
  sample: (sampler: Anything) => [
    rows,
    noiseFor(sampler),
    { trajectory: 'pathwise', groupSize: 1, trainDiffusion: true, training: false },
  ],
  divergence: (sampler: Anything) => [sampler.sample(rows, noiseFor(sampler)), tf.zeros([2])],
};
const chains = {
  ...samplers,
  bind: () => [rows, { groupSize: 1, trainDiffusion: true }],
  latents: (sampler: Anything) => [rows, noiseFor(sampler)],
};
const built = <S extends { build(rng: Rng, sizes: object): S }>(sampler: S) => sampler.build(rng(), sizes);

const mujoco = async () => started((await makeMujoco('InvertedPendulum-v5')).unwrapped);
const ofMujoco = async (env: MujocoEnv) => [await env.state(), (env as Anything).phase, env.simulation.warnings()];
const walks = new URL('./node/makeWalk.ts', import.meta.url);
const execArgv = ['--import', new URL('../scripts/registerTsx.mjs', import.meta.url).href];
const served = serveEnv(() => new Pendulum(), { numEnvs: 2 });
const ofEnv = async (env: Anything) => [await env.state(), env.phase];

const subjects: Record<string, Subject> = {
  Rng: {
    make: rng,
    calls: {
      split: () => ['a'],
      uint32: none,
      uniform: () => [0, 1],
      integer: () => [3],
      integers: () => [2, 3],
      normal: () => [0, 1],
      normals: () => [2, 0, 1],
      truncatedNormals: () => [2, 1],
      uniforms: () => [2, 0, 1],
      ...stateful,
    },
  },
  Box: {
    make: () => new Box([-1, 0], [1, 2]),
    calls: { contains: () => [[0, 0]], clip: () => [[3, 3]], sample: () => [rng()] },
  },
  Discrete: { make: () => new Discrete(3), calls: { contains: () => [[0]], sample: () => [rng()] } },
  RunningMoments: {
    make: () => {
      const moments = new RunningMoments(2);
      moments.add([1, 2, 3, 4]);
      return moments;
    },
    calls: {
      add: () => [[1, 2]],
      std: () => [0],
      normalise: () => [Float32Array.of(1, 2)],
      asProgram: none,
      ...stateful,
    },
  },
  TrainingHistory: { make: () => new TrainingHistory(), calls: { recentReturn: () => [10], ...stateful } },
  Temperature: { make: () => new Temperature(), calls: { ...temperatures, step: () => [tf.scalar(1), -1] } },
  TemperatureControl: {
    make: () => new TemperatureControl({ anneal: { from: 1, to: 0, duration: 10 } }, 2),
    calls: { ...temperatures, read: none, at: () => [3], step: () => [tf.scalar(1)] },
  },
  'TemperatureControl, automatic': {
    make: () => new TemperatureControl({ automatic: {} }, 2),
    calls: { ...temperatures, read: none, at: () => [3], step: () => [tf.scalar(1)] },
  },
  ValueTemperature: { make: () => new ValueTemperature(), calls: { advance: none, ...stateful } },
  Adam: {
    make: () => new Adam({ w: tf.variable(tf.ones([2])) }),
    calls: { apply: () => [{ w: tf.ones([2]) }], ...stateful, dispose: none },
  },
  ReplayBuffer: {
    make: () => filled(new ReplayBuffer({ ...sizes, capacity: 9 })),
    calls: { ...replays, ...batches, at: () => [[0, 1]] },
  },
  PrioritizedReplay: {
    make: () => filled(new PrioritizedReplay({ ...sizes, capacity: 9 })),
    calls: { ...replays, ...batches, learned },
  },
  NStepReplay: {
    make: () => {
      const inner = new PrioritizedReplay({ ...sizes, capacity: 9, discounts: true });
      const replay = new NStepReplay({ ...sizes, steps: 2, gamma: 0.9 }, inner);
      for (let i = 0; i < 3; i++) replay.add(transitions());
      return replay;
    },
    calls: { ...replays, ...batches, learned },
  },
  GaussianSampler: {
    make: () => built(new GaussianSampler({ hidden: [4] })),
    calls: { ...samplers, moments: () => [rows, false] },
  },
  FlowSampler: { make: () => built(new FlowSampler({ steps: 2, network: gates, stdHidden: [4] })), calls: samplers },
  EulerMaruyamaSampler: { make: () => built(new EulerMaruyamaSampler(chain)), calls: chains },
  OrnsteinUhlenbeckSampler: { make: () => built(new OrnsteinUhlenbeckSampler(chain)), calls: chains },
  GeneralBridgeSampler: { make: () => built(new GeneralBridgeSampler(chain)), calls: chains },
  DdpmSampler: {
    make: () => built(new DdpmSampler(chain)),
    calls: {
      ...policies,
      actions: (sampler) => [rows, noiseFor(sampler), 1],
      chain: (sampler) => [rows, noiseFor(sampler), 1],
      bind: () => [rows, { groupSize: 1 }],
      predictNoise: () => [tf.zeros([2, 2]), rows, tf.zeros([2])],
      score: () => [tf.zeros([2, 2]), rows, tf.zeros([2])],
      observationNoise: () => [new Float32Array(6), 1],
    },
  },
  ConsistencySampler: {
    make: () => built(new ConsistencySampler({ steps: 2, network })),
    calls: { ...policies, actions: (sampler) => [rows, noiseFor(sampler), 1], coefficients: () => [1] },
  },
  'a sampler that is not built': {
    make: () => new EulerMaruyamaSampler(chain),
    calls: {
      ...{ build: policies.build, noiseShape: policies.noiseShape, twin: none, dispose: none },
      ...{ actions: () => [rows, tf.zeros([3, 2, 2]), 'sde'], latents: () => [rows, tf.zeros([3, 2, 2])] },
      ...{ sample: () => [rows, tf.zeros([3, 2, 2]), {}], bind: () => [rows, {}] },
      divergence: () => [{ totalCost: tf.zeros([2]) }, tf.zeros([2])],
    },
  },
  Pendulum: { make: () => started(new Pendulum()), calls: { ...envs, ...stateful } },
  MountainCarContinuous: { make: () => started(new MountainCarContinuous()), calls: { ...envs, ...stateful } },
  MultiGoal: {
    make: () => started(new MultiGoal()),
    calls: { ...envs, ...stateful, nearestGoal: () => [[1, 2]] },
  },
  Wrapper: { make: () => started(new Wrapper(new Pendulum())), calls: { ...wrappers, ...stateful } },
  ClipAction: { make: () => started(new ClipAction(new Pendulum())), calls: { ...wrappers, ...stateful } },
  EpisodeStatistics: {
    make: () => started(new EpisodeStatistics(new Pendulum())),
    calls: { ...wrappers, ...stateful },
  },
  FrameStack: { make: () => started(new FrameStack(new Pendulum(), 2)), calls: { ...wrappers, ...stateful } },
  NormaliseObservation: {
    make: () => started(new NormaliseObservation(new Pendulum())),
    calls: { ...wrappers, ...stateful },
  },
  NormaliseReward: { make: () => started(new NormaliseReward(new Pendulum())), calls: { ...wrappers, ...stateful } },
  RescaleAction: { make: () => started(new RescaleAction(new Pendulum())), calls: { ...wrappers, ...stateful } },
  TimeLimit: { make: () => started(new TimeLimit(new Pendulum(), 9)), calls: { ...wrappers, ...stateful } },
  AugmentedMdp: {
    make: () => started(new AugmentedMdp(new Pendulum(), { diffusionSteps: 2 })),
    calls: { ...wrappers, ...stateful },
  },
  SyncVectorEnv: {
    make: async () => started(await SyncVectorEnv.create(2, () => new Pendulum())),
    calls: { ...wrappers, ...stateful },
  },
  WorkerVectorEnv: {
    make: async () => {
      const environment = { module: walks, export: 'makeWalk', args: [] };
      return started(await WorkerVectorEnv.create({ environment, numEnvs: 2, workers: 1, execArgv }));
    },
    calls: { ...envs, ...stateful },
    seen: ofEnv,
    once: true,
  },
  RemoteEnv: {
    make: async () => started(await connectEnv((await served).address)),
    calls: { ...envs, ...stateful },
    seen: (env) => env.state(),
    once: true,
  },
  RemoteVectorEnv: {
    make: async () => started(await connectVectorEnv((await served).address, { numEnvs: 2 })),
    calls: { ...envs, ...stateful },
    seen: (env) => env.state(),
    once: true,
  },
  TrainingRun: {
    make: () => new TrainingRun({ agent: new TinyAgent(new Pendulum()), env: new Pendulum() }),
    calls: {
      advance: none,
      stop: () => ['enough'],
      isDue: () => [10],
      checkpoint: none,
      load: async (run) => [await run.checkpoint(), false],
      restore: () => ['nowhere'],
      save: () => ['/dev/null/run'],
      ...stateful,
    },
    seen: (run) => [run.agent.state(), run.state(), run.stopped],
  },
  Policy: {
    make: async () => {
      const agent = await SacAgent.create({ env: new Pendulum(), hidden: [4], compile: false });
      return loadPolicy(await encodeOnnx(agent));
    },
    calls: { act: () => [new Float32Array(3)] },
    seen: () => [],
    once: true,
  },
  Microscope: {
    make: async () => {
      const env = new Pendulum();
      const sampler = new EulerMaruyamaSampler(chain);
      const agent = await DimeAgent.create({ env, sampler, compile: false });
      return Microscope.create(agent, { samples: 2, resolution: 3, compile: false });
    },
    calls: { look: () => [new Float32Array(3), { dimensions: [0], seed: 1 }] },
    seen: () => [],
    once: true,
  },
  MujocoEnv: {
    make: mujoco,
    calls: { ...envs, ...stateful, observe: none, start: () => [{ qpos: [0, 0], qvel: [0, 0] }] },
    seen: ofMujoco,
    once: true,
  },
  Simulation: {
    make: async () => (await mujoco()).simulation,
    calls: {
      array: () => ['qpos'],
      id: () => ['joint', 'slider'],
      bodyPosition: () => ['cart'],
      bodyOrientation: () => ['cart'],
      geomPosition: () => ['cart'],
      sitePosition: () => ['none'],
      sensor: () => ['none'],
      jointPosition: () => ['slider'],
      jointVelocity: () => ['slider'],
      reset: () => [undefined],
      forward: none,
      step: () => [1],
      stepOnce: none,
      advance: (simulation) => [1, () => simulation.stepOnce()],
      warnings: none,
      requireOpen: none,
      ...stateful,
    },
    seen: (simulation) => simulation.state(),
    once: true,
  },
  FrameRecorder: {
    make: async () => started(new FrameRecorder(await mujoco(), { width: 64 })),
    calls: { ...envs, ...stateful },
    seen: async (env) => [await ofMujoco(env.env), env.frames.length],
    once: true,
  },
  Hand: {
    make: async () => new Hand(await mujoco()),
    calls: { grab: () => [1, [0, 0, 0]], moveTo: () => [[0, 0, 1]], release: none },
    seen: (hand) => [hand.held, hand.simulation.state()],
    once: true,
  },
};

/** Names that TypeScript hides from users, by class. */
const hidden = new Map<string, Set<string>>();
for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue;
  let own = new Set<string>();
  for (const line of readFileSync(`src/${file}`, 'utf8').split('\n')) {
    const [, name] = /^(?:export )?(?:abstract )?class (\w+)/.exec(line) ?? [];
    if (name) {
      own = hidden.get(name) ?? new Set();
      hidden.set(name, own);
    }
    const isHidden =
      /^ {2,4}(?:(?:protected )?constructor\()?(?:private|protected) (?:(?:abstract|override|readonly|async) )*(\w+)/;
    const [, member] = isHidden.exec(line) ?? [];
    if (member) own.add(member);
  }
}

/** The public methods of `thing`, inherited ones too. */
function methodsOf(thing: object): string[] {
  const prototypes: object[] = [];
  for (let at = thing; at !== Object.prototype; at = Object.getPrototypeOf(at)) prototypes.push(at);
  const names = prototypes.flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
      .map(([name]) => name),
  );
  const isHidden = (name: string) =>
    prototypes.some((prototype) => hidden.get(prototype.constructor.name.replace(/^_|\d+$/g, ''))?.has(name));
  return [...new Set(names)].filter((name) => !isHidden(name));
}

/** All that can be reached from `value`, as text. */
function contents(value: Anything, known = new Map<object, number>()): string {
  if (value instanceof tf.Tensor) return value.isDisposed ? 'disposed' : `[${value.dataSync()}]`;
  if (typeof value === 'function' || typeof value !== 'object' || value === null) return String(value);
  if (known.has(value)) return `#${known.get(value)}`;
  known.set(value, known.size);
  if (ArrayBuffer.isView(value)) return `[${value}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([name, entry]) => `${String(name)}: ${contents(entry, known)}`).join()}}`;
}

async function textOf({ seen = (thing) => thing }: Subject, thing: Anything): Promise<string> {
  const parts = await seen(thing);
  return contents(Array.isArray(parts) ? await Promise.all(parts) : parts);
}

/** What people hand over by mistake. */
const nonsense = fc.constantFrom<unknown>(
  ...mistakes,
  ...['abc', 3, [Number.NaN], Symbol('s'), 10n, new Map(), new Float32Array(0), Float32Array.of(1, Number.NaN)],
  ...[{ seed: 'x' }, { seed: -1 }, { explore: 3 }, { length: 3 }, { rewards: null }, { qpos: ['x', 1] }, { state: {} }],
  ...[[Symbol('s')], [3n], tf.scalar(1)],
);
/** What is right nowhere. */
const never = [Symbol('s'), 10n, new Date(0), new Map([[1, 1]]), Number.NaN, true, { zzz: 1 }];
const ANSWERS_NO = /\.contains$/;

/** `args` with one of them, or one entry of one of them, replaced by `value`. */
function spoiled(args: readonly unknown[], at: number, entry: number, value: unknown): unknown[] {
  const wrong = [...args];
  const index = Math.floor(at * args.length);
  const arg = args[index] as Anything;
  const names = arg && Object.getPrototypeOf(arg) === Object.prototype ? Object.keys(arg) : [];
  const name = names[Math.floor((2 * entry - 1) * names.length)];
  wrong[index] = name === undefined ? value : { ...arg, [name]: value };
  return wrong;
}

const made = new Map<string, Anything>();
async function thingOf(name: string): Promise<Anything> {
  const { make, once } = subjects[name]!;
  if (!once) return make();
  if (!made.has(name)) made.set(name, await make());
  return made.get(name);
}
afterAll(async () => {
  for (const thing of made.values()) await (thing.close ?? thing.dispose)?.call(thing);
  await (await served).close();
});
const share = () => fc.double({ min: 0, max: 0.999, noNaN: true });

describe.each(Object.entries(subjects))('%s', (name, subject) => {
  it('answers nonsense with a result, or with an error of diffrl and no change', { timeout: 120_000 }, async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const faults = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        ...[fc.constantFrom(...Object.keys(subject.calls)), fc.array(nonsense, { maxLength: 3 })],
        ...[fc.boolean(), share(), share()],
        async (method, args, allWrong, at, entry) => {
          const thing = await thingOf(name);
          const right = await subject.calls[method]!(thing);
          const before = await textOf(subject, thing);
          try {
            await thing[method](...(allWrong || !right.length ? args : spoiled(right, at, entry, args[0])));
          } catch (error) {
            const { name: kind, message } = error as Error;
            if (!(error instanceof DiffrlError)) faults.add(`${method}: ${kind}: ${message.slice(0, 90)}`);
            if ((await textOf(subject, thing)) !== before) faults.add(`${method} changed: ${message.slice(0, 90)}`);
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect([...faults]).toEqual([]);
  });

  it('refuses what is right nowhere, in place of any argument', { timeout: 120_000 }, async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const accepted: string[] = [];
    for (const [method, right] of Object.entries(subject.calls)) {
      for (const value of ANSWERS_NO.test(`.${method}`) ? [] : never) {
        const { length } = await right(await thingOf(name));
        for (let at = 0; at < length; at++) {
          const thing = await thingOf(name);
          const given = await right(thing);
          if (typeof given[at] === typeof value && typeof value === 'boolean') continue;
          given[at] = value;
          const refused = await (async () => thing[method](...given))().then(
            () => false,
            () => true,
          );
          if (!refused) accepted.push(`${method}, argument ${at}: ${String(value)}`);
        }
      }
    }
    expect(accepted).toEqual([]);
  });

  it('has no public method that is not called here', async () => {
    const ends = subject.once ? ['close', 'dispose', 'terminate', 'restart'] : [];
    const known = new Set([...Object.keys(subject.calls), ...ends]);
    expect(methodsOf(await thingOf(name)).filter((method) => !known.has(method))).toEqual([]);
  });
});
