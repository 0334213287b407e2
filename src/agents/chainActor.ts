import * as tf from '@tensorflow/tfjs-core';
import type { SamplingMode } from '../diffusion/chain.js';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import type { Rng } from '../rng/rng.js';
import { matrix } from './arrays.js';
import type { PolicyGraph } from './exportOnnx.js';
import type { Compiler, Program } from './program.js';

type Seen = { observations: tf.Tensor2D; noise: tf.Tensor };

/** Runs a policy's chain on observations: with all its states to gather data, to its end alone to show what was learned. */
export class ChainActor {
  private readonly exploreProgram: Program<Seen, 'latents' | 'actions'>;
  private readonly evaluateProgram: Program<Seen, 'actions'>;

  /** @param mode how `evaluate` and the exported policy run the chain */
  constructor(
    private readonly sampler: DiffusionSampler,
    private readonly mode: SamplingMode,
    compiler: Compiler,
  ) {
    const { squash, schedule } = sampler;
    this.exploreProgram = compiler(({ observations, noise }: Seen) => {
      const latents = sampler.latents(observations, noise);
      const end = tf.squeeze(tf.slice(latents, [schedule.steps, 0, 0]), [0]) as tf.Tensor2D;
      return { latents, actions: squash.apply(end) };
    });
    this.evaluateProgram = compiler(({ observations, noise }: Seen) => ({
      actions: sampler.actions(observations, noise, mode),
    }));
  }

  /** The chain's states `[K + 1, N, A]` and the actions `[N, A]` that they end in, in [-1, 1]. */
  explore(observations: Float32Array, noise: Rng): Promise<Record<'latents' | 'actions', Float32Array>> {
    return this.exploreProgram(this.inputs(observations, noise));
  }

  /** Actions `[N, A]` in [-1, 1]. */
  async evaluate(observations: Float32Array, noise: Rng): Promise<Float32Array> {
    return (await this.evaluateProgram(this.inputs(observations, noise))).actions;
  }

  /** What `evaluate` computes, to export it. @param preprocess made part of the graph, default: nothing */
  graph(rows: number, preprocess = (observations: tf.Tensor2D) => observations): PolicyGraph {
    const { sampler, mode } = this;
    return {
      inputs: {
        observation: { shape: [rows, sampler.sizes.observationSize] },
        noise: { shape: sampler.noiseShape(rows) },
      },
      program: ({ observation, noise }) => ({
        action: sampler.actions(preprocess(observation), noise, mode),
      }),
    };
  }

  private inputs(observations: Float32Array, noise: Rng) {
    const { observationSize } = this.sampler.sizes;
    const shape = this.sampler.noiseShape(observations.length / observationSize);
    const data = noise.normals(tf.util.sizeFromShape(shape));
    return { observations: matrix(observations, observationSize), noise: { data, shape } };
  }

  dispose(): void {
    this.exploreProgram.dispose();
    this.evaluateProgram.dispose();
  }
}
