/** The x with softplus(x) = y, for y > 0. */
export function softplusInverse(y: number): number {
  return y > 20 ? y : Math.log(Math.expm1(y));
}
