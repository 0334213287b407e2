export { bestOf } from './bestOf.js';
export {
  type ChainStates,
  endOfChain,
  logBackwardDensities,
  logForwardDensities,
  runChain,
  type SamplingMode,
  samplingModes,
} from './chain.js';
export type { ControlledProcessOptions } from './controlledProcess.js';
export { type DdpmOptions, DdpmSampler, ddpm } from './ddpm.js';
export { DiffusionSampler, type DiffusionSamplerOptions } from './diffusionSampler.js';
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
export { type DmerlSamplerOptions, dmerlSampler } from './dmerl.js';
export { type EulerMaruyamaOptions, EulerMaruyamaSampler, eulerMaruyama } from './eulerMaruyama.js';
export { type GaussianOptions, GaussianSampler } from './gaussian.js';
export { type GeneralBridgeOptions, GeneralBridgeSampler, generalBridge } from './generalBridge.js';
export { logBackward, logForward, type TransitionKernels } from './kernels.js';
export { annealedLangevin, langevin } from './langevin.js';
export { addNoise, type NoiseLevels, noiseFromScore, noiseLevels, removeNoise, scoreFromNoise } from './noising.js';
export { OrnsteinUhlenbeckSampler, ornsteinUhlenbeck } from './ornsteinUhlenbeck.js';
export { completePath, type DiffusionPath, entropyLowerBound, sumLogBackward, sumLogForward } from './path.js';
export type { BindOptions, BuiltProcess, NetworkFactory, Process } from './process.js';
export { ActionSampler, type SampleOptions, Sampler, type SamplerSizes } from './sampler.js';
export { noSquash, type Squash, tanhSquash } from './squash.js';
