export { type Activation, gelu, mish } from './activations.js';
export {
  Adam,
  type AdamOptions,
  adamOption,
  clipGradient,
  type GradientTransform,
  type LearningRate,
  learningRateOption,
} from './adam.js';
export { BACKEND_PACKAGES, type BackendChoice, type BackendPackage, ensureBackend, useBestBackend } from './backend.js';
export { clipGlobalNorm } from './clipGlobalNorm.js';
export { customGradient } from './customGradient.js';
export { moveTowards } from './ema.js';
export { logNormal, logNormalOfNoise } from './gaussian.js';
export { type LossWithAux, lossAndGradients } from './gradients.js';
export { entriesOf, indicators, linear, lookup, rowsOf } from './linear.js';
export { linearDecay } from './linearDecay.js';
export { repeatRows } from './repeatRows.js';
export { RewardScale } from './rewardScale.js';
export { RunningMean } from './runningMean.js';
export { RunningMoments } from './runningMoments.js';
export { softplusInverse } from './softplus.js';
export { stopGradient, withoutGradient } from './stopGradient.js';
export { logOneMinusTanhSquared, tanhLogDet } from './tanh.js';
export { truncatedNormal } from './truncatedNormal.js';
export {
  disposeVariables,
  prefixVariables,
  prepareVariables,
  readVariables,
  type Variables,
  variablesAsState,
} from './variables.js';
export { speedUpWasmMatMul } from './wasmMatMul.js';
