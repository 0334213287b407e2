import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { ConsistencySampler } from '../diffusion/consistency.js';
import { DdpmSampler, ddpm } from '../diffusion/ddpm.js';
import { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import {
  forwardKl,
  logDerivativeKl,
  logVariance,
  reverseKl,
  trajectoryBalance,
  varGrad,
} from '../diffusion/divergences.js';
import { dmerlSampler } from '../diffusion/dmerl.js';
import { EulerMaruyamaSampler, eulerMaruyama } from '../diffusion/eulerMaruyama.js';
import { FlowSampler } from '../diffusion/flow.js';
import { GaussianSampler } from '../diffusion/gaussian.js';
import { GeneralBridgeSampler, generalBridge } from '../diffusion/generalBridge.js';
import { OrnsteinUhlenbeckSampler, ornsteinUhlenbeck } from '../diffusion/ornsteinUhlenbeck.js';
import type { NetworkFactory } from '../diffusion/process.js';
import { noSquash, tanhSquash } from '../diffusion/squash.js';
import { ArgumentError } from '../errors.js';
import { broCritic } from '../networks/broNet.js';
import { crossQCritic } from '../networks/crossQCritic.js';
import { latentCritic } from '../networks/latentValue.js';
import { TimeConditionedMlp, type TimeConditionedMlpOptions } from '../networks/timeConditionedMlp.js';
import type { TimeFeatures } from '../networks/timeEmbedding.js';
import { twinCritic } from '../networks/twinCritic.js';
import { categoricalObjective, type Support } from '../objectives/categorical.js';
import { quantileObjective } from '../objectives/quantile.js';
import { scalarObjective } from '../objectives/scalar.js';
import { gelu, mish } from '../ops/activations.js';
import { clipGradient } from '../ops/adam.js';
import { linearDecay } from '../ops/linearDecay.js';
import { requireOptions } from '../options.js';
import { prioritizedReplay } from '../replay/prioritizedReplay.js';
import { cosineSchedule } from '../schedules/cosine.js';
import { dimeCosineSchedule } from '../schedules/dimeCosine.js';
import { linearSchedule } from '../schedules/linear.js';
import { powerStepsSchedule } from '../schedules/powerSteps.js';
import { squareRootSchedule } from '../schedules/squareRoot.js';
import { variancePreservingSchedule } from '../schedules/variancePreserving.js';

/** Options of {@link stepNetwork}. */
export interface StepNetworkOptions
  extends Omit<TimeConditionedMlpOptions, 'observationSize' | 'actionSize' | 'timeFeatures'> {
  /** Features of the step, or what makes them if they learn, as {@link fourierFeatures} do: each network has its own. */
  timeFeatures?: TimeFeatures | (() => TimeFeatures);
}

/**
 * A {@link TimeConditionedMlp} of other sizes as the `network` of a sampler.
 *
 * @throws ArgumentError for options that do not exist, and for features that hold variables: networks would share them
 *
 * @example
 * ```ts
 * new EulerMaruyamaSampler({ network: stepNetwork({ hidden: [64, 64], timeSize: 64 }) });
 * ```
 */
export function stepNetwork(options: StepNetworkOptions = {}): NetworkFactory {
  requireOptions('stepNetwork', options, {
    outputs: true,
    hidden: true,
    activation: true,
    timeFeatures: true,
    timeSize: true,
    timeHidden: true,
    lastKernel: true,
    balanced: true,
    limit: true,
  });
  const { timeFeatures: given, ...others } = options;
  if (typeof given === 'object' && Object.keys(given?.variables ?? {}).length) {
    throw new ArgumentError(
      'stepNetwork: timeFeatures holds variables, which all networks made here would share; hand in what makes them, such as timeFeatures: () => fourierFeatures(64).',
    );
  }
  const network: NetworkFactory = (rng, sizes) => {
    const timeFeatures = typeof given === 'function' ? given() : given;
    return new TimeConditionedMlp(rng, { ...sizes, ...others, timeFeatures });
  };
  return described(network, stepNetwork, options);
}

/** Makes something from its options. */
// biome-ignore lint/suspicious/noExplicitAny: each maker checks its own options
export type Maker = (options: any) => unknown;

/** Classes whose instances JSON names by the class, with the constructor's options. */
const CLASSES = {
  DiffusionSampler,
  EulerMaruyamaSampler,
  OrnsteinUhlenbeckSampler,
  GeneralBridgeSampler,
  FlowSampler,
  GaussianSampler,
  DdpmSampler,
  ConsistencySampler,
};

/** Functions whose results JSON names by the function, with its options. */
const FACTORIES = {
  eulerMaruyama,
  ornsteinUhlenbeck,
  generalBridge,
  ddpm,
  dmerlSampler,
  stepNetwork,
  twinCritic,
  crossQCritic,
  broCritic,
  latentCritic,
  quantileObjective,
  cosineSchedule,
  dimeCosineSchedule,
  linearSchedule,
  powerStepsSchedule,
  squareRootSchedule,
  variancePreservingSchedule,
  linearDecay,
  prioritizedReplay,
};

/** Functions of other arguments, made from the options that describe their results. */
const POSITIONAL = {
  clipGradient: { own: clipGradient, make: ({ limit }: { limit: number }) => clipGradient(limit) },
  scalarObjective: { own: scalarObjective, make: ({ next }: { next?: 'mean' | 'min' }) => scalarObjective(next) },
  categoricalObjective: {
    own: categoricalObjective,
    make: ({ entropyCoefficient, ...support }: Support & { entropyCoefficient?: number }) =>
      categoricalObjective(support, entropyCoefficient),
  },
};

/** Values that JSON names as they are. */
export const CONSTANTS: Readonly<Record<string, unknown>> = {
  gelu,
  mish,
  relu: tf.relu,
  elu: tf.elu,
  selu: tf.selu,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  softplus: tf.softplus,
  reverseKl,
  logDerivativeKl,
  logVariance,
  varGrad,
  trajectoryBalance,
  forwardKl,
  tanhSquash,
  noSquash,
};

/** What makes the library's own pieces, by name. */
export const MAKERS: Readonly<Record<string, Maker>> = {
  ...FACTORIES,
  ...Object.fromEntries(Object.entries(POSITIONAL).map(([name, { make }]) => [name, make])),
  ...Object.fromEntries(
    Object.entries(CLASSES).map(([name, Class]) => [
      name,
      (options: object) => new (Class as new (o: object) => unknown)(options),
    ]),
  ),
};

const NAMED: readonly [name: string, own: unknown][] = [
  ...Object.entries({ ...CLASSES, ...FACTORIES }),
  ...Object.entries(POSITIONAL).map(([name, { own }]): [string, unknown] => [name, own]),
];

/** The name in {@link MAKERS} of a class or function. */
export function makerName(maker: unknown): string | undefined {
  return NAMED.find(([, own]) => own === maker)?.[0];
}
