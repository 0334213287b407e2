import { requireOneOf } from '../errors.js';
import { dimePresets } from './dime/dimePresets.js';
import { type JsonObject, mergeOptions } from './optionsJson.js';

/** Options and where they come from. */
export interface PresetLine {
  /** Agents it is for, by their names in commands. */
  agents: readonly string[];
  /** Tasks it is for: an id, a pattern with `*`, or all that the pattern with `!` in front does not match. */
  tasks: readonly string[];
  source: string;
  options: JsonObject;
  /** Environments side by side. */
  envs?: number;
}

/** `'paper'`: as published. `'small'`: for a CPU and runs of 5,000 to 100,000 steps. */
export type PresetName = 'small' | 'paper' | 'none';

/** What the lines that apply give together. */
export interface Preset {
  options: JsonObject;
  envs: number;
  lines: readonly PresetLine[];
}

/**
 * The options of an agent for a task: all lines that are for both, later ones over earlier ones.
 *
 * @example
 * ```ts
 * const { options } = presetFor('dime', 'HalfCheetah-v5', 'paper');
 * ```
 */
export function presetFor(agent: string, task: string, name: PresetName = 'small'): Preset {
  requireOneOf('presetFor', 'name', name, ['none', ...(Object.keys(presetLines) as PresetName[])]);
  const all: readonly PresetLine[] = name === 'none' ? [] : presetLines[name];
  const lines = all.filter((line) => line.agents.includes(agent) && line.tasks.every((pattern) => fits(pattern, task)));
  return {
    options: lines.reduce((merged, { options }) => mergeOptions(merged, options), {}),
    envs: lines.findLast(({ envs }) => envs)?.envs ?? 1,
    lines,
  };
}

function fits(pattern: string, task: string): boolean {
  if (pattern.startsWith('!')) return !fits(pattern.slice(1), task);
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(task);
}

const EVERY = ['*'];
const SMALL = ['Pendulum-v1', 'InvertedPendulum-v5'];
const LARGER = ['!Pendulum-v1', '!InvertedPendulum-v5'];
const REPLAY = ['dime', 'sdac', 'dpmd', 'diffsac', 'diffwpo', 'sac', 'td3', 'crossq'];
const DENOISING = ['sdac', 'dpmd'];
const DMERL = ['diffsac', 'diffwpo'];
const LONG_WARMUP = ['qsm', 'qvpo', 'dipo', 'dacer'];

const SHORT_RUNS = "found on this repository's short runs: results/README.md";
const DIME_E = 'Celik et al. 2025 (DIME), appendix E';
const DIME_CODE = "DIME's released code, default of its configuration";
const SDAC_CODE = "SDAC's code of the ICML camera-ready (May 2025), 5 environments side by side";
const DACER_CODE = "DACER's code, 20 environments side by side";
const QSM_CODE = "QSM's code, its configuration for tasks of walking";
const DIPO_CODE = "DIPO's code, its table of environments";
const SHORTER_START = 'the start at random fits runs of 5,000 to 100,000 steps; not tuned';
const WPO_CODE = "Acme's run_wpo.py, with the layer norm of its networks left out";
const DPMD_CODE = "SDAC's code of the ICML supplement (January 2025), 5 environments side by side";

const small: PresetLine[] = [
  { agents: REPLAY, tasks: LARGER, source: SHORT_RUNS, options: { warmupSteps: 5000, criticLearningRate: 1e-3 } },
  ...SMALL.map((task) => ({
    agents: REPLAY,
    tasks: [task],
    source: SHORT_RUNS,
    options: { warmupSteps: 500, criticLearningRate: 1e-3 },
  })),
  {
    agents: [...REPLAY, 'diffppo'],
    tasks: ['Pendulum-v1'],
    source: 'no state of Pendulum is lost for long: a horizon of 20 steps learns faster; results/small-tasks-5k',
    options: { gamma: 0.95 },
  },
  ...SMALL.map((task) => ({
    agents: ['sac', 'td3'],
    tasks: [task],
    source: 'small tasks need no long start at random',
    options: { warmupSteps: 500 },
  })),
  {
    agents: ['dime'],
    tasks: EVERY,
    source: 'half the chain and an eighth of the width of the paper, for a CPU; results/halfcheetah-50k',
    options: { sampler: { steps: 8 }, criticHidden: [256, 256], actorLearningRate: 1e-3 },
  },
  {
    agents: ['dime'],
    tasks: LARGER,
    source:
      'results/halfcheetah-50k: scalar critics learn faster than categorical ones over 50,000 steps, see results/README.md',
    options: {
      critic: 'scalar',
      updatesPerTransition: 1,
      temperature: 0.2,
      sampler: { network: { type: 'stepNetwork', hidden: [128, 128, 128], timeSize: 64 } },
    },
  },
  {
    agents: ['dime'],
    tasks: ['InvertedPendulum-v5'],
    source: 'discounted returns lie within 0 and 100, and small networks do; examples/quickstart.ts',
    options: {
      support: { min: -10, max: 110 },
      updatesPerTransition: 1,
      temperature: 0.1,
      criticHidden: [128, 128],
      sampler: { network: { type: 'stepNetwork', hidden: [64, 64], timeSize: 64 } },
    },
  },
  {
    agents: ['dime'],
    tasks: ['Pendulum-v1'],
    source: 'rewards lie within -16.3 and 0 a step, discounted by 0.95: -326 to 0',
    options: { support: { min: -300, max: 20 }, updatesPerTransition: 1, temperature: 0.1 },
  },
  {
    agents: ['crossq'],
    tasks: EVERY,
    source: 'an eighth of the width of the paper, for a CPU; results/halfcheetah-50k',
    options: { criticHidden: [256, 256] },
  },
  {
    agents: DENOISING,
    tasks: EVERY,
    source: SHORT_RUNS,
    options: { particles: 8, policyLearningRate: 1e-3 },
  },
  {
    agents: DENOISING,
    tasks: LARGER,
    source:
      "CrossQ's critics learn twice as fast at first as plain ones (results/plain-critics-50k), and with CrossQ's batches and beta1 faster still (results/small-batch-50k); choosing among several next actions does most of the improving; the temperature falls within 10,000 updates, over 200,000 by default",
    options: {
      criticNetwork: { type: 'crossQCritic', hidden: [256, 256] },
      criticAdam: { beta1: 0.5 },
      targetParticles: 4,
      updatesPerTransition: 1,
      targetRate: 0.01,
      temperature: { every: 12 },
      diffusion: { steps: 10, network: { type: 'stepNetwork', hidden: [128, 128, 128], timeSize: 64 } },
    },
  },
  {
    agents: ['sdac'],
    tasks: LARGER,
    source:
      'a quarter of the reverse samples of the paper, for a CPU, and all of its particles, which cost little (results/eight-particles-50k); the temperature falls to 0.27, where 0.98 improves a third slower (results/high-temperature-50k)',
    options: { particles: 32, reverseSamples: 16, temperature: { entropyScale: 2.2 } },
  },
  ...SMALL.map((task) => ({
    agents: DENOISING,
    tasks: [task],
    source: 'the temperature is low from the start; results/small-tasks-5k',
    options: {
      batchSize: 128,
      targetParticles: 1,
      targetRate: 0.05,
      updatesPerTransition: 1,
      temperature: { initial: 1, learningRate: 0 },
    },
  })),
  {
    agents: DMERL,
    tasks: LARGER,
    source:
      "CrossQ's critics (an eighth as wide) and their beta1, without target networks (results/halfcheetah-50k); half the policy's width, which learns faster at first and takes less time (results/wide-policy-50k)",
    options: {
      sampler: { hidden: [128, 128, 128] },
      actorLearningRate: 3e-4,
      criticNetwork: { type: 'crossQCritic', hidden: [256, 256] },
      criticAdam: { beta1: 0.5 },
    },
  },
  {
    agents: ['diffwpo'],
    tasks: LARGER,
    source:
      "no faster than the policy's own rate: at 1e-3 it falls on past its place while the entropy follows, and the chain explodes (results/fast-temperature-50k)",
    options: { temperature: { automatic: { learningRate: 3e-4 } } },
  },
  ...SMALL.map((task) => ({
    agents: DMERL,
    tasks: [task],
    source: 'results/small-tasks-5k',
    options: {
      actorLearningRate: 1e-3,
      targetRate: 0.05,
      batchSize: 128,
      criticHidden: [128, 128],
      criticLearningRate: 3e-3,
      sampler: { hidden: [128, 128] },
    },
  })),
  ...SMALL.map((task) => ({
    agents: ['diffwpo'],
    tasks: [task],
    source: 'docs/dmerl.md: keeps the small tasks from falling back',
    options: { trustRegion: {} },
  })),
  {
    agents: ['diffppo'],
    tasks: EVERY,
    source: SHORT_RUNS,
    options: { sampler: { hidden: [128, 128] }, valueHidden: [256, 256], learningRate: 5e-4, rolloutSteps: 2048 },
  },
  ...SMALL.map((task) => ({
    agents: ['diffppo'],
    tasks: [task],
    source: SHORT_RUNS,
    options: { sampler: { hidden: [64, 64] }, valueHidden: [64, 64] },
  })),
  {
    agents: ['diffppo'],
    tasks: ['Pendulum-v1'],
    source: SHORT_RUNS,
    options: { learningRate: 1e-3, rolloutSteps: 1024 },
  },
  {
    agents: ['diffppo'],
    tasks: ['InvertedPendulum-v5'],
    source: 'docs/dmerl.md, returns: at a rate that stays, policies fall back',
    options: {
      learningRate: { type: 'linearDecay', from: 5e-4, to: 5e-5, over: 20_000 },
      temperature: { anneal: { from: 0.005, to: 0, duration: 80_000 } },
    },
  },
  { agents: LONG_WARMUP, tasks: LARGER, source: SHORTER_START, options: { warmupSteps: 5000 } },
  ...SMALL.map((task) => ({
    agents: [...LONG_WARMUP, 'diffusionql', 'bro'],
    tasks: [task],
    source: SHORTER_START,
    options: { warmupSteps: 500 },
  })),
  {
    agents: ['wpo'],
    tasks: EVERY,
    source: 'one update an environment step, as the other agents have; widths for a CPU; not tuned',
    options: {
      updatesPerTransition: 1,
      actorLearningRate: 3e-4,
      criticLearningRate: 3e-4,
      actorHidden: [256, 256],
      criticHidden: [256, 256],
    },
  },
  {
    agents: ['wpo'],
    tasks: ['Pendulum-v1'],
    source: 'test/agents/baselines.test.ts',
    options: {
      gamma: 0.95,
      batchSize: 64,
      warmupSteps: 500,
      nStep: 1,
      actorHidden: [64, 64],
      criticHidden: [64, 64],
      actorLearningRate: 3e-3,
      criticLearningRate: 3e-3,
      targetPeriod: 25,
      sampledActions: 8,
      meanKlWeight: 0.1,
      initialStd: 0.5,
    },
  },
  {
    agents: ['consistencyac'],
    tasks: EVERY,
    source:
      "one update an environment step and the other agents' rate, where the authors learn from data that are there; not tuned",
    options: { updatesPerTransition: 1, policyLearningRate: 3e-4, randomShareSteps: 5000 },
  },
  {
    agents: ['dppo'],
    tasks: EVERY,
    source: 'several rollouts within a run of 5,000 to 100,000 steps; not tuned',
    options: { rolloutSteps: 2048 },
  },
  ...SMALL.map((task) => ({
    agents: ['ppo', 'dppo'],
    tasks: [task],
    source: 'four rollouts within a run of 5,000 steps; not tuned',
    options: { rolloutSteps: 1024 },
  })),
];

/** DIPO's own settings by environment: those that differ from its defaults. */
const dipoTasks: Readonly<Record<string, JsonObject>> = {
  'Hopper-*': { maxGradientNorm: 1, actionGradientNorm: 0.3 },
  'Walker2d-*': { actionGradientNorm: 0.08 },
  'Ant-*': { maxGradientNorm: 0.8 },
  'HalfCheetah-*': { actionGradientNorm: 0.08, actionSteps: 40, averageEvery: 2 },
};

const paper: PresetLine[] = [
  { agents: ['dime'], tasks: EVERY, source: DIME_CODE, options: { ...dimePresets.released } },
  { agents: ['dime'], tasks: EVERY, source: DIME_E, options: { support: { min: -1600, max: 1600, atoms: 101 } } },
  {
    agents: ['dime'],
    tasks: ['dm_control/*'],
    source: DIME_CODE,
    options: { support: { min: -200, max: 200, atoms: 101 } },
  },
  {
    agents: ['dime'],
    tasks: ['myo*'],
    source: DIME_E,
    options: { support: { min: -3600, max: 3600, atoms: 101 } },
  },
  {
    agents: ['sdac'],
    tasks: EVERY,
    source: SDAC_CODE,
    options: {
      diffusion: { schedule: { type: 'linearSchedule', steps: 20, scale: 0.8 }, startStd: 0.5 },
      reverseSamples: 64,
      proposal: 'clip',
      valueScale: 5,
      values: 'raw',
      policyStates: 'current',
    },
    envs: 5,
  },
  {
    agents: ['dpmd'],
    tasks: EVERY,
    source: DPMD_CODE,
    options: {
      diffusion: { schedule: { type: 'cosineSchedule', steps: 20 }, startStd: 0.5 },
      weighting: 'released',
      criticSteps: 2,
      temperature: { entropyScale: 1.5 },
    },
    envs: 5,
  },
  {
    agents: DENOISING,
    tasks: EVERY,
    source: 'the same in both releases of the code',
    options: {
      particles: 32,
      targetParticles: 32,
      criticHidden: [256, 256, 256],
      criticActivation: 'mish',
      clipNoisyActions: false,
      warmupSteps: 30_000,
      updatesPerTransition: 0.2,
    },
  },
  { agents: ['dacer'], tasks: EVERY, source: DACER_CODE, options: { updatesPerTransition: 0.05 }, envs: 20 },
  ...['Humanoid-*', 'HalfCheetah-*'].map((task) => ({
    agents: ['dacer'],
    tasks: [task],
    source: DACER_CODE,
    options: { explorationNoise: 0.15, warmupSteps: 200_000 },
  })),
  ...['dm_control/quadruped-walk', 'dm_control/humanoid-walk'].map((task) => ({
    agents: ['qsm'],
    tasks: [task],
    source: QSM_CODE,
    options: { valueScale: 120 },
  })),
  ...Object.entries(dipoTasks).map(([task, options]) => ({
    agents: ['dipo'],
    tasks: [task],
    source: DIPO_CODE,
    options,
  })),
  {
    agents: ['wpo'],
    tasks: EVERY,
    source: WPO_CODE,
    options: {
      criticHidden: [256, 256, 256],
      initialStd: 0.5,
      actorLearningRate: 3e-4,
      criticLearningRate: 3e-4,
      updatesPerTransition: 0.25,
    },
  },
  {
    agents: ['dppo'],
    tasks: EVERY,
    source: "DPPO's code, training from scratch: 10 environments of 1,000 steps",
    options: { rolloutSteps: 10_000 },
    envs: 10,
  },
];

/** All lines, in the order in which they apply. */
export const presetLines: Readonly<Record<Exclude<PresetName, 'none'>, readonly PresetLine[]>> = { small, paper };
