/** The agents that learn from replay, small. */
import { type Agent, agentClasses, type OffPolicyAgent, OrnsteinUhlenbeckSampler, stepNetwork } from 'diffrl';
import { namesOf, type OptionTable } from '../../src/options.js';
import { env } from './fixtures.js';

export type Learner = Agent & Pick<OffPolicyAgent<never, never>, 'learn' | 'updates' | 'replay'>;

const network = stepNetwork({ hidden: [8], timeSize: 8 });

/** Small parts and sizes by the names that agents have for them. */
const SMALL = (): [string, unknown][] =>
  Object.entries({
    ...{ hidden: [8], actorHidden: [8], policyHidden: [8], criticHidden: [8], valueHidden: [8], batchSize: 8 },
    ...{ criticWidth: 8, actorWidth: 8, quantiles: 4, updatesPerTransition: 1 },
    ...{ particles: 2, targetParticles: 2, reverseSamples: 2, policyDelay: 1, seed: 1, compile: false },
    ...{ sampler: new OrnsteinUhlenbeckSampler({ steps: 2, network }), diffusion: { steps: 2, network } },
  });

/** Name, class and table of options of each. */
export const learners = Object.entries(agentClasses).flatMap(([name, Class]) => {
  const { options } = Class as unknown as { options: OptionTable };
  return 'replay' in options ? [[name, Class, options] as const] : [];
});

/** One of them with few units, on the environment of the fixtures. */
export async function smallLearner([, Class, table]: (typeof learners)[number], options: object): Promise<Learner> {
  const known = namesOf(table);
  const small = Object.fromEntries(SMALL().filter(([name]) => known.includes(name)));
  return (await Class.create({ env, ...small, ...options })) as Learner;
}
