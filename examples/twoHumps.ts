/**
 * Which agents keep both humps? Each learns from 20,000 uniform actions whose rewards are the log-density of the target of
 * bimodal.ts, so that exp(Q) is known, at temperature 1 where an agent has one. Prints how far the actions it explores with
 * are from the target (total variation) and their share on each hump; the target's own are in the first row.
 *
 * Run: npx tsx examples/twoHumps.ts [updates] [agents]
 * such as: npx tsx examples/twoHumps.ts 4000 sac,dime (default: 2000 of all)
 */
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  agentClasses,
  Box,
  DacerAgent,
  DimeAgent,
  DipoAgent,
  DpmdAgent,
  QsmAgent,
  QvpoAgent,
  Rng,
  SacAgent,
  SdacAgent,
  useBestBackend,
  WpoAgent,
} from 'diffrl';
import { dimeSampler, exactMasses, logTarget, totalVariation } from './bimodal.js';

const env = { observationSpace: Box.uniform(1), actionSpace: Box.uniform(1, -1, 1) };
const common = { env, seed: 1, gamma: 0, batchSize: 128, criticHidden: [64, 64] };
const quick = { policyLearningRate: 1e-3, criticLearningRate: 3e-3 };
const chain = { steps: 10, hidden: [64, 64] };
const averaged = { policyHidden: [64, 64], diffusionSteps: 10 };
const alone = { particles: 1, targetParticles: 1 };
/** A chain whose draws are neither chosen among nor disturbed, at temperature 1. */
const plain = {
  ...{ particles: 1, targetParticles: 1, explorationNoise: 0, rewardScale: 1, policyDelay: 1, diffusion: chain },
  ...{ temperature: { initial: 1, learningRate: 0 } },
};

/** The agents, by the names of {@link agentClasses}. */
export const makers = {
  sac: () =>
    SacAgent.create({
      ...{ env, seed: 1, gamma: 0, batchSize: 128, hidden: [64, 64], temperature: 1, temperatureLearningRate: 0 },
      ...{ actorLearningRate: 1e-3, criticLearningRate: 3e-3 },
    }),
  dime: () =>
    DimeAgent.create({ ...common, sampler: dimeSampler({ steps: 10 }), temperature: 1, temperatureLearningRate: 0 }),
  sdac: () => SdacAgent.create({ ...common, ...quick, ...plain, values: 'raw', valueScale: 1, reverseSamples: 32 }),
  dpmd: () => DpmdAgent.create({ ...common, ...quick, ...plain }),
  qsm: () => QsmAgent.create({ ...common, ...quick, ...plain, valueScale: 1 }),
  dacer: () =>
    DacerAgent.create({ ...common, ...quick, ...averaged, rewardScale: 1, temperature: 1, entropyEvery: 500 }),
  qvpo: () => QvpoAgent.create({ ...common, ...quick, ...averaged, ...alone, candidates: 16, uniformActions: 4 }),
  dipo: () => DipoAgent.create({ ...common, ...quick, ...averaged, bufferCapacity: 20_000 }),
  wpo: () =>
    WpoAgent.create({
      ...{ ...common, actorHidden: [64, 64], nStep: 1, actorLearningRate: 1e-3, criticLearningRate: 3e-3 },
    }),
};

/** Actions `[count]` that the agent `name` explores with after `updates` gradient steps. */
export async function explored(name: keyof typeof makers, updates: number, count = 20_000): Promise<Float32Array> {
  const agent = await makers[name]();
  const actions = Rng.fromSeed(2).uniforms(count, -1, 1);
  const rewards = tf.tidy(() => logTarget(tf.tensor2d(actions, [count, 1])).dataSync()) as Float32Array;
  const [observations, truncated] = [new Float32Array(count), new Uint8Array(count)];
  const terminated = new Uint8Array(count).fill(1);
  agent.observe({ observations, nextObservations: observations, actions, rewards, terminated, truncated }, null);
  for (let i = 0; i < updates; i++) await agent.learn();
  const decision = await agent.act(observations);
  agent.dispose();
  return decision.actions;
}

/** Shares of the left hump and of the right one, which 0 parts. */
export function shares(samples: Float32Array): [left: number, right: number] {
  const left = samples.filter((x) => x < 0).length / samples.length;
  return [left, 1 - left];
}

async function main() {
  const [updates = '2000', wanted = Object.keys(makers).join()] = process.argv.slice(2);
  await useBestBackend();
  const masses = exactMasses();
  const left = masses.slice(0, masses.length / 2).reduce((sum, mass) => sum + mass, 0);
  const row = (name: string, distance: number, humps: readonly number[]) =>
    console.log(`| ${name} | ${[distance, ...humps].map((x) => x.toFixed(2)).join(' | ')} |`);
  console.log('| agent | total variation | left hump | right hump |\n|---|---|---|---|');
  row('the target', 0, [left, 1 - left]);
  for (const name of wanted.split(',') as (keyof typeof makers)[]) {
    const samples = await explored(name, Number(updates));
    row((agentClasses[name] as { name: string }).name, totalVariation(samples), shares(samples));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
