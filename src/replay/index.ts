export { type ReplayBatch, ReplayBuffer, type ReplayBufferOptions } from './replayBuffer.js';
export type { Transitions } from './transitions.js';
