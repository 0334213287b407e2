export type { ActOptions, Agent, Metrics } from './agent.js';
export { BaseAgent, type BaseAgentOptions, type EnvSpaces } from './baseAgent.js';
export { DimeAgent, type DimeNoise, type DimeOptions } from './dime.js';
export { dimePresets } from './dimePresets.js';
export { type ExportableAgent, encodeOnnx, exportOnnx, type PolicyGraph } from './exportOnnx.js';
export { OffPolicyAgent, type OffPolicyOptions } from './offPolicyAgent.js';
export type { Arrays, Program } from './program.js';
