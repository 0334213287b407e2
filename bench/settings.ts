/** Options of the agents on the tasks of `bench/returns.ts`: the defaults, but for smaller critics and shorter runs. */
import {
  type Agent,
  DiffPpoAgent,
  DiffSacAgent,
  DiffWpoAgent,
  DimeAgent,
  type DimeOptions,
  DpmdAgent,
  dimePresets,
  EulerMaruyamaSampler,
  SdacAgent,
} from 'diffrl';

type Common = Pick<DimeOptions, 'env' | 'seed' | 'warmupSteps'>;

/** The noise level falls over the papers' 200 000 updates by default; here within the 10 000 or so of a short run. */
const shortRun = { noiseLevel: { every: 12 }, targetParticles: 1 };

const support = (task: string) =>
  task === 'Pendulum'
    ? { min: -600, max: 20 }
    : task === 'InvertedPendulum-v5'
      ? { min: -10, max: 110 }
      : dimePresets.gym.support;

const isSmall = (task: string) => task === 'Pendulum' || task === 'InvertedPendulum-v5';

/** The quickstart's settings on the small tasks. */
const dime = (task: string): Partial<DimeOptions> => ({
  sampler: new EulerMaruyamaSampler({ steps: 8 }),
  criticHidden: [256, 256],
  support: support(task),
  ...(isSmall(task) && { updatesPerStep: 1, actorLearningRate: 1e-3, criticLearningRate: 1e-3 }),
  ...(task === 'InvertedPendulum-v5' && { temperature: 0.1 }),
});

const agents: Record<string, (task: string, common: Common) => Promise<Agent>> = {
  dime: (task, common) => DimeAgent.create({ ...common, ...dime(task) }),
  sdac: (_, common) => SdacAgent.create({ ...common, ...shortRun }),
  dpmd: (_, common) => DpmdAgent.create({ ...common, ...shortRun }),
  diffsac: (_, common) => DiffSacAgent.create(common),
  diffwpo: (_, common) => DiffWpoAgent.create(common),
  diffppo: (_, { env, seed }) => DiffPpoAgent.create({ env, seed }),
};

export const agentNames = Object.keys(agents);

export function createAgent(name: string, task: string, common: Pick<Common, 'env' | 'seed'>): Promise<Agent> {
  return agents[name]!(task, { ...common, warmupSteps: isSmall(task) ? 500 : 5000 });
}
