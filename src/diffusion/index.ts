export { bestOf } from './bestOf.js';
export {
  endOfChain,
  type ForwardKernels,
  type Kernels,
  logBackwardDensities,
  logForwardDensities,
  type Rollout,
  runChain,
  type SamplingMode,
} from './chain.js';
export { type DdpmOptions, DdpmSampler } from './ddpm.js';
export {
  type Divergence,
  type DivergenceRequirements,
  effectiveSampleSize,
  forwardKl,
  logDerivativeKl,
  logVariance,
  negativeLogWeights,
  reverseKl,
  trajectoryBalance,
  varGrad,
} from './divergences.js';
export { type EulerMaruyamaOptions, EulerMaruyamaSampler, type NetworkFactory } from './eulerMaruyama.js';
export { type GaussianOptions, GaussianSampler } from './gaussian.js';
export { GeneralBridgeSampler } from './generalBridge.js';
export { annealedLangevin, langevin } from './langevin.js';
export { addNoise, type NoiseLevels, noiseFromScore, noiseLevels, removeNoise, scoreFromNoise } from './noising.js';
export { OrnsteinUhlenbeckSampler } from './ornsteinUhlenbeck.js';
export { completePath, type DiffusionPath, entropyLowerBound, sumLogBackward, sumLogForward } from './path.js';
export { ActionSampler, type SampleOptions, Sampler, type SamplerSizes } from './sampler.js';
export { clipSquash, noSquash, rawTanhSquash, type Squash, tanhSquash } from './squash.js';
export { logBackward, logForward, type StepKernels } from './stepKernels.js';
