import { requireNumber } from '../errors.js';

/** The x with softplus(x) = y, for y > 0. */
export function softplusInverse(y: number): number {
  requireNumber('softplusInverse', 'y', y, { above: 0 });
  return y > 20 ? y : Math.log(Math.expm1(y));
}
