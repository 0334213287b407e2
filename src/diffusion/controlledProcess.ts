import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireNumber, requireOneOf } from '../errors.js';
import { gated } from '../networks/gated.js';
import type { BoundNetwork } from '../networks/stepNetwork.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { rowsOf } from '../ops/linear.js';
import { softplusInverse } from '../ops/softplus.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import { dimeCosineSchedule } from '../schedules/dimeCosine.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import type { TransitionKernels } from './kernels.js';
import type { NetworkFactory, Process } from './process.js';

export interface ControlledProcessOptions {
  /** Diffusion steps K >= 1 of the default schedule, default 16. */
  steps?: number;
  /** Default {@link dimeCosineSchedule} with `steps`; its `stepSizes` are used. Give one or the other. */
  schedule?: NoiseSchedule;
  /** Standard deviation of the prior, default 2.5. */
  priorStd?: number;
  /** Initial factor on the schedule's step sizes, default 0.1. */
  stepSize?: number;
  /**
   * Whether the step size and its per-dimension divisor ("friction") are trained, default `true`;
   * `'perStep'` trains a step size for every step.
   */
  learnDiffusion?: boolean | 'perStep';
  /**
   * Largest step size m > 0: $\eta$ becomes $m\,\tanh(\eta/m)$. Up to $\sigma_0^2$ no training can make Euler's steps overshoot the
   * prior's mean. Default: none, as released.
   */
  maxStepSize?: number;
  /**
   * Bound > 0 of the control, which is {@link gated} then; put that around a network of your own yourself. With a bounded
   * control and step size a chain cannot leave $\max(|x_0|, \sigma_0^2\,\text{bound})$ but by its noise. Default: none, as released.
   */
  gatedControl?: number;
  /** The control network, default {@link TimeConditionedMlp}. */
  network?: NetworkFactory;
}

/** Steps of size $\eta$: their mean is `decay * x + gain * control`. Shapes as those of $\eta$, `[K, A]` or `[K, 1]`. */
export interface StepCoefficients {
  decay: tf.Tensor2D;
  gain: tf.Tensor2D;
  std: tf.Tensor2D;
}

/** How the controlled Ornstein-Uhlenbeck process with stationary standard deviation `priorStd` is cut into steps. */
export type Discretisation = (stepSizes: tf.Tensor2D, priorStd: number) => StepCoefficients;

/**
 * The Ornstein-Uhlenbeck process whose stationary distribution is the prior, steered by a network from noise to the
 * action, in steps $\eta_{k,d} = \mathrm{softplus}(\tau)\,c(k)/\mathrm{softplus}(\phi_d)$ with a learned step size $\tau$, a
 * learned friction $\phi$ and the schedule's $c(k)$. A control of 0, where training starts, leaves it stationary.
 *
 * @param where named in errors
 * @throws ArgumentError for a value out of range, or both steps and schedule, or both gatedControl and network
 */
export function controlledProcess(
  where: string,
  discretise: Discretisation,
  options: ControlledProcessOptions,
): Process {
  if (options.steps !== undefined && options.schedule) {
    throw new ArgumentError(`${where}: give steps or schedule, not both; a schedule has its own steps.`);
  }
  const schedule = options.schedule ?? dimeCosineSchedule({ steps: options.steps ?? 16 });
  const priorStd = requireNumber(where, 'priorStd', options.priorStd ?? 2.5, { above: 0 });
  const stepSize = requireNumber(where, 'stepSize', options.stepSize ?? 0.1, { above: 0 });
  const learn = requireOneOf(where, 'learnDiffusion', options.learnDiffusion ?? true, [true, false, 'perStep']);
  const { maxStepSize } = options;
  if (maxStepSize !== undefined) requireNumber(where, 'maxStepSize', maxStepSize, { above: 0 });
  const network = controlNetwork(where, options);
  return {
    schedule,
    priorStd,
    network,
    build(rng, sizes) {
      const { actionSize } = sizes;
      const learned = learn ? stepVariables(learn === 'perStep' ? schedule.steps : 1, actionSize, stepSize) : {};
      const control = network(rng.split('control'), sizes);
      const etas = (): tf.Tensor2D => {
        const factor = learn ? learnedFactor(learned) : tf.fill([1, actionSize], stepSize);
        const free: tf.Tensor2D = tf.mul(factor, tf.tensor2d([...schedule.stepSizes], [schedule.steps, 1]));
        return maxStepSize ? tf.mul(tf.tanh(tf.div(free, maxStepSize)), maxStepSize) : free;
      };
      return {
        variables: { ...learned, ...prefixVariables('control', control.variables) },
        bind(observations, { groupSize = 1, trainDiffusion = true } = {}) {
          const coefficients = discretise(trainDiffusion ? etas() : withoutGradient(etas), priorStd);
          return controlledKernels(coefficients, control.bind(observations, schedule.steps, groupSize));
        },
      };
    },
  };
}

function controlNetwork(where: string, { network, gatedControl }: ControlledProcessOptions): NetworkFactory {
  if (gatedControl === undefined) return network ?? ((rng, sizes) => new TimeConditionedMlp(rng, sizes));
  requireNumber(where, 'gatedControl', gatedControl, { above: 0 });
  if (network) throw new ArgumentError(`${where}: give gatedControl or network, not both; use gated(...) in network.`);
  return (rng, sizes) => gated(new TimeConditionedMlp(rng, { ...sizes, outputs: 2 * sizes.actionSize }), gatedControl);
}

function stepVariables(count: number, actionSize: number, stepSize: number): Variables {
  const raw = (size: number, value: number) => tf.tidy(() => tf.variable(tf.fill([size], softplusInverse(value))));
  return { stepSize: raw(count, stepSize), friction: raw(actionSize, 1) };
}

/** What the schedule's step sizes are multiplied by, `[K, A]` or `[1, A]`. */
function learnedFactor({ stepSize, friction }: Variables): tf.Tensor {
  return tf.div(tf.softplus(tf.reshape(stepSize as tf.Tensor, [-1, 1])), tf.softplus(friction as tf.Tensor));
}

function controlledKernels(coefficients: StepCoefficients, control: BoundNetwork): TransitionKernels {
  const decay = rowsOf(coefficients.decay);
  const gain = rowsOf(coefficients.gain);
  const move: TransitionKernels['backwardMean'] = (x, step, by) => {
    const decayed: tf.Tensor2D = tf.mul(decay(step), x);
    return by ? tf.add(decayed, tf.mul(gain(step), by)) : decayed;
  };
  return {
    steps: coefficients.std.shape[0],
    forwardMean: (x, step) => move(x, step, control(x, step)),
    backwardMean: move,
    std: rowsOf(coefficients.std),
  };
}
