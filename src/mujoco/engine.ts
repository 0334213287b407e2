import type { MainModule } from '@mujoco/mujoco';
import { MissingPackageError } from '../errors.js';

/** The WebAssembly build of MuJoCo; all simulations of a process share one instance and its memory. */
export type MujocoEngine = MainModule;

let loading: Promise<MujocoEngine> | undefined;

/**
 * Loads `@mujoco/mujoco` once per process (about 0.2 s).
 *
 * @throws MissingPackageError if the package is not installed or does not start here
 */
export function loadMujoco(): Promise<MujocoEngine> {
  loading ??= start().catch((cause) => {
    loading = undefined;
    throw new MissingPackageError(
      `loadMujoco: @mujoco/mujoco is not installed or does not start here; install it with 'npm i @mujoco/mujoco@3.14.0'.`,
      { cause },
    );
  });
  return loading;
}

async function start(): Promise<MujocoEngine> {
  const { default: factory } = await import('@mujoco/mujoco');
  return factory();
}
