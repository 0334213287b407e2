import { type SamplingMode, samplingModes } from '../diffusion/chain.js';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { requireInteger, requireNumber, requireOneOf } from '../errors.js';
import type { DiscountMode } from '../mdp/discounts.js';
import type { TemperatureSetting } from '../objectives/temperatureControl.js';
import type { ClipScaling } from './clipScaling.js';
import type { BaseAgentOptions } from './legacyBaseAgent.js';
import type { UpdateScaling } from './updateScaling.js';

export interface DiffPpoOptions extends BaseAgentOptions {
  /** The policy's chain, default {@link dmerlSampler}`()`. Built by the agent. */
  sampler?: DiffusionSampler;
  /** Environment steps, all environments together, between updates; default 2048. */
  rolloutSteps?: number;
  /** Passes over a rollout, default 5. */
  epochs?: number;
  /** Transitions of the augmented MDP in a gradient step (before `updateScaling`), default 256. */
  minibatchSize?: number;
  /** How updates grow with K, default `'minibatches'`. */
  updateScaling?: UpdateScaling;
  /** Ratios of an unscaled policy (K = 1) are clipped to [1 - clip, 1 + clip]; default 0.2. */
  clip?: number;
  /** How `clip` becomes that of a diffusion step, default `'sqrtK'`. */
  clipScaling?: ClipScaling;
  /** An update stops early when a minibatch's chain KL from the old policy exceeds this; default 0.05. */
  targetChainKl?: number;
  /** Of rewards as the agent sees them, see `scaleRewards`; default 0.005. 0 is plain PPO on the chain, as in DPPO. */
  temperature?: TemperatureSetting;
  /** Decay of generalised advantage estimation in [0, 1], default 0.95. */
  lambda?: number;
  /** Default `'phase'`. */
  discountMode?: DiscountMode;
  /** `'latent'` (default): values see latent and step. `'state'`: the observation only, as in DPPO. */
  value?: 'latent' | 'state';
  /** Widths of the value network, default `[256, 256]`. */
  valueHidden?: readonly number[];
  /** Divide advantages by their standard deviation in the minibatch, default `true`. */
  normaliseAdvantages?: boolean;
  /** Re-evaluate the entropy part of the advantages at the current parameters, default `true`. */
  recomputeEntropy?: boolean;
  /** Networks see observations less their running mean, over their running standard deviation; default `true`. */
  normaliseObservations?: boolean;
  /** Divide rewards by the running standard deviation of the discounted return, default `true`. */
  scaleRewards?: boolean;
  /** Of actor and value network, default 3e-4. */
  learningRate?: number;
  /** Largest norm of a gradient, default 0.5. */
  maxGradientNorm?: number;
  /** How the chain is run with `explore: false`, default `'sde'`: as it was trained. */
  evaluation?: SamplingMode;
}

/** The options with their defaults. @throws ArgumentError for values out of range */
export function checkedPpoOptions(options: DiffPpoOptions) {
  const where = 'DiffPpoAgent';
  return {
    gamma: requireNumber(where, 'gamma', options.gamma ?? 0.99, { min: 0, below: 1 }),
    lambda: requireNumber(where, 'lambda', options.lambda ?? 0.95, { min: 0, max: 1 }),
    rolloutSteps: requireInteger(where, 'rolloutSteps', options.rolloutSteps ?? 2048, { min: 1 }),
    epochs: requireInteger(where, 'epochs', options.epochs ?? 5, { min: 1 }),
    minibatchSize: requireInteger(where, 'minibatchSize', options.minibatchSize ?? 256, { min: 1 }),
    updateScaling: requireOneOf(where, 'updateScaling', options.updateScaling ?? 'minibatches', [
      'minibatches',
      'none',
      'subsample',
    ]),
    clip: requireNumber(where, 'clip', options.clip ?? 0.2, { above: 0, below: 1 }),
    targetChainKl: requireNumber(where, 'targetChainKl', options.targetChainKl ?? 0.05, { above: 0 }),
    value: requireOneOf(where, 'value', options.value ?? 'latent', ['latent', 'state']),
    valueHidden: options.valueHidden ?? [256, 256],
    normaliseAdvantages: options.normaliseAdvantages ?? true,
    recomputeEntropy: options.recomputeEntropy ?? true,
    normaliseObservations: options.normaliseObservations ?? true,
    scaleRewards: options.scaleRewards ?? true,
    learningRate: requireNumber(where, 'learningRate', options.learningRate ?? 3e-4, { min: 0 }),
    maxGradientNorm: requireNumber(where, 'maxGradientNorm', options.maxGradientNorm ?? 0.5, { above: 0 }),
    evaluation: requireOneOf(where, 'evaluation', options.evaluation ?? 'sde', samplingModes),
  };
}
