import * as tf from '@tensorflow/tfjs-core';
import type { StepNetwork } from '../networks/scoreNetwork.js';
import { lookup } from '../ops/linear.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import type { Kernels } from './chain.js';
import { EulerMaruyamaSampler } from './eulerMaruyama.js';
import type { SamplerSizes } from './sampler.js';
import type { StepKernels } from './stepKernels.js';

/**
 * General Bridges (Richter & Berner 2024; DIME, appendix F): the noising kernels are learned too,
 * $B_k:\ x_k \sim N(x_{k+1} + \eta_k\,(-x_{k+1}/\sigma_0^2 + g_\phi(x_{k+1}, s, k + 1)),\ 2\eta_k I)$, with a second network of the same
 * make. A backward control of 0, where training starts, is {@link EulerMaruyamaSampler}.
 *
 * **Subclass requirements.** As for {@link EulerMaruyamaSampler}.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, sampler: new GeneralBridgeSampler({ steps: 16 }) });
 * ```
 */
export class GeneralBridgeSampler extends EulerMaruyamaSampler {
  private backwardControl!: StepNetwork;

  protected override createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.backwardControl = this.createNetwork(rng.split('backwardControl'), sizes);
    const backward = prefixVariables('backwardControl', this.backwardControl.variables);
    return { ...super.createVariables(rng, sizes), ...backward };
  }

  protected override bind(observations: tf.Tensor2D, trainDiffusion: boolean): Kernels {
    const etas = tf.unstack(this.etas(trainDiffusion)) as tf.Tensor1D[];
    const control = this.backwardControl.bind(observations, this.schedule.steps + 1);
    return {
      ...super.bind(observations, trainDiffusion),
      backwardMean: (next, k) => this.move(next, etas[k] as tf.Tensor1D, control(next, k + 1)),
    };
  }

  override kernelsAt(observations: tf.Tensor2D, step: tf.Tensor1D, trainDiffusion = true): StepKernels {
    const eta: tf.Tensor2D = lookup(this.etas(trainDiffusion), step);
    const control = (next: tf.Tensor2D) =>
      this.backwardControl.apply(next, observations, tf.add(step, 1), this.schedule.steps + 1);
    return {
      ...super.kernelsAt(observations, step, trainDiffusion),
      backwardMean: (next) => this.move(next, eta, control(next)),
    };
  }
}
