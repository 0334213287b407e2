export * from './agents/index.js';
export * from './envs/index.js';
export * from './errors.js';
export * from './replay/index.js';
export * from './rng/index.js';
export * from './spaces/index.js';
export type { MaybePromise, StateArray, StateDict, Stateful, TypedArray } from './state.js';
