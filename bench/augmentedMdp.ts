/**
 * The diffusion chain as part of the environment (a policy and environment call for every diffusion step) against the
 * chain inside the policy (one of each for every environment step): environment steps a second, on Pendulum, compiled.
 *
 *     npx tsx bench/augmentedMdp.ts [--steps 1,5,10,20] [--envs 1,8,64] [--seconds 2]
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../src/compile/index.js';
import { dmerlSampler } from '../src/diffusion/dmerl.js';
import { Pendulum } from '../src/envs/classic/pendulum.js';
import { SyncVectorEnv } from '../src/envs/syncVectorEnv.js';
import { AugmentedMdp } from '../src/mdp/augmentedMdp.js';
import { Rng } from '../src/rng/rng.js';
import { type ChainPolicy, collectInternal, collectWrapped } from './collect.js';
import { machine, time } from './measure.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '1,5,10,20' },
    envs: { type: 'string', default: '1,8,64' },
    seconds: { type: 'string', default: '2' },
  },
});
const ROUNDS = 4;
const [stepCounts, envCounts] = [values.steps, values.envs].map((list) => list.split(',').map(Number));

/** A default policy, compiled both ways. */
function compiledPolicy(steps: number): ChainPolicy & { priorStd: number } {
  const { observationSpace, actionSpace } = new Pendulum();
  const [observationSize, actionSize] = [observationSpace.size, actionSpace.size];
  const sampler = dmerlSampler({ steps }).build(Rng.fromSeed(0), { observationSize, actionSize });
  const latents = compile((observations: tf.Tensor2D, noise: tf.Tensor3D) => sampler.latents(observations, noise), {
    outputs: 'arrays',
  });
  const transition = compile(
    (observations: tf.Tensor2D, x: tf.Tensor2D, step: tf.Tensor1D, noise: tf.Tensor2D) => {
      const kernels = sampler.bind(observations);
      return tf.add(kernels.forwardMean(x, step), tf.mul(kernels.std(step), noise));
    },
    { outputs: 'arrays' },
  );
  const rows = (data: Float32Array, width: number) => ({ data, shape: [data.length / width, width] });
  const { priorStd } = sampler;
  return {
    steps,
    priorStd,
    async step(observations, x, k, noise) {
      const step = { data: new Float32Array(x.length / actionSize).fill(k), shape: [x.length / actionSize] };
      const next = await transition(
        rows(observations, observationSize),
        rows(x, actionSize),
        step,
        rows(noise, actionSize),
      );
      return next.data as Float32Array;
    },
    async chain(observations, start, noise) {
      const all = new Float32Array(start.length + noise.length);
      all.set(start.map((value) => value / priorStd));
      all.set(noise, start.length);
      const shape = [steps + 1, start.length / actionSize, actionSize];
      return (await latents(rows(observations, observationSize), { data: all, shape })).data as Float32Array;
    },
  };
}

type Collect = (length: number) => Promise<unknown>;

/** Environment steps a second of `collect`, which takes a number of steps of all environments. */
async function speed(numEnvs: number, collect: Collect, seconds: number): Promise<number> {
  let length = 10;
  for (;;) {
    const elapsed = (await time(() => collect(length))) / 1000;
    if (elapsed >= seconds) return (length * numEnvs) / elapsed;
    length = Math.ceil(length * Math.min(10, (1.2 * seconds) / elapsed));
  }
}

/** The highest speeds of two that take turns, so that other work on the machine meets both. */
async function compare(numEnvs: number, first: Collect, second: Collect): Promise<[number, number]> {
  const fastest: [number, number] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    fastest[0] = Math.max(fastest[0], await speed(numEnvs, first, Number(values.seconds) / ROUNDS));
    fastest[1] = Math.max(fastest[1], await speed(numEnvs, second, Number(values.seconds) / ROUNDS));
  }
  return fastest;
}
console.log(`${machine}\n`);
console.log('| K | environments | wrapper, steps/s | internal, steps/s | ratio |\n|---|---|---|---|---|');
for (const steps of stepCounts as number[]) {
  const policy = compiledPolicy(steps);
  for (const numEnvs of envCounts as number[]) {
    const plain = await SyncVectorEnv.create(numEnvs, () => new Pendulum());
    const wrapped = await SyncVectorEnv.create(
      numEnvs,
      () => new AugmentedMdp(new Pendulum(), { diffusionSteps: steps, priorStd: policy.priorStd }),
    );
    const noise = Rng.fromSeed(1);
    const priors = Array.from({ length: numEnvs }, (_, i) => Rng.fromSeed(2).split(i));
    const { priorStd } = policy;
    const [outside, inside] = await compare(
      numEnvs,
      (length) => collectWrapped(wrapped, policy, { length, seed: 0, noise }),
      (length) => collectInternal(plain, policy, { length, seed: 0, noise, priors, priorStd }),
    );
    const cells = [steps, numEnvs, outside.toFixed(0), inside.toFixed(0), (inside / outside).toFixed(1)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
process.exit(0);
