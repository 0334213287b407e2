export { BatchRenorm, type BatchRenormOptions } from './batchRenorm.js';
export { gated } from './gated.js';
export { LatentValue, type LatentValueOptions } from './latentValue.js';
export { Mlp, type MlpOptions } from './mlp.js';
export { MlpTwinCritic, type MlpTwinCriticOptions } from './mlpTwinCritic.js';
export { scaleSteps } from './scaleSteps.js';
export { ScoreNetwork, type ScoreNetworkOptions } from './scoreNetwork.js';
export type { BoundNetwork, DiffusionStep, StepNetwork } from './stepNetwork.js';
export {
  fourierFeatures,
  sinusoidalFeatures,
  TimeEmbedding,
  type TimeEmbeddingOptions,
  type TimeFeatures,
} from './timeEmbedding.js';
export { TwinCritic, type TwinCriticOptions } from './twinCritic.js';
