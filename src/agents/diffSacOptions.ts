import { type SamplingMode, samplingModes } from '../diffusion/chain.js';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { ArgumentError, requireInteger, requireNumber, requireOneOf } from '../errors.js';
import type { TemperatureSetting } from '../objectives/temperatureControl.js';
import type { OffPolicyOptions } from './legacyOffPolicyAgent.js';
import type { TrustRegionOptions } from './trustRegion.js';

export interface DiffSacOptions extends OffPolicyOptions {
  /** The policy's chain, default {@link dmerlSampler}`()`. Built by the agent. */
  sampler?: DiffusionSampler;
  /**
   * Where the latents that actor and critic train on come from: `'resimulate'` (default) runs the current policy's chain
   * on replayed observations, without gradients; `'replay'` stores those of the acting policy, K A numbers a transition.
   */
  latents?: 'resimulate' | 'replay';
  /**
   * How Q(s, a) looks ahead: `'chain'` (default) to the action at the end of a chain at s', as DIME does; `'step'` to the
   * value of a prior draw at s', which takes no chain but K + 1 updates to carry a reward across one environment step.
   */
  actionTarget?: 'chain' | 'step';
  /**
   * How the value of a latent looks ahead: `'chain'` (default with resimulated latents) to the end of its chain, `'step'`
   * (the only way with replayed ones) to a fresh successor.
   */
  latentTarget?: 'chain' | 'step';
  /** `'reverse'` (default) KL from the local target, or `'forward'`: importance-weighted likelihood of whole chains. */
  divergence?: 'reverse' | 'forward';
  /** Chains per observation, each with one sampled step; default 1, or 8 whose weights are compared with `'forward'`. */
  groupSize?: number;
  /** Leave out the part of the actor's gradient that has mean zero, see {@link SacStepOptions}; default `false`. */
  pathOnly?: boolean;
  /** Default `{ automatic: {} }`: path entropy steered to -1 nat an action dimension. */
  temperature?: TemperatureSetting;
  /** How far target critics move in an update, in (0, 1]; default 0.005. */
  targetRate?: number;
  /** Widths of the critics, default `[256, 256]`. */
  criticHidden?: readonly number[];
  /** Default 3e-4. */
  actorLearningRate?: number;
  /** Default 3e-4. */
  criticLearningRate?: number;
  /** Default `false`: none. */
  trustRegion?: TrustRegionOptions | false;
  /** How the chain is run with `explore: false`, default `'lastStepMean'`. */
  evaluation?: SamplingMode;
}

/** The options with their defaults. @throws ArgumentError for values out of range */
export function checkedSacOptions(options: DiffSacOptions) {
  const where = 'DiffSacAgent';
  const latents = requireOneOf(where, 'latents', options.latents ?? 'resimulate', ['resimulate', 'replay']);
  const divergence = requireOneOf(where, 'divergence', options.divergence ?? 'reverse', ['reverse', 'forward']);
  const latentTarget = options.latentTarget ?? (latents === 'resimulate' ? 'chain' : 'step');
  const groupSize = options.groupSize ?? (divergence === 'forward' ? 8 : 1);
  if (latents === 'replay' && (latentTarget === 'chain' || divergence === 'forward' || groupSize !== 1)) {
    throw new ArgumentError(
      `${where}: latents 'replay' goes with latentTarget 'step', divergence 'reverse' and groupSize 1 only, for it simulates no chains; use latents 'resimulate' for the others.`,
    );
  }
  return {
    latents,
    divergence,
    latentTarget: requireOneOf(where, 'latentTarget', latentTarget, ['chain', 'step']),
    actionTarget: requireOneOf(where, 'actionTarget', options.actionTarget ?? 'chain', ['chain', 'step']),
    groupSize: requireInteger(where, 'groupSize', groupSize, { min: divergence === 'forward' ? 2 : 1 }),
    pathOnly: options.pathOnly ?? false,
    gamma: requireNumber(where, 'gamma', options.gamma ?? 0.99, { min: 0, below: 1 }),
    targetRate: requireNumber(where, 'targetRate', options.targetRate ?? 0.005, { above: 0, max: 1 }),
    criticHidden: options.criticHidden ?? [256, 256],
    actorLearningRate: requireNumber(where, 'actorLearningRate', options.actorLearningRate ?? 3e-4, { min: 0 }),
    criticLearningRate: requireNumber(where, 'criticLearningRate', options.criticLearningRate ?? 3e-4, { min: 0 }),
    evaluation: requireOneOf(where, 'evaluation', options.evaluation ?? 'lastStepMean', samplingModes),
  };
}
