/** Options of the agents on the tasks of `bench/returns.ts`: the defaults, but for smaller critics and shorter runs. */
import {
  type Agent,
  DiffPpoAgent,
  DiffSacAgent,
  type DiffSacOptions,
  DiffWpoAgent,
  DimeAgent,
  type DimeOptions,
  DpmdAgent,
  dimePresets,
  dmerlSampler,
  EulerMaruyamaSampler,
  SdacAgent,
  type SdacOptions,
} from 'diffrl';

type Common = Pick<DimeOptions, 'env' | 'seed'>;

const isSmall = (task: string) => task === 'Pendulum' || task === 'InvertedPendulum-v5';

const discount = (task: string) => (task === 'Pendulum' ? { gamma: 0.95 } : {});

/** Learning rates and target networks for runs of thousands, not millions, of steps. */
const offPolicy = (task: string) => ({
  warmupSteps: isSmall(task) ? 500 : 5000,
  criticLearningRate: 1e-3,
  ...discount(task),
});

/** The quickstart's settings on the small tasks. */
export const dime = (task: string): Partial<DimeOptions> => ({
  ...offPolicy(task),
  sampler: new EulerMaruyamaSampler({ steps: 8 }),
  criticHidden: [256, 256],
  actorLearningRate: 1e-3,
  ...(isSmall(task) ? { updatesPerTransition: 1, temperature: 0.1 } : dimePresets.gym),
  ...(task === 'InvertedPendulum-v5' && { support: { min: -10, max: 110 } }),
  ...(task === 'Pendulum' && { support: { min: -300, max: 20 } }),
});

/** The noise level falls over 200 000 updates by default, here within 10 000 or, on the small tasks, is low from the start. */
const denoising = (task: string): Partial<SdacOptions> => ({
  ...offPolicy(task),
  batchSize: 128,
  particles: 8,
  targetParticles: 1,
  targetRate: isSmall(task) ? 0.05 : 0.02,
  policyLearningRate: 1e-3,
  updatesPerTransition: isSmall(task) ? 1 : 0.4,
  temperature: isSmall(task) ? { initial: 1, learningRate: 0 } : { every: 12 },
});

const dmerl = (task: string): Partial<DiffSacOptions> => ({
  ...offPolicy(task),
  actorLearningRate: isSmall(task) ? 1e-3 : 3e-4,
  targetRate: isSmall(task) ? 0.05 : 0.01,
  ...(isSmall(task) && {
    batchSize: 128,
    criticHidden: [128, 128],
    criticLearningRate: 3e-3,
    sampler: dmerlSampler({ hidden: [128, 128] }),
  }),
});

const ppo = (task: string) => ({
  sampler: dmerlSampler({ hidden: isSmall(task) ? [64, 64] : [128, 128] }),
  valueHidden: isSmall(task) ? [64, 64] : [256, 256],
  learningRate: task === 'Pendulum' ? 1e-3 : 5e-4,
  rolloutSteps: task === 'Pendulum' ? 1024 : 2048,
  ...discount(task),
  ...(task === 'InvertedPendulum-v5' && { temperature: { anneal: { from: 0.005, to: 0, duration: 80_000 } } }),
});

const agents: Record<string, (task: string, common: Common) => Promise<Agent>> = {
  dime: (task, common) => DimeAgent.create({ ...common, ...dime(task) }),
  sdac: (task, common) => SdacAgent.create({ ...common, ...denoising(task) }),
  dpmd: (task, common) => DpmdAgent.create({ ...common, ...denoising(task) }),
  diffsac: (task, common) => DiffSacAgent.create({ ...common, ...dmerl(task) }),
  diffwpo: (task, common) =>
    DiffWpoAgent.create({ ...common, ...dmerl(task), ...(isSmall(task) && { trustRegion: {} }) }),
  diffppo: (task, common) => DiffPpoAgent.create({ ...common, ...ppo(task) }),
};

export const agentNames = Object.keys(agents);

export function createAgent(name: string, task: string, common: Common): Promise<Agent> {
  return agents[name]!(task, common);
}
