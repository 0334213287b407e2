import { requireInteger } from '../errors.js';
import { requireOptions } from '../options.js';

/**
 * The seed that the options of a reset give, if any.
 *
 * @param name of the environment
 * @throws ArgumentError unless they are `{ seed }` or `{}`, with an integer >= 0
 */
export function resetSeed(name: string, options: { seed?: number }): number | undefined {
  const { seed } = requireOptions(`${name}.reset`, options, { seed: true });
  return seed === undefined ? undefined : requireInteger(`${name}.reset`, 'seed', seed, { min: 0 });
}
