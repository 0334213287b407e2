/** Every agent of the library with small parts, so that a test of all needs no line for each. */
import { type Agent, agentClasses, OrnsteinUhlenbeckSampler, stepNetwork } from 'diffrl';
import { namesOf, type OptionTable } from '../../src/options.js';
import { env } from './fixtures.js';

/** Small parts and sizes by the names that agents have for them. */
const SMALL = () => {
  const network = stepNetwork({ hidden: [8], timeSize: 8 });
  return {
    ...{ hidden: [8], actorHidden: [8], policyHidden: [8], criticHidden: [8], valueHidden: [8], batchSize: 8 },
    ...{
      criticWidth: 8,
      criticBlocks: 1,
      actorWidth: 8,
      quantiles: 4,
      updatesPerTransition: 1,
      nStep: 1,
      warmupSteps: 0,
    },
    ...{ particles: 2, evaluationParticles: 2, targetParticles: 2, reverseSamples: 2, candidates: 3 },
    ...{
      uniformActions: 2,
      sampledActions: 2,
      actionSteps: 3,
      entropySamples: 5,
      diffusionSteps: 2,
      averageEvery: 2,
      averageAfter: 0,
    },
    ...{ rolloutSteps: 4, minibatchSize: 4, epochs: 4, normaliseObservations: false },
    ...{ sampler: new OrnsteinUhlenbeckSampler({ steps: 2, network }), diffusion: { steps: 2, network } },
  };
};

/** The table of an agent's options. */
export function tableOf(name: string): OptionTable {
  return (agentClasses[name] as unknown as { options: OptionTable }).options;
}

/** Options that make the agent `name` small, for the spaces of the fixtures. */
export function small(name: string): object {
  const known = namesOf(tableOf(name));
  return { env, ...Object.fromEntries(Object.entries(SMALL()).filter(([option]) => known.includes(option))) };
}

/** A small agent. */
export function createSmall(name: string, options: object = {}): Promise<Agent> {
  return agentClasses[name]!.create({ ...small(name), ...options });
}
