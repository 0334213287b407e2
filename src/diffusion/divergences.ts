import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../ops/stopGradient.js';
import { type DiffusionPath, sumLogBackward, sumLogForward } from './path.js';

/** What a divergence needs of the paths it is given. */
export interface DivergenceRequirements {
  /** `'pathwise'`: gradients flow through the states. `'detached'`: states are constants, only densities carry gradients. */
  readonly trajectory: 'pathwise' | 'detached';
  /** Smallest number of trajectories per observation. */
  readonly minGroupSize: number;
  /** Whether an estimate of log Z(s) has to be handed in (and is trained along). */
  readonly logZ: boolean;
  /** Whether its gradient is right for the diffusion coefficient and learned noising kernels; if not they are frozen. */
  readonly trainsDiffusion: boolean;
  /** Its degree in the log weights: multiplied by temperature^degree it stays of the size of Q at any temperature. */
  readonly degree: 1 | 2;
}

/**
 * A scalar loss over paths that is smallest when the policy samples actions with density proportional to
 * $e^{\text{logTarget}}$.
 *
 * @param path B trajectories that fulfil `requirements`
 * @param logTarget `[B]`, unnormalised log-density of the target at `path.action`; Q / temperature for a policy
 * @param logZ `[B]`, estimate of the target's log normaliser at each trajectory's observation, where required
 */
export interface Divergence {
  (path: DiffusionPath, logTarget: tf.Tensor1D, logZ?: tf.Tensor1D): tf.Scalar;
  readonly requirements: DivergenceRequirements;
}

/** $W = C - \log\rho(a)$, `[B]`: minus the log importance weights. At the optimum W = -log Z(s) on every path. */
export function negativeLogWeights(path: DiffusionPath, logTarget: tf.Tensor1D): tf.Tensor1D {
  return tf.sub(path.totalCost, logTarget);
}

/** Reverse KL with gradients through the whole chain, mean W: DIME's actor loss divided by its temperature. */
export const reverseKl: Divergence = divergence(
  { trajectory: 'pathwise', minGroupSize: 1, logZ: false, trainsDiffusion: true, degree: 1 },
  (path, logTarget) => tf.mean(negativeLogWeights(path, logTarget)),
);

/**
 * Reverse KL with log-derivative gradients: needs no gradient of the target, and is right for learned diffusion
 * coefficients and backward kernels (Sanokowski et al. 2025). The baseline of a trajectory is the mean of the others in its group,
 * so the gradient is unbiased at any group size (with the group's mean it would be scaled by (n - 1)/n). Its value is mean W.
 */
export const logDerivativeKl: Divergence = divergence(
  { trajectory: 'detached', minGroupSize: 2, logZ: false, trainsDiffusion: true, degree: 1 },
  (path, logTarget) => {
    const weights = grouped(stopGradient(negativeLogWeights(path, logTarget)), path);
    const { groupSize } = path;
    const overOthers = groupSize / (groupSize - 1);
    const advantages = tf.reshape(tf.mul(tf.sub(weights, tf.mean(weights, 1, true)), overOthers), [-1]);
    const surrogate = tf.sub(tf.mean(tf.mul(advantages, sumLogForward(path))), tf.mean(sumLogBackward(path)));
    return tf.add(tf.mean(weights), tf.sub(surrogate, stopGradient(surrogate)));
  },
);

/** Half the variance of W within each observation's group (divided by the group size), averaged (Richter & Berner 2024). */
export const logVariance: Divergence = divergence(
  { trajectory: 'detached', minGroupSize: 2, logZ: false, trainsDiffusion: false, degree: 2 },
  (path, logTarget) => halfMeanSquare(centred(negativeLogWeights(path, logTarget), path)),
);

/** VarGrad (Richter et al. 2020): trajectory balance with log Z estimated by the group's mean of -W, gradient through the estimate. */
export const varGrad: Divergence = divergence(logVariance.requirements, (path, logTarget) => {
  const weights = grouped(negativeLogWeights(path, logTarget), path);
  const logZ = tf.neg(tf.mean(weights, 1, true));
  return halfMeanSquare(tf.add(weights, logZ));
});

/** Trajectory balance (Malkin et al. 2022): half the mean of (W + log Z)^2, with a learned log Z(s). */
export const trajectoryBalance: Divergence = divergence(
  { trajectory: 'detached', minGroupSize: 1, logZ: true, trainsDiffusion: false, degree: 2 },
  (path, logTarget, logZ) => halfMeanSquare(tf.add(negativeLogWeights(path, logTarget), logZ as tf.Tensor1D)),
);

/**
 * Forward KL with self-normalised importance weights within each observation's group: mass-covering, biased for small
 * groups. Watch {@link effectiveSampleSize}.
 */
export const forwardKl: Divergence = divergence(
  { trajectory: 'detached', minGroupSize: 2, logZ: false, trainsDiffusion: false, degree: 1 },
  (path, logTarget) => {
    const weights = normalisedWeights(path, logTarget);
    return tf.neg(tf.mean(tf.sum(tf.mul(weights, grouped(sumLogForward(path), path)), 1)));
  },
);

/** Effective sample size of each observation's importance weights, `[observations]`, from 1 to the group size. */
export function effectiveSampleSize(path: DiffusionPath, logTarget: tf.Tensor1D): tf.Tensor1D {
  return tf.div(1, tf.sum(tf.square(normalisedWeights(path, logTarget)), 1));
}

/** Importance weights that sum to 1 in each group, `[observations, groupSize]`, without gradient. */
function normalisedWeights(path: DiffusionPath, logTarget: tf.Tensor1D): tf.Tensor2D {
  return tf.softmax(grouped(stopGradient(tf.neg(negativeLogWeights(path, logTarget))), path));
}

function divergence(
  requirements: DivergenceRequirements,
  loss: (...args: Parameters<Divergence>) => tf.Tensor,
): Divergence {
  return Object.assign(loss as (...args: Parameters<Divergence>) => tf.Scalar, { requirements });
}

function grouped(values: tf.Tensor1D, path: DiffusionPath): tf.Tensor2D {
  return tf.reshape(values, [-1, path.groupSize]);
}

function centred(values: tf.Tensor1D, path: DiffusionPath): tf.Tensor2D {
  const groups = grouped(values, path);
  return tf.sub(groups, tf.mean(groups, 1, true));
}

function halfMeanSquare(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mean(tf.square(x)), 0.5);
}
