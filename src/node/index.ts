/**
 * What needs Node.
 *
 * @module diffrl/node
 */

export { useBestBackend } from '../ops/backend.js';
export { RunBusyError } from '../runs/claim.js';
export { makeEnvironment } from '../runs/environment.js';
export { type ExecuteOptions, executeRun } from '../runs/execute.js';
export { findRuns, type RunConfig, RunFolder, type RunState, type RunStatus } from '../runs/folder.js';
export { type LoadedRun, loadRun } from '../runs/load.js';
export { createRun } from '../runs/prepare.js';
export type { RunSettings, WrapperSetting } from '../runs/settings.js';
export { type Verification, verifyRun } from '../runs/verify.js';
export { readMujocoModel } from './readMujocoModel.js';
export type { EnvironmentModule } from './vectorProtocol.js';
export { WorkerVectorEnv, type WorkerVectorEnvOptions } from './workerVectorEnv.js';
