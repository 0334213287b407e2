export { BatchRenorm, type BatchRenormOptions } from './batchRenorm.js';
export { BatchRenormMlp, type BatchRenormMlpOptions } from './batchRenormMlp.js';
export { CrossQCritic, type CrossQCriticOptions } from './crossQCritic.js';
export { gated } from './gated.js';
export { LatentValue, type LatentValueOptions } from './latentValue.js';
export { Mlp, type MlpOptions } from './mlp.js';
export { scaleSteps } from './scaleSteps.js';
export type { BoundNetwork, DiffusionStep, StepNetwork } from './stepNetwork.js';
export {
  /** @deprecated The former name of {@link TimeConditionedMlp}. */
  TimeConditionedMlp as ScoreNetwork,
  TimeConditionedMlp,
  type TimeConditionedMlpOptions,
} from './timeConditionedMlp.js';
export {
  fourierFeatures,
  sinusoidalFeatures,
  TimeEmbedding,
  type TimeEmbeddingOptions,
  type TimeFeatures,
} from './timeEmbedding.js';
export {
  /** @deprecated The former name of {@link TwinCritic}. */
  TwinCritic as MlpTwinCritic,
  TwinCritic,
  type TwinCriticOptions,
} from './twinCritic.js';
