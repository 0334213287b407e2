/**
 * SDAC and DPMD, compiled: milliseconds, the best of several runs, of an update of critics and policy ("whole update"), of what
 * it consists of, of `agent.learn()` with the policy's delay ("with delay": the mean over updates with and without the
 * policy, random numbers and replay included), and of acting on one observation.
 *
 *     npx tsx bench/sdac.ts                 all rows, about three minutes
 *     npx tsx bench/sdac.ts 'K 500'         rows whose name contains the text
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import type { DenoisingAgent } from '../src/agents/denoising/denoisingAgent.js';
import { dpmdPresets, sdacPresets } from '../src/agents/denoising/denoisingPresets.js';
import { DpmdAgent } from '../src/agents/denoising/dpmdAgent.js';
import { SdacAgent, type SdacOptions } from '../src/agents/denoising/sdacAgent.js';
import { type Program, selectCompiler, type TensorProgram } from '../src/agents/program.js';
import type { Adam } from '../src/ops/adam.js';
import { Box } from '../src/spaces/box.js';
import type { StateArray } from '../src/state.js';
import { best, machine, transitions } from './measure.js';

const BATCH = 256;
/** The settings of a JAX library's SDAC: 20 steps, one particle, 500 reverse samples, critics 2 x 256 with ReLU. */
const peer: Partial<SdacOptions> = { particles: 1, targetParticles: 1, reverseSamples: 500 };

type Create = (options: Pick<SdacOptions, 'env' | 'batchSize'>) => Promise<DenoisingAgent>;

const rows: [name: string, observationSize: number, actionSize: number, create: Create][] = [
  ['SDAC', 17, 6, (options) => SdacAgent.create(options)],
  ['DPMD', 17, 6, (options) => DpmdAgent.create(options)],
  ['SDAC, 1 particle, K 500', 17, 6, (options) => SdacAgent.create({ ...options, ...peer })],
  ['SDAC, 1 particle, K 500', 376, 17, (options) => SdacAgent.create({ ...options, ...peer })],
  ['SDAC released', 17, 6, (options) => SdacAgent.create({ ...options, ...sdacPresets.released })],
  ['DPMD submission', 17, 6, (options) => DpmdAgent.create({ ...options, ...dpmdPresets.submission })],
];

type Inputs = Record<string, StateArray>;
type Tensors = Record<string, tf.Tensor2D>;
type Gradients = { gradients: Tensors; metrics: Tensors };

/** What an update consists of. */
interface Internals {
  updateAll: Program<never, string>;
  updateCritic: Program<never, string>;
  policyAdam: Adam;
  criticAdam: Adam;
  noisyActions(observations: tf.Tensor2D, noise: tf.Tensor, exploration: tf.Tensor): tf.Tensor2D;
  criticGradients(inputs: Tensors, nextActions: tf.Tensor2D): Gradients;
  policyGradients(inputs: Tensors, nextActions: tf.Tensor2D): Gradients;
}

async function measure(agent: DenoisingAgent): Promise<Record<string, number>> {
  const inside = agent as unknown as Internals;
  agent.observe(transitions(agent, 1000), null);
  const inputs = await inputsOfUpdate(agent);
  const inputsOfPieces = { ...inputs, nextActions: inputs.actions! };
  const compile = await selectCompiler();
  const piece = async (program: (inputs: Tensors) => Tensors) => {
    const compiled = compile(program as TensorProgram<never, string>);
    const shortest = await best(() => compiled(inputsOfPieces as never));
    compiled.dispose();
    return shortest;
  };
  const updates = async () => {
    for (let i = 0; i < agent.options.policyDelay; i++) await agent.learn();
  };
  const observation = new Float32Array(agent.observationSpace.size);
  return {
    sampling: await piece(({ nextObservations, nextNoise, nextExploration }) => ({
      actions: inside.noisyActions(nextObservations!, nextNoise!, nextExploration!),
    })),
    critics: await piece((tensors) => {
      const { gradients, metrics } = inside.criticGradients(tensors, tensors.nextActions!);
      inside.criticAdam.apply(gradients);
      return metrics;
    }),
    policy: await piece((tensors) => {
      const { gradients, metrics } = inside.policyGradients(tensors, tensors.nextActions!);
      inside.policyAdam.apply(gradients);
      return metrics;
    }),
    'whole update': await best(() => inside.updateAll(inputs as never)),
    'with delay': (await best(updates)) / agent.options.policyDelay,
    act: await best(() => agent.act(observation)),
  };
}

/** The arrays that an update of critics and policy is run on. */
async function inputsOfUpdate(agent: DenoisingAgent): Promise<Inputs> {
  const inside = agent as unknown as Internals;
  const program = inside.updateAll;
  let inputs: Inputs = {};
  const capture = async (given: Inputs) => {
    inputs = given;
    return {};
  };
  inside.updateAll = Object.assign(capture, { dispose: () => undefined });
  await agent.learn();
  inside.updateAll = program;
  return inputs;
}

await tf.setBackend('cpu');
console.log(`${machine}; batch ${BATCH}`);
const wanted = process.argv[2] ?? '';
for (const [name, observationSize, actionSize, create] of rows.filter(([name]) => name.includes(wanted))) {
  const env = { observationSpace: Box.uniform(observationSize), actionSpace: Box.uniform(actionSize, -1, 1) };
  const agent = await create({ env, batchSize: BATCH });
  const times = Object.entries(await measure(agent));
  console.log(`\n${name}, observation ${observationSize}, action ${actionSize}`);
  console.log(times.map(([what, time]) => `  ${what} ${time.toPrecision(3)}`).join(''));
  agent.dispose();
}
process.exit(0);
