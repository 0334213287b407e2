export type { ActOptions, Agent, Decision, EnvSpaces, Metrics } from './agent.js';
export {
  type AgentClass,
  type AgentOptions,
  agentOptions,
  BaseAgent,
  type Choice,
  type Experience,
} from './baseAgent.js';
export { prepareCheckpoint } from './config.js';
export {
  DenoisingAgent,
  type DenoisingNoise,
  denoisingOptions,
  type NoisedActions,
  type PolicyTarget,
  type Regression,
  type TargetContext,
} from './denoising/denoisingAgent.js';
export { dpmdPresets, sdacPresets } from './denoising/denoisingPresets.js';
export { DiffusionQlAgent, type DiffusionQlNoise, type DiffusionQlOptions } from './denoising/diffusionQlAgent.js';
export { DpmdAgent, type DpmdOptions } from './denoising/dpmdAgent.js';
export { SdacAgent, type SdacOptions } from './denoising/sdacAgent.js';
export { ValueTemperature, type ValueTemperatureOptions } from './denoising/valueTemperature.js';
export { DimeAgent, type DimeNoise, type DimeOptions } from './dime/dimeAgent.js';
export { dimePresets } from './dime/dimePresets.js';
export type { ClipScaling } from './dmerl/clipScaling.js';
export { DiffPpoAgent, type DiffPpoOptions } from './dmerl/diffPpoAgent.js';
export { DiffSacAgent, type DiffSacOptions } from './dmerl/diffSacAgent.js';
export { DiffWpoAgent, type DiffWpoOptions } from './dmerl/diffWpoAgent.js';
export type { RowLosses, SampledSteps } from './dmerl/simulation.js';
export {
  type ActorContext,
  type ActorLoss,
  StepActorCritic,
  type StepNoise,
  stepActorCriticOptions,
} from './dmerl/stepActorCritic.js';
export type { TrustRegionOptions } from './dmerl/trustRegion.js';
export type { UpdateScaling } from './dmerl/updateScaling.js';
export { type ExportableAgent, type ExportOptions, encodeOnnx, exportOnnx, type PolicyGraph } from './exportOnnx.js';
export { CrossQAgent, type CrossQNoise, type CrossQOptions } from './gaussian/crossQ.js';
export { SacAgent, type SacNoise, type SacOptions } from './gaussian/sac.js';
export { Td3Agent, type Td3Options } from './gaussian/td3.js';
export { loadAgent } from './loadAgent.js';
export { type LoadPolicyOptions, loadPolicy, Policy } from './loadPolicy.js';
export type { NoiseSource } from './noiseSource.js';
export { type BatchTensors, OffPolicyAgent, offPolicyOptions, updatesPerTransition } from './offPolicyAgent.js';
export { decodeOptions, encodeOptions, type JsonObject, mergeOptions } from './optionsJson.js';
export { type Maker, stepNetwork } from './pieces.js';
export { type Bounds as PolicyBounds, type PolicyMetadata, readPolicyMetadata } from './policyMetadata.js';
export { type Preset, type PresetLine, type PresetName, presetFor, presetLines } from './presets.js';
export {
  type Arrays,
  type Compiler,
  numbers,
  type Outputs,
  type Program,
  selectCompiler,
  type TensorProgram,
  type Tensors,
} from './program.js';
export type { RebuildableClass, Rebuilding } from './rebuild.js';
export { agentClasses, createAgent, type NamedAgentClass } from './registry.js';
