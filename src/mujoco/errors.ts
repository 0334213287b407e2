import { DiffrlError, EnvironmentError } from '../errors.js';

/** MuJoCo cannot build a model: the MJCF is not valid or an asset is missing. The message is the compiler's own. */
export class MujocoModelError extends DiffrlError {
  override name = 'MujocoModelError';
}

/** The physics became unstable or MuJoCo stopped with an error. The environment works again after `reset`. */
export class MujocoSimulationError extends EnvironmentError {
  override name = 'MujocoSimulationError';
}
