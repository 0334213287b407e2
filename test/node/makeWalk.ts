import { existsSync } from 'node:fs';
import { NormaliseObservation } from '../../src/envs/wrappers/normaliseObservation.js';
import { TimeLimit } from '../../src/envs/wrappers/timeLimit.js';
import { SlowWalk, Walk } from '../envs/toys.js';

export const makeWalk = (slow = false, steps = 20) => new TimeLimit(slow ? new SlowWalk() : new Walk(), steps);

/** Has no state, but moments. */
export const makeStateless = () => new NormaliseObservation(Object.assign(new Walk(), { state: undefined }) as never);

/** Dies or throws when told to by an action beyond 1. */
export const makeMortal = () =>
  new (class extends Walk {
    override step(action: Float32Array) {
      if (action[0] === 5) for (;;);
      if (action[0] === 2) throw new Error('out of fuel');
      if (action[0] === 3) process.exit(7);
      if (action[0] === 4) setTimeout(() => Promise.reject(new Error('stray failure')));
      return super.step(action);
    }
  })();

export const makeNothing = () => {
  throw new Error('no parts');
};

/** Fails to be made while the file is there. */
export const makeLicensed = (path: string) => {
  if (existsSync(path)) throw new Error('licence server is away');
  return makeMortal();
};

export const makeHanging = () => new Promise(() => setInterval(() => {}, 1000));

export const makeUnclosable = () =>
  new (class extends Walk {
    override close(): Promise<void> {
      return new Promise(() => {});
    }
  })();
