export { categoricalObjective, projectCategorical, type Support } from './categorical.js';
export type { BellmanTarget, CriticObjective } from './criticObjective.js';
export { denoisingScoreMatchingLoss } from './denoising.js';
export {
  type ReverseSamplingInputs,
  type ReverseSamplingOptions,
  type ReverseSamplingTarget,
  reverseSamplingTarget,
  rssmLoss,
} from './rssm.js';
export { scalarObjective } from './scalar.js';
export { Temperature, type TemperatureOptions } from './temperature.js';
