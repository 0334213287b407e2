import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import type { BoundNetwork } from '../networks/stepNetwork.js';
import { stopGradient } from '../ops/stopGradient.js';
import { prefixVariables } from '../ops/variables.js';
import { type GivenOptions, readOptions } from '../options.js';
import { DiffusionSampler } from './diffusionSampler.js';
import { type EulerMaruyamaOptions, eulerMaruyama, eulerMaruyamaOptions } from './eulerMaruyama.js';
import { stdOfBackward } from './kernels.js';
import type { Process } from './process.js';
import { networkOption, processOption } from './processOptions.js';

const generalBridgeOptions = {
  around: processOption('The process whose noising kernels are learned.'),
  network: networkOption('Makes the backward control.', "as the process's own network"),
};

export type GeneralBridgeOptions = GivenOptions<typeof generalBridgeOptions> & { around: Process };

/**
 * General Bridges (Richter & Berner 2024; DIME, appendix F): a process with learned noising kernels. A second network
 * steers them as the first steers the kernels that lead to the action; around {@link eulerMaruyama}
 * $B_k:\ x_k \sim N(x_{k+1} + \eta_k\,(-x_{k+1}/\sigma_0^2 + g_\phi(x_{k+1}, s, k)),\ 2\eta_k I)$. A backward control of 0 is the process
 * itself; networks whose last kernel starts near 0, as all do but {@link ddpm}'s, start there.
 *
 * @example
 * ```ts run
 * import { DiffusionSampler, generalBridge, ornsteinUhlenbeck, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const process = generalBridge({ around: ornsteinUhlenbeck({ steps: 8, stepSize: 3 }) });
 * const sampler = new DiffusionSampler({ process }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const parts = new Set(Object.keys(sampler.variables).map((name) => name.split('/')[0]));
 * console.log([...parts].join(', ')); // stepSize, friction, control, backwardControl
 * ```
 */
export function generalBridge(options: GeneralBridgeOptions): Process {
  const { around: process, network = process.network } = readOptions('generalBridge', options, generalBridgeOptions);
  const bridge: Process = {
    schedule: process.schedule,
    priorStd: process.priorStd,
    network: process.network,
    build(rng, sizes) {
      const built = process.build(rng, sizes);
      const backward = network(rng.split('backwardControl'), sizes);
      return {
        variables: { ...built.variables, ...prefixVariables('backwardControl', backward.variables) },
        bind(observations, bindOptions = {}) {
          const { groupSize = 1, trainDiffusion = true } = bindOptions;
          const kernels = built.bind(observations, bindOptions);
          const bound = backward.bind(observations, process.schedule.steps, groupSize);
          const control = trainDiffusion ? bound : frozen(bound);
          return {
            steps: kernels.steps,
            forwardMean: (x, step) => kernels.forwardMean(x, step),
            backwardMean: (next, step) => kernels.backwardMean(next, step, control(next, step)),
            std: (step) => kernels.std(step),
            backwardStd: (step) => stdOfBackward(kernels, step),
          };
        },
      };
    },
  };
  return described(bridge, generalBridge, options);
}

/** `network` with gradients for the latents but none for its parameters: those are taken off again at fixed latents. */
function frozen(network: BoundNetwork): BoundNetwork {
  return (x, step) => {
    const atFixed = network(stopGradient(x), step);
    return tf.add(network(x, step), tf.sub(stopGradient(atFixed), atFixed));
  };
}

/**
 * A {@link DiffusionSampler} of a {@link generalBridge} around {@link eulerMaruyama}.
 *
 * **Subclass requirements.** As for {@link DiffusionSampler}.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, sampler: new GeneralBridgeSampler({ steps: 16 }) });
 * ```
 */
export class GeneralBridgeSampler extends DiffusionSampler {
  /** @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule */
  constructor(options: EulerMaruyamaOptions = {}) {
    const { divergence, squash, ...process } = readOptions('GeneralBridgeSampler', options, eulerMaruyamaOptions);
    super({ process: generalBridge({ around: eulerMaruyama(process) }), divergence, squash });
    described(this, new.target, options);
  }
}
