export { type ReplayBatch, ReplayBuffer, type ReplayBufferOptions } from './replayBuffer.js';
export type { ObservedTransitions, Transitions } from './transitions.js';
