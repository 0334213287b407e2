/**
 * Everything that runs anywhere: in Node and in a page.
 *
 * @module diffrl
 */

// Agents, presets, policies in a file; what an agent of your own is made of.

export type { ActOptions, Agent, Decision, EnvSpaces, Metrics } from './agents/agent.js';
export { matrix, vector } from './agents/arrays.js';
export {
  type AgentClass,
  type AgentOptions,
  agentOptions,
  BaseAgent,
  type Choice,
  type Experience,
} from './agents/baseAgent.js';
export {
  AveragedPolicyAgent,
  type AveragedPolicyNoise,
  averagedPolicyOptions,
  type PolicyLoss,
} from './agents/denoising/averagedPolicyAgent.js';
export { ConsistencyAcAgent, type ConsistencyAcOptions } from './agents/denoising/consistencyAcAgent.js';
export { DacerAgent, type DacerNoise, type DacerOptions } from './agents/denoising/dacerAgent.js';
export {
  DenoisingAgent,
  type DenoisingNoise,
  denoisingOptions,
  type NoisedActions,
  type PolicyTarget,
  type Regression,
  type TargetContext,
} from './agents/denoising/denoisingAgent.js';
export { dpmdPresets, sdacPresets } from './agents/denoising/denoisingPresets.js';
export {
  DiffusionQlAgent,
  type DiffusionQlOptions,
} from './agents/denoising/diffusionQlAgent.js';
export { DipoAgent, type DipoOptions } from './agents/denoising/dipoAgent.js';
export { DpmdAgent, type DpmdOptions } from './agents/denoising/dpmdAgent.js';
export { DppoAgent, type DppoOptions } from './agents/denoising/dppoAgent.js';
export { QsmAgent, type QsmOptions } from './agents/denoising/qsmAgent.js';
export { QvpoAgent, type QvpoOptions } from './agents/denoising/qvpoAgent.js';
export { SdacAgent, type SdacOptions } from './agents/denoising/sdacAgent.js';
export { ValueTemperature, type ValueTemperatureOptions } from './agents/denoising/valueTemperature.js';
export { DimeAgent, type DimeNoise, type DimeOptions } from './agents/dime/dimeAgent.js';
export { dimePresets } from './agents/dime/dimePresets.js';
export type { ClipScaling } from './agents/dmerl/clipScaling.js';
export { DiffPpoAgent, type DiffPpoOptions } from './agents/dmerl/diffPpoAgent.js';
export { DiffSacAgent, type DiffSacOptions } from './agents/dmerl/diffSacAgent.js';
export { DiffWpoAgent, type DiffWpoOptions } from './agents/dmerl/diffWpoAgent.js';
export type { RowLosses, SampledSteps } from './agents/dmerl/simulation.js';
export {
  type ActorContext,
  type ActorLoss,
  StepActorCritic,
  type StepNoise,
  stepActorCriticOptions,
} from './agents/dmerl/stepActorCritic.js';
export type { TrustRegionOptions } from './agents/dmerl/trustRegion.js';
export {
  type ExportableAgent,
  type ExportOptions,
  encodeOnnx,
  exportOnnx,
  type PolicyGraph,
} from './agents/exportOnnx.js';
export { BroAgent, type BroNoise, type BroOptions, broPresets } from './agents/gaussian/bro.js';
export { CrossQAgent, type CrossQNoise, type CrossQOptions } from './agents/gaussian/crossQ.js';
export { PpoAgent, type PpoOptions } from './agents/gaussian/ppo.js';
export { SacAgent, type SacNoise, type SacOptions } from './agents/gaussian/sac.js';
export { Td3Agent, type Td3Options } from './agents/gaussian/td3.js';
export { WpoAgent, type WpoNoise, type WpoOptions } from './agents/gaussian/wpo.js';
export { loadAgent } from './agents/loadAgent.js';
export { type LoadPolicyOptions, loadPolicy, Policy } from './agents/loadPolicy.js';
export type { NoiseSource } from './agents/noiseSource.js';
export { type BatchTensors, OffPolicyAgent, offPolicyOptions, updatesPerTransition } from './agents/offPolicyAgent.js';
export {
  type Chains,
  OnPolicyAgent,
  onPolicyOptions,
  type PpoInputs,
  type StepDensities,
  type StepPairs,
  type StepStarts,
} from './agents/onPolicyAgent.js';
export type { JsonObject } from './agents/optionsJson.js';
export { type Maker, type StepNetworkOptions, stepNetwork } from './agents/pieces.js';
export { type Bounds as PolicyBounds, type PolicyMetadata, readPolicyMetadata } from './agents/policyMetadata.js';
export { type Preset, type PresetLine, type PresetName, presetFor, presetLines } from './agents/presets.js';
export {
  type Arrays,
  type Compiler,
  numbers,
  type Outputs,
  type Program,
  type TensorProgram,
  type Tensors,
} from './agents/program.js';
export type { RebuildableClass, Rebuilding } from './agents/rebuild.js';
export { agentClasses, createAgent, type NamedAgentClass } from './agents/registry.js';
export type { UpdateScaling } from './agents/updateScaling.js';

// Tables of options, for agents and parts of your own.

export {
  flag,
  functionOption,
  type GivenOptions,
  group,
  integer,
  number,
  type Option,
  type OptionMeaning,
  type OptionTable,
  type OptionValues,
  objectOption,
  oneOf,
  option,
  readOptions,
  widths,
} from './options.js';

// Training, evaluation, callbacks, loggers.

export type { Outcome, TrainingCallback } from './training/callback.js';
export { bestModel } from './training/callbacks/bestModel.js';
export { type CheckpointsOptions, checkpoints } from './training/callbacks/checkpoints.js';
export { type EvaluationOptions, evaluation } from './training/callbacks/evaluation.js';
export { type FilmingOptions, filming } from './training/callbacks/filming.js';
export { type LearningCurveOptions, learningCurve } from './training/callbacks/learningCurve.js';
export { progressBar } from './training/callbacks/progressBar.js';
export {
  type StopWithoutImprovementOptions,
  stopAfter,
  stopAtReturn,
  stopWithoutImprovement,
} from './training/callbacks/stopping.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './training/evaluate.js';
export { type EpisodeRecord, type EvaluationRecord, TrainingHistory } from './training/history.js';
export { csvLog } from './training/loggers/csvLog.js';
export { evaluationsCsv } from './training/loggers/evaluationsCsv.js';
export { jsonLinesLog } from './training/loggers/jsonLinesLog.js';
export { loggedName } from './training/loggers/metricNames.js';
export type { LogOptions, LogRow } from './training/loggers/rowLog.js';
export { tensorBoardLog } from './training/loggers/tensorBoardLog.js';
export { plotHistory } from './training/plotHistory.js';
export { type TrainOptions, type TrainResult, train } from './training/train.js';
export { type StepReport, TrainingRun, type TrainingRunOptions } from './training/trainingRun.js';

// Environments and wrappers.

export { type CheckEnvOptions, checkEnv } from './envs/checkEnv.js';
export { MountainCarContinuous } from './envs/classic/mountainCarContinuous.js';
export { Pendulum } from './envs/classic/pendulum.js';
export type { Env, Info, ResetResult, StepResult } from './envs/env.js';
export type { LostInfo } from './envs/lost.js';
export { type Advance, MarkovEnv } from './envs/markovEnv.js';
export { andThen } from './envs/maybePromise.js';
export { MultiGoal, type MultiGoalOptions } from './envs/multiGoal.js';
export { SyncVectorEnv } from './envs/syncVectorEnv.js';
export type { VectorEnv, VectorReset, VectorStep } from './envs/vectorEnv.js';
export { ClipAction } from './envs/wrappers/clipAction.js';
export { EpisodeStatistics, type EpisodeSummary } from './envs/wrappers/episodeStatistics.js';
export { FrameStack } from './envs/wrappers/frameStack.js';
export { NormaliseObservation, type NormaliseObservationOptions } from './envs/wrappers/normaliseObservation.js';
export { NormaliseReward } from './envs/wrappers/normaliseReward.js';
export { RescaleAction } from './envs/wrappers/rescaleAction.js';
export { TimeLimit } from './envs/wrappers/timeLimit.js';
export { type Unwrapped, Wrapper } from './envs/wrappers/wrapper.js';

// Spaces.

export { Box } from './spaces/box.js';
export { Discrete } from './spaces/discrete.js';

// Replay.

export { type NStepOptions, NStepReplay } from './replay/nStepReplay.js';
export { PrioritizedReplay, type PriorityOptions, prioritizedReplay } from './replay/prioritizedReplay.js';
export type { DiscountedTransitions, Replay, ReplayBatch, ReplayFactory, ReplayOptions } from './replay/replay.js';
export { ReplayBuffer } from './replay/replayBuffer.js';
export type { ObservedTransitions, Transitions } from './replay/transitions.js';

// Samplers, divergences, noising.

export { bestOf } from './diffusion/bestOf.js';
export type { SamplingMode } from './diffusion/chain.js';
export { type ConsistencyOptions, ConsistencySampler } from './diffusion/consistency.js';
export type { ControlledProcessOptions } from './diffusion/controlledProcess.js';
export { type DdpmOptions, DdpmSampler, ddpm } from './diffusion/ddpm.js';
export { DiffusionSampler, type DiffusionSamplerOptions } from './diffusion/diffusionSampler.js';
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
} from './diffusion/divergences.js';
export { type DmerlSamplerOptions, dmerlSampler } from './diffusion/dmerl.js';
export { type EulerMaruyamaOptions, EulerMaruyamaSampler, eulerMaruyama } from './diffusion/eulerMaruyama.js';
export { type FlowOptions, FlowSampler } from './diffusion/flow.js';
export { type GaussianOptions, GaussianSampler } from './diffusion/gaussian.js';
export { type GeneralBridgeOptions, GeneralBridgeSampler, generalBridge } from './diffusion/generalBridge.js';
export { logBackward, logForward, type TransitionKernels } from './diffusion/kernels.js';
export { annealedLangevin, langevin } from './diffusion/langevin.js';
export {
  addNoise,
  type NoiseLevels,
  noiseFromScore,
  noiseLevels,
  removeNoise,
  scoreFromNoise,
} from './diffusion/noising.js';
export { OrnsteinUhlenbeckSampler, ornsteinUhlenbeck } from './diffusion/ornsteinUhlenbeck.js';
export {
  completePath,
  type DiffusionPath,
  entropyLowerBound,
  sumLogBackward,
  sumLogForward,
} from './diffusion/path.js';
export type { BindOptions, BuiltProcess, NetworkFactory, Process } from './diffusion/process.js';
export {
  ActionSampler,
  type ParticleSampler,
  type SampleOptions,
  Sampler,
  type SamplerSizes,
} from './diffusion/sampler.js';
export { noSquash, type Squash, tanhSquash } from './diffusion/squash.js';

// Noise schedules.

export { cosineSchedule } from './schedules/cosine.js';
export { dimeCosineSchedule } from './schedules/dimeCosine.js';
export { linearSchedule } from './schedules/linear.js';
export { powerStepsSchedule } from './schedules/powerSteps.js';
export { type NoiseSchedule, scheduleFromBetas, scheduleFromStepSizes } from './schedules/schedule.js';
export { squareRootSchedule } from './schedules/squareRoot.js';
export { variancePreservingSchedule } from './schedules/variancePreserving.js';

// Networks.

export { BatchRenorm, type BatchRenormOptions } from './networks/batchRenorm.js';
export { BatchRenormMlp, type BatchRenormMlpOptions } from './networks/batchRenormMlp.js';
export { BroNet, type BroNetOptions, broCritic } from './networks/broNet.js';
export {
  type CriticCall,
  type CriticFactory,
  CriticHeads,
  type CriticNetwork,
  type CriticSizes,
  type HeadNetwork,
  type Heads,
  twinHeads,
} from './networks/criticNetwork.js';
export { CrossQCritic, type CrossQCriticOptions, crossQCritic } from './networks/crossQCritic.js';
export { LatentValue, type LatentValueOptions, latentCritic } from './networks/latentValue.js';
export { Mlp, type MlpOptions } from './networks/mlp.js';
export { scaleSteps } from './networks/scaleSteps.js';
export type { BoundNetwork, DiffusionStep, StepNetwork } from './networks/stepNetwork.js';
export {
  TimeConditionedMlp as ScoreNetwork,
  TimeConditionedMlp,
  type TimeConditionedMlpOptions,
} from './networks/timeConditionedMlp.js';
export {
  fourierFeatures,
  sinusoidalFeatures,
  TimeEmbedding,
  type TimeEmbeddingOptions,
  type TimeFeatures,
} from './networks/timeEmbedding.js';
export { TwinCritic as MlpTwinCritic, TwinCritic, type TwinCriticOptions, twinCritic } from './networks/twinCritic.js';
export { withStep } from './networks/withStep.js';

// Losses and critic objectives.

export { ActionValues } from './objectives/actionValues.js';
export { type AnnealingOptions, annealing } from './objectives/annealing.js';
export { categoricalObjective, projectCategorical, type Support } from './objectives/categorical.js';
export { type KlMode, type Moments, stepKl, trustRegionLoss } from './objectives/chainKl.js';
export type { BellmanTarget, CriticObjective } from './objectives/criticObjective.js';
export { denoisingScoreMatchingLoss } from './objectives/denoising.js';
export { fitGaussianMixture, type GaussianMixture, mixtureEntropyBound } from './objectives/gaussianMixture.js';
export {
  type GaussianReturn,
  gaussianReturnLoss,
  gaussianReturns,
  ReturnSpreads,
  type ReturnTarget,
  smallerReturn,
} from './objectives/gaussianReturn.js';
export { type PpoStepBatch, type PpoStepOptions, ppoStepLoss } from './objectives/ppoStepLoss.js';
export { type QuantileOptions, quantileObjective } from './objectives/quantile.js';
export {
  type ReverseSamplingInputs,
  type ReverseSamplingOptions,
  type ReverseSamplingTarget,
  reverseSamplingTarget,
  rssmLoss,
} from './objectives/rssm.js';
export { type SacStepOptions, sacStepLoss } from './objectives/sacStepLoss.js';
export { scalarObjective, smallerValue } from './objectives/scalar.js';
export {
  logNoising,
  type StepBatch,
  type StepBatchOptions,
  type StepRows,
  stepBatch,
  stepLogRatio,
} from './objectives/stepBatch.js';
export { Temperature, type TemperatureOptions } from './objectives/temperature.js';
export {
  type AutomaticTemperature,
  TemperatureControl,
  type TemperatureSetting,
} from './objectives/temperatureControl.js';
export { wpoStepLoss, wpoVelocity } from './objectives/wpoStepLoss.js';
export { type WpoRescale, wpoSurrogate } from './objectives/wpoSurrogate.js';

// The chain as an augmented Markov decision process.

export { AugmentedMdp, type AugmentedMdpOptions } from './mdp/augmentedMdp.js';
export { type AugmentedDiscounts, augmentedDiscounts, type DiscountMode } from './mdp/discounts.js';
export { type AugmentedSegment, augmentedGae } from './mdp/gae.js';
export { type AugmentedRecords, AugmentedRollout, type AugmentedStep } from './mdp/rollout.js';

// Tensor operations, optimiser, backends.

export { type Activation, gelu, mish } from './ops/activations.js';
export {
  Adam,
  type AdamOptions,
  adamOption,
  clipGradient,
  type GradientTransform,
  type LearningRate,
  learningRateOption,
} from './ops/adam.js';
export { type BackendChoice, useBestBackend } from './ops/backend.js';
export { clipGlobalNorm } from './ops/clipGlobalNorm.js';
export { moveTowards } from './ops/ema.js';
export { logNormal, logNormalOfNoise } from './ops/gaussian.js';
export { type LossWithAux, lossAndGradients } from './ops/gradients.js';
export { linearDecay } from './ops/linearDecay.js';
export { RunningMoments } from './ops/runningMoments.js';
export { stopGradient, withoutGradient } from './ops/stopGradient.js';
export { logOneMinusTanhSquared, tanhLogDet } from './ops/tanh.js';
export { disposeVariables, prefixVariables, type Variables, variablesAsState } from './ops/variables.js';
export { speedUpWasmMatMul } from './ops/wasmMatMul.js';
export { weighRows } from './ops/weighRows.js';

// Random numbers.

export { Rng } from './rng/rng.js';

// State that is saved and loaded.

export {
  type Commit,
  loadState,
  type MaybePromise,
  prefixed,
  readEntries,
  type StateArray,
  type StateDict,
  type Stateful,
  stateArray,
  substate,
  type TypedArray,
  together,
} from './state.js';

// Checkpoints.

export { decodeCheckpoint, encodeCheckpoint } from './checkpoint/archive.js';
export { checkpointExists, readCheckpoint, writeCheckpoint } from './checkpoint/checkpoint.js';
export type { Checkpoint, Json } from './checkpoint/checkpointFiles.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './checkpoint/safetensors.js';

// Statistics over runs.

export { type BootstrapOptions, type Interval, stratifiedBootstrap } from './stats/bootstrap.js';
export { probabilityOfImprovement } from './stats/improvement.js';
export { interquartileMean, mean, quantile, std } from './stats/summary.js';

// Figures, films, the policy microscope.

export type { Grid, Mode } from './plots/actionDensity.js';
export type { AxisRange } from './plots/axis.js';
export type { Figure } from './plots/document.js';
export { type FigureOptions, figure, panels } from './plots/figure.js';
export { type AnimationOptions, animation, type FilmStripOptions, filmStrip } from './plots/film.js';
export { type ColorBar, type PlotFrame, type PlotLayer, palette } from './plots/layer.js';
export { type HeatmapOptions, heatmap } from './plots/layers/heatmap.js';
export { type HistogramOptions, histogram } from './plots/layers/histogram.js';
export { type LineOptions, line } from './plots/layers/line.js';
export { type ScatterOptions, scatter } from './plots/layers/scatter.js';
export {
  type ChainAgent,
  type LookOptions,
  Microscope,
  type MicroscopeOptions,
  microscope,
  type PolicyPicture,
} from './plots/microscope.js';
export { microscopeFigure } from './plots/microscopeFigure.js';

// Errors.

export {
  ArgumentError,
  type Bounds,
  CheckpointError,
  DiffrlError,
  DisposedError,
  EnvironmentError,
  FileError,
  MissingPackageError,
  NonFiniteError,
  ShapeError,
} from './errors.js';
