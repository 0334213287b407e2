export type { ActOptions, Agent, Metrics } from './agent.js';
