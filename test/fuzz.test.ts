import * as diffrl from 'diffrl';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { RewardScale } from '../src/ops/rewardScale.js';
import { ActionScale } from '../src/spaces/actionScale.js';
import { mistakes } from './mistakes.js';

const library = { ...diffrl, ActionScale, RewardScale } as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Rooms whose functions and classes anybody may call with anything: the only errors are diffrl's own. */
const calls: Record<string, (args: unknown[]) => unknown> = {
  ...Object.fromEntries(
    [
      'mean',
      'std',
      'quantile',
      'interquartileMean',
      'stratifiedBootstrap',
      'decodeSafetensors',
      'encodeSafetensors',
    ].map((name) => [name, (args: unknown[]) => library[name]!(...args)]),
  ),
  ...Object.fromEntries(
    ['decodeCheckpoint', 'readCheckpoint', 'checkpointExists', 'evaluate', 'train'].map((name) => [
      name,
      (args: unknown[]) => library[name]!(...args),
    ]),
  ),
  ...Object.fromEntries(
    ['checkpoints', 'evaluation', 'csvLog', 'learningCurve'].map((name) => [
      name,
      (args: unknown[]) => library[name]!(...args),
    ]),
  ),
  ...Object.fromEntries(
    [
      'ReplayBuffer',
      'Box',
      'Discrete',
      'ActionScale',
      'RewardScale',
      'TimeLimit',
      'FrameStack',
      'ClipAction',
      'RescaleAction',
      'NormaliseObservation',
      'NormaliseReward',
      'EpisodeStatistics',
      'SyncVectorEnv',
      'RunningMoments',
    ].map((name) => [`new ${name}`, (args: unknown[]) => Reflect.construct(library[name]!, args)]),
  ),
  'replay.add': ([first]) => new diffrl.ReplayBuffer({ observationSize: 2, actionSize: 1 }).add(first as never),
  'replay.sample': (args) => filled().sample(...(args as [never, never])),
  ...Object.fromEntries(
    [
      ...['linearSchedule', 'cosineSchedule', 'dimeCosineSchedule', 'powerStepsSchedule', 'squareRootSchedule'],
      ...[
        'variancePreservingSchedule',
        'scheduleFromStepSizes',
        'scheduleFromBetas',
        'linearDecay',
        'prioritizedReplay',
      ],
      ...['scalarObjective', 'categoricalObjective', 'dmerlSampler', 'stepNetwork'],
    ].map((name) => [name, (args: unknown[]) => library[name]!(...args)]),
  ),
  ...Object.fromEntries(
    [
      ...['PrioritizedReplay', 'NStepReplay', 'EulerMaruyamaSampler', 'OrnsteinUhlenbeckSampler', 'DdpmSampler'],
      ...['GeneralBridgeSampler', 'GaussianSampler'],
    ].map((name) => [`new ${name}`, (args: unknown[]) => Reflect.construct(library[name]!, args)]),
  ),
  ...Object.fromEntries(
    (['normals', 'uniforms', 'integers', 'truncatedNormals', 'prepare'] as const).map((name) => [
      `rng.${name}`,
      (args: unknown[]) => Reflect.apply(diffrl.Rng.fromSeed(1)[name] as never, diffrl.Rng.fromSeed(1), args),
    ]),
  ),
  'prioritised.learned': (args) => new diffrl.PrioritizedReplay(sizes).learned(...(args as [never, never])),
  'prioritised.prepare': ([first]) => new diffrl.PrioritizedReplay(sizes).prepare(first as never),
  'buffer.at': ([first]) => filled().at(first as never),
  'replay.prepare': ([first]) => filled().prepare(first as never),
  'box.contains': ([first]) => diffrl.Box.uniform(2).contains(first as never),
  'Box.uniform': (args) => diffrl.Box.uniform(...(args as [never])),
};

const sizes = { observationSize: 2, actionSize: 1 };
function filled() {
  const replay = new diffrl.ReplayBuffer(sizes);
  replay.add({
    observations: new Float32Array(2),
    actions: new Float32Array(1),
    rewards: new Float32Array(1),
    nextObservations: new Float32Array(2),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
  });
  return replay;
}

const nonsense = fc.oneof(
  fc.constantFrom<unknown[]>(
    ...mistakes,
    [1, 2],
    [null],
    new Float32Array(2),
    new Uint8Array(9),
    Symbol.iterator,
    3n,
    new Map(),
    { low: [-1], high: [1], shape: [1] },
    { observationSize: '2', actionSize: 1e15 },
    { env: {}, agent: {} },
    { path: 5 },
    { every: 'x' },
    { path: 'x', every: Number.NaN },
    { w: { shape: [2], data: [1, 2] } },
    { w: null },
    { env: new diffrl.Pendulum(), seed: 'x' },
    new diffrl.Pendulum(),
    diffrl.Rng.fromSeed(1),
    { rewards: null },
    { rewards: new Float32Array(1) },
    { length: 3 },
    { filled: null },
    { 'rows0/rewards': { shape: [1], data: 'x' } },
  ),
);

it('10,000 calls with nonsense throw errors of diffrl or none', { timeout: 120_000 }, async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const raw = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(calls)),
      fc.array(nonsense, { maxLength: 3 }),
      async (name, args) => {
        try {
          await calls[name]!(args);
        } catch (error) {
          if (error instanceof diffrl.DiffrlError) return;
          const key = `${name}: ${(error as Error).name}: ${(error as Error).message.slice(0, 80)}`;
          raw.set(key, (raw.get(key) ?? 0) + 1);
        }
      },
    ),
    { numRuns: 10_000 },
  );
  const total = [...raw.values()].reduce((sum, count) => sum + count, 0);
  console.info(`${total} raw errors, ${raw.size} distinct, in 10,000 calls`);
  expect([...raw.keys()]).toEqual([]);
});
