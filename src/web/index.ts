/**
 * Training in a page: a worker that trains, and the page's end of it.
 *
 * @module diffrl/web
 */

export type { Endpoint } from './channel.js';
export { type OnnxRuntimeWeb, type RuntimeOptions, setUpRuntime } from './onnxRuntime.js';
export { type Progress, type RunHistory, type StartOptions, serveTraining } from './serveTraining.js';
export type {
  Call,
  CallsOf,
  CreateSession,
  EventsOf,
  OptionsOf,
  Page,
  TrainingSession,
} from './session.js';
export {
  type BrowserCheckpointsOptions,
  browserCheckpoints,
  downloadFile,
  removeCheckpoint,
  storeCheckpoint,
  storedCheckpoint,
  storedCheckpoints,
} from './storage.js';
export { Trainer, type TrainerEvents } from './trainer.js';
