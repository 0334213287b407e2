/**
 * What needs Node.
 *
 * @module diffrl/node
 */

export { useBestBackend } from '../ops/backend.js';
export { readMujocoModel } from './readMujocoModel.js';
export type { EnvironmentModule } from './vectorProtocol.js';
export { WorkerVectorEnv, type WorkerVectorEnvOptions } from './workerVectorEnv.js';
