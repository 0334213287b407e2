export type { ActOptions, Agent, Decision, Metrics } from './agent.js';
export {
  type AgentClass,
  type AgentOptions,
  agentOptions,
  BaseAgent,
  type Choice,
  type EnvSpaces,
  type Experience,
} from './baseAgent.js';
export type { ClipScaling } from './clipScaling.js';
export { prepareCheckpoint } from './config.js';
export { DiffusionQlAgent, type DiffusionQlNoise, type DiffusionQlOptions } from './denoising/diffusionQlAgent.js';
export { DenoisingAgent, type DenoisingOptions, type NoisedActions, type Regression } from './denoisingAgent.js';
export { DiffPpoAgent } from './diffPpo.js';
export type { DiffPpoOptions } from './diffPpoOptions.js';
export { DiffSacAgent, type DiffSacNoise } from './diffSac.js';
export type { DiffSacOptions } from './diffSacOptions.js';
export { DiffWpoAgent, type DiffWpoOptions } from './diffWpo.js';
export { DimeAgent, type DimeNoise, type DimeOptions } from './dime.js';
export { dimePresets } from './dimePresets.js';
export { DpmdAgent, type DpmdOptions } from './dpmd.js';
export { type ExportableAgent, type ExportOptions, encodeOnnx, exportOnnx, type PolicyGraph } from './exportOnnx.js';
export { CrossQAgent, type CrossQNoise, type CrossQOptions } from './gaussian/crossQ.js';
export { SacAgent, type SacNoise, type SacOptions } from './gaussian/sac.js';
export { Td3Agent, type Td3Options } from './gaussian/td3.js';
export { loadAgent } from './loadAgent.js';
export { type LoadPolicyOptions, loadPolicy, Policy } from './loadPolicy.js';
export { NoiseLevel, type NoiseLevelOptions } from './noiseLevel.js';
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
} from './program.js';
export type { RebuildableClass, Rebuilding } from './rebuild.js';
export { agentClasses, createAgent, type NamedAgentClass } from './registry.js';
export type { RowLosses } from './sampledSteps.js';
export { SdacAgent, type SdacOptions } from './sdac.js';
export { dpmdPresets, sdacPresets } from './sdacPresets.js';
export type { TrustRegionOptions } from './trustRegion.js';
export type { UpdateScaling } from './updateScaling.js';
