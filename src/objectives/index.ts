export { type AnnealingOptions, annealing } from './annealing.js';
export { categoricalObjective, projectCategorical, type Support } from './categorical.js';
export { type KlMode, type Moments, stepKl, trustRegionLoss } from './chainKl.js';
export type { BellmanTarget, CriticObjective } from './criticObjective.js';
export { denoisingScoreMatchingLoss } from './denoising.js';
export { type PpoStepBatch, type PpoStepOptions, ppoStepLoss } from './ppoStepLoss.js';
export { type QuantileOptions, quantileObjective } from './quantile.js';
export {
  type ReverseSamplingInputs,
  type ReverseSamplingOptions,
  type ReverseSamplingTarget,
  reverseSamplingTarget,
  rssmLoss,
} from './rssm.js';
export { type SacStepOptions, sacStepLoss } from './sacStepLoss.js';
export { scalarObjective } from './scalar.js';
export {
  logNoising,
  type StepBatch,
  type StepBatchOptions,
  type StepRows,
  stepBatch,
  stepLogRatio,
} from './stepBatch.js';
export { Temperature, type TemperatureOptions } from './temperature.js';
export { type AutomaticTemperature, TemperatureControl, type TemperatureSetting } from './temperatureControl.js';
export { type WpoRescale, wpoStepLoss, wpoVelocity } from './wpoStepLoss.js';
