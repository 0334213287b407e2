import {
  type Agent,
  DiffPpoAgent,
  DiffSacAgent,
  DiffWpoAgent,
  DimeAgent,
  DpmdAgent,
  dmerlSampler,
  type Env,
  EulerMaruyamaSampler,
  SdacAgent,
  TimeConditionedMlp,
} from 'diffrl';
import type { OnnxRuntime } from 'diffrl/compile';
import type { AgentId, Settings, TaskId } from '../settings.js';

/** Makes the chosen agent: small networks, and the visitor's knobs. */
export function makeAgent(settings: Settings, env: Env, runtime: OnnxRuntime): Promise<Agent> {
  return MAKERS[settings.agent](settings, { env, seed: settings.seed, compile: { runtime }, bufferCapacity: 200_000 });
}

interface Common {
  env: Env;
  seed: number;
  compile: { runtime: OnnxRuntime };
  bufferCapacity: number;
}

const MAKERS: Record<AgentId, (settings: Settings, common: Common) => Promise<Agent>> = {
  DIME: ({ task, knobs }, common) =>
    DimeAgent.create({
      ...common,
      ...replayed(task),
      sampler: new EulerMaruyamaSampler({
        steps: knobs.diffusionSteps,
        network: (rng, sizes) => new TimeConditionedMlp(rng, { ...sizes, hidden: widths(task), timeSize: 32 }),
      }),
      criticHidden: criticWidths(task),
      support: SUPPORTS[task],
      temperature: task === 'Pendulum' ? 1 : 0.1,
      policyDelay: 2,
      targetRunCost: PRIOR_ENTROPY - knobs.entropy,
      actorLearningRate: knobs.learningRate,
      criticLearningRate: knobs.learningRate,
      batchSize: knobs.batchSize,
      updatesPerTransition: knobs.updates,
      gamma: knobs.discount,
    }),
  SDAC: (settings, common) => SdacAgent.create({ ...common, ...denoising(settings) }),
  DPMD: (settings, common) => DpmdAgent.create({ ...common, ...denoising(settings) }),
  DiffSAC: (settings, common) => DiffSacAgent.create({ ...common, ...augmented(settings) }),
  DiffWPO: (settings, common) => DiffWpoAgent.create({ ...common, ...augmented(settings), trustRegion: {} }),
  DiffPPO: ({ task, knobs }, { env, seed, compile }) =>
    DiffPpoAgent.create({
      ...{ env, seed, compile },
      sampler: dmerlSampler({ steps: knobs.diffusionSteps, hidden: widths(task) }),
      valueHidden: criticWidths(task),
      rolloutSteps: 1024,
      learningRate: knobs.learningRate,
      minibatchSize: knobs.batchSize,
      gamma: knobs.discount,
    }),
};

/** Nats per action dimension, of the prior whose standard deviation is 2.5. */
const PRIOR_ENTROPY = 0.5 * Math.log(2 * Math.PI * Math.E * 2.5 ** 2);

const isSmall = (task: TaskId) => task !== 'HalfCheetah-v5' && task !== 'Robot';
const widths = (task: TaskId) => (isSmall(task) ? [64, 64] : [128, 128]);
const criticWidths = (task: TaskId) => (isSmall(task) ? [128, 128] : [256, 256]);
const replayed = (task: TaskId) => ({ warmupSteps: isSmall(task) ? 200 : 1000 });

/** Returns that DIME's critic can represent. */
const SUPPORTS: Record<TaskId, { min: number; max: number }> = {
  'InvertedPendulum-v5': { min: -10, max: 110 },
  Pendulum: { min: -300, max: 20 },
  MultiGoal: { min: -400, max: 20 },
  'HalfCheetah-v5': { min: -100, max: 600 },
  'Reacher-v5': { min: -60, max: 5 },
  Robot: { min: -100, max: 400 },
};

const denoising = ({ task, knobs }: Settings) => ({
  ...replayed(task),
  diffusion: { steps: knobs.diffusionSteps },
  criticHidden: criticWidths(task),
  batchSize: knobs.batchSize,
  particles: 8,
  targetParticles: 1,
  targetRate: 0.05,
  policyLearningRate: knobs.learningRate,
  criticLearningRate: knobs.learningRate,
  updatesPerTransition: knobs.updates,
  temperature: { initial: 1, learningRate: 0 },
  gamma: knobs.discount,
});

const augmented = ({ task, knobs }: Settings) => ({
  ...replayed(task),
  sampler: dmerlSampler({ steps: knobs.diffusionSteps, hidden: widths(task) }),
  criticHidden: criticWidths(task),
  batchSize: knobs.batchSize,
  targetRate: 0.05,
  actorLearningRate: knobs.learningRate,
  criticLearningRate: 2 * knobs.learningRate,
  updatesPerTransition: knobs.updates,
  gamma: knobs.discount,
});
