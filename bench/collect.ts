import type { VectorEnv } from '../src/envs/vectorEnv.js';
import { type AugmentedRecords, AugmentedRollout, type AugmentedStep, join } from '../src/mdp/rollout.js';
import type { Rng } from '../src/rng/rng.js';
import { ActionScale } from '../src/spaces/actionScale.js';
import type { MaybePromise } from '../src/state.js';

/** A diffusion policy as both modes of collection call it. Arrays are flat rows of N environments. */
export interface ChainPolicy {
  /** Diffusion steps K. */
  readonly steps: number;
  /** Successors `[N, A]` of the latents `[N, A]` at step k (generation order); `noise` `[N, A]` is standard normal. */
  step(observations: Float32Array, latents: Float32Array, k: number, noise: Float32Array): MaybePromise<Float32Array>;
  /** All states `[K + 1, N, A]` of the chains from `start` `[N, A]`; `noise` `[K, N, A]` is standard normal. */
  chain(observations: Float32Array, start: Float32Array, noise: Float32Array): MaybePromise<Float32Array>;
}

export interface CollectOptions {
  /** Environment steps. */
  length: number;
  /** Seed of the environments. */
  seed: number;
  /** Stream of the kernels' noise. */
  noise: Rng;
}

/**
 * Internal mode: the whole chain for all environments in one call, then one step of all environments.
 *
 * @param options.priors one stream an environment, for the starts, as that of an AugmentedMdp
 * @param options.priorStd standard deviation of the prior
 * @param options.squash map from an entry of the chain's end to [-1, 1], default tanh
 */
export async function collectInternal(
  env: VectorEnv,
  policy: ChainPolicy,
  options: CollectOptions & { priors: Rng[]; priorStd: number; squash?: (x: number) => number },
): Promise<AugmentedRecords> {
  const { length, seed, noise, priors, priorStd, squash = Math.tanh } = options;
  const size = env.actionSpace.size;
  const scale = new ActionScale(env.actionSpace);
  const draw = (i: number) => (priors[i] as Rng).normals(size, 0, priorStd);
  const rollout = new AugmentedRollout();
  let { observations } = await env.reset({ seed });
  let start = flatten(priors.map((_, i) => draw(i)));
  for (let t = 0; t < length; t++) {
    const stepNoise = flatten(Array.from({ length: policy.steps }, () => noise.normals(start.length)));
    const latents = await policy.chain(observations, start, stepNoise);
    const step = await env.step(scale.toSpace(latents.slice(-start.length).map(squash)));
    const nextLatents = flatten(priors.map((_, i) => draw(i)));
    const { rewards, nextObservations, terminated, truncated } = step;
    rollout.add({ observations, latents, rewards, nextObservations, nextLatents, terminated, truncated });
    observations = step.observations;
    start = nextLatents.slice();
    for (let i = 0; i < env.numEnvs; i++) if (terminated[i] || truncated[i]) start.set(draw(i), i * size);
  }
  return rollout.take();
}

/** Wrapper mode: one call of policy and environments, each an {@link AugmentedMdp}, for every diffusion step. */
export async function collectWrapped(
  env: VectorEnv,
  policy: ChainPolicy,
  { length, seed, noise }: CollectOptions,
): Promise<AugmentedRecords> {
  const size = env.actionSpace.size;
  const rollout = new AugmentedRollout();
  let { observations } = await env.reset({ seed });
  for (let t = 0; t < length; t++) {
    const start = split(observations, env.numEnvs, size);
    const states = [start.latents];
    let last: Awaited<ReturnType<VectorEnv['step']>> | undefined;
    for (let k = 0; k < policy.steps; k++) {
      const latents = states[k] as Float32Array;
      states.push(await policy.step(start.observations, latents, k, noise.normals(latents.length)));
      last = await env.step(states[k + 1] as Float32Array);
    }
    const { rewards, nextObservations, terminated, truncated } = last as NonNullable<typeof last>;
    const next = split(nextObservations, env.numEnvs, size);
    const step: AugmentedStep = {
      observations: start.observations,
      latents: flatten(states),
      rewards,
      nextObservations: next.observations,
      nextLatents: next.latents,
      terminated,
      truncated,
    };
    rollout.add(step);
    observations = (last as NonNullable<typeof last>).observations;
  }
  return rollout.take();
}

/** The parts of augmented observations, rows of N environments. */
function split(augmented: Float32Array, rows: number, actionSize: number) {
  const width = augmented.length / rows;
  const observationSize = width - actionSize - 1;
  const part = (from: number, to: number) =>
    flatten(Array.from({ length: rows }, (_, i) => augmented.subarray(i * width + from, i * width + to)));
  return { observations: part(0, observationSize), latents: part(observationSize, width - 1) };
}

function flatten(parts: Float32Array[]): Float32Array {
  return join(parts) as Float32Array;
}
