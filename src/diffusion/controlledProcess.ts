import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireOneOf } from '../errors.js';
import { gated } from '../networks/gated.js';
import type { BoundNetwork, DiffusionStep } from '../networks/stepNetwork.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { rowsOf } from '../ops/linear.js';
import { softplusInverse } from '../ops/softplus.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import { type GivenOptions, integer, number, option, readOptions } from '../options.js';
import { dimeCosineSchedule } from '../schedules/dimeCosine.js';
import type { TransitionKernels } from './kernels.js';
import type { NetworkFactory, Process } from './process.js';
import { chosenSchedule, networkOption, scheduleOption } from './processOptions.js';

/** The options of {@link eulerMaruyama} and {@link ornsteinUhlenbeck}. */
export const controlledProcessOptions = {
  steps: integer(undefined, { min: 1 }, 'Diffusion steps K, default 16; or give a schedule.'),
  schedule: scheduleOption('Its stepSizes are used.', 'dimeCosineSchedule({ steps })'),
  priorStd: number(2.5, { above: 0 }, 'Standard deviation of the prior.'),
  stepSize: number(0.1, { above: 0 }, "Initial factor on the schedule's step sizes."),
  learnDiffusion: option<boolean | 'perStep'>({
    doc: 'Whether step size and friction (its divisor per dimension) are trained; perStep trains one size for each step.',
    allowed: "true | false | 'perStep'",
    initial: true,
    check: (where, name, value) => requireOneOf(where, name, value, [true, false, 'perStep']),
  }),
  maxStepSize: number(
    undefined,
    { above: 0 },
    "Bound m of step sizes, which become m tanh(eta / m): at most the prior's variance, no step overshoots. None as released.",
  ),
  gatedControl: number(
    undefined,
    { above: 0 },
    'Bound b of the control, which is gated then: means stay within max(|x|, b priorStd^2) at bounded steps. None as released.',
  ),
  network: networkOption('Makes the control network.', '(rng, sizes) => new TimeConditionedMlp(rng, sizes)'),
};

export type ControlledProcessOptions = GivenOptions<typeof controlledProcessOptions>;

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
  const given = readOptions(where, options, controlledProcessOptions);
  const { priorStd, stepSize, learnDiffusion: learn, maxStepSize } = given;
  const schedule = chosenSchedule(where, given, () => dimeCosineSchedule({ steps: given.steps ?? 16 }));
  const network = controlNetwork(where, given);
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
  if (network)
    throw new ArgumentError(
      `${where}: give gatedControl, which is for the control network of the process itself, or network, not both.`,
    );
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
  const move = (x: tf.Tensor2D, step: DiffusionStep, by?: tf.Tensor2D): tf.Tensor2D => {
    const decayed: tf.Tensor2D = tf.mul(decay(step), x);
    return by ? tf.add(decayed, tf.mul(gain(step), by)) : decayed;
  };
  return {
    steps: coefficients.std.shape[0],
    forwardMean: (x, step) => move(x, step, control(x, step)),
    backwardMean: Object.assign(move, {
      ofAllSteps: (next: tf.Tensor3D): tf.Tensor3D => tf.mul(tf.expandDims(coefficients.decay, 1), next),
    }),
    std: rowsOf(coefficients.std),
  };
}
