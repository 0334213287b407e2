import * as tf from '@tensorflow/tfjs-core';
import type { SamplingMode } from '../../diffusion/chain.js';
import type { DiffusionSampler } from '../../diffusion/diffusionSampler.js';
import { matrix } from '../arrays.js';
import type { PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import type { Program, TensorProgram, Tensors } from '../program.js';

type Seen = { observations: tf.Tensor2D; noise: tf.Tensor };

/** Runs a policy's chain on observations: with all its states to gather data, to its end alone to show what was learned. */
export class ChainActor {
  private readonly exploring: Program<Seen, 'latents' | 'actions'>;
  private readonly evaluating: Program<Seen, 'actions'>;

  /**
   * @param mode how `evaluate` and the exported policy run the chain
   * @param program the agent's
   */
  constructor(
    private readonly sampler: DiffusionSampler,
    private readonly mode: SamplingMode,
    program: <In extends Tensors, Out extends string>(program: TensorProgram<In, Out>) => Program<In, Out>,
  ) {
    const { squash, schedule } = sampler;
    this.exploring = program(({ observations, noise }: Seen) => {
      const latents = sampler.latents(observations, noise);
      const end = tf.squeeze<tf.Tensor2D>(tf.slice(latents, [schedule.steps, 0, 0]), [0]);
      return { latents, actions: squash.apply(end) };
    });
    this.evaluating = program(({ observations, noise }: Seen) => ({
      actions: sampler.actions(observations, noise, mode),
    }));
  }

  /** The chain's states `[K + 1, N, A]` and the actions `[N, A]` that they end in, in [-1, 1]. */
  explore(observations: Float32Array, draw: NoiseSource): Promise<Record<'latents' | 'actions', Float32Array>> {
    return this.exploring(this.inputs(observations, draw));
  }

  /** Actions `[N, A]` in [-1, 1]. */
  evaluate(observations: Float32Array, draw: NoiseSource): Promise<{ actions: Float32Array }> {
    return this.evaluating(this.inputs(observations, draw));
  }

  /** What `evaluate` computes, to export it. @param preprocess made part of the graph, default: nothing */
  graph(rows: number, preprocess = (observations: tf.Tensor2D) => observations): PolicyGraph {
    const { sampler, mode } = this;
    return {
      inputs: {
        observation: { shape: [rows, sampler.sizes.observationSize] },
        noise: { shape: sampler.noiseShape(rows) },
      },
      program: ({ observation, noise }) => ({ action: sampler.actions(preprocess(observation), noise, mode) }),
    };
  }

  private inputs(observations: Float32Array, draw: NoiseSource) {
    const { observationSize } = this.sampler.sizes;
    const shapeOf = (rows: number) => this.sampler.noiseShape(rows);
    return {
      observations: matrix(observations, observationSize),
      noise: draw(shapeOf, observations.length / observationSize),
    };
  }
}
