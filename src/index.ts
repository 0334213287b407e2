/**
 * Everything that runs anywhere: in Node and in a page.
 *
 * @module diffrl
 */

export * from './agents/index.js';
export * from './checkpoint/index.js';
export * from './diffusion/index.js';
export * from './envs/index.js';
export * from './errors.js';
export * from './mdp/index.js';
export * from './networks/index.js';
export * from './objectives/index.js';
export * from './ops/index.js';
export * from './options.js';
export * from './plots/index.js';
export * from './replay/index.js';
export * from './rng/index.js';
export * from './schedules/index.js';
export * from './spaces/index.js';
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
export * from './stats/index.js';
export * from './training/index.js';
