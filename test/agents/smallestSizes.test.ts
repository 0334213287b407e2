/** Chains of one step, layers of one unit, batches of one row: nothing may depend on there being two. */
import {
  type Agent,
  agentClasses,
  dmerlSampler,
  EulerMaruyamaSampler,
  GeneralBridgeSampler,
  OrnsteinUhlenbeckSampler,
  type StepReport,
  stepNetwork,
  train,
} from 'diffrl';
import { afterEach, expect, it } from 'vitest';
import { namesOf, type OptionTable } from '../../src/options.js';
import { Walk } from '../envs/toys.js';

const network = stepNetwork({ hidden: [1], timeSize: 2 });
const one = { steps: 1, network };
const SMALLEST: Readonly<Record<string, unknown>> = {
  ...{ hidden: [1], actorHidden: [1], policyHidden: [1], criticHidden: [1], valueHidden: [1], batchSize: 1 },
  ...{ criticWidth: 1, actorWidth: 1, quantiles: 1, updatesPerTransition: 1, warmupSteps: 1, policyDelay: 1 },
  ...{ particles: 1, targetParticles: 1, reverseSamples: 1, candidates: 1, uniformActions: 1, evaluationParticles: 1 },
  ...{ diffusionSteps: 1, actionSteps: 1, entropySamples: 3, entropyEvery: 1, groupSize: 1, compile: false },
  ...{ rolloutSteps: 2, epochs: 1, minibatchSize: 1 },
  diffusion: one,
};
const samplers = [EulerMaruyamaSampler, OrnsteinUhlenbeckSampler, GeneralBridgeSampler].map((Kind) => new Kind(one));
const samplersOf = (name: string) => (name === 'dime' ? samplers : [dmerlSampler({ steps: 1, hidden: [1] })]);

const cases = Object.entries(agentClasses).flatMap(([name, Class]) => {
  const { options } = Class as unknown as { options: OptionTable };
  const known = namesOf(options);
  const smallest = Object.fromEntries(Object.entries(SMALLEST).filter(([option]) => known.includes(option)));
  const each = known.includes('sampler') ? samplersOf(name).map((sampler) => ({ sampler })) : [{}];
  return each.map((sampler, i) => [`${name} ${i}`, Class, { ...smallest, ...sampler }] as const);
});

const made: Agent[] = [];
afterEach(() => {
  for (const agent of made.splice(0)) agent.dispose();
});

it.each(cases)('%s learns at the smallest sizes', async (_, Class, options) => {
  const env = new Walk();
  const agent = await Class.create({ env, seed: 1, ...options });
  made.push(agent);
  let updates = 0;
  const onStep = (_: unknown, { metrics }: StepReport) => {
    if (Object.keys(metrics).length) updates++;
  };
  await train({ agent, env, steps: 6, callbacks: [{ onStep }] });
  expect(updates).toBeGreaterThan(0);
});
