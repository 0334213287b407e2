import type { DimeOptions } from './dimeAgent.js';

/**
 * Options per suite, which differ in the range of returns only (DIME, appendix E), and the released code's optimisers.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, ...dimePresets.gym });
 * ```
 */
export const dimePresets = {
  /** The released code's optimisers, whose updates nothing bounds; but a gradient that is not finite is an error here, and 0 there. */
  released: { actorAdam: { updateClip: false }, criticAdam: { updateClip: false } },
  /** DeepMind Control: episodes of 1000 steps with rewards in [0, 1] (released code's default). */
  dmc: { support: { min: -200, max: 200, atoms: 101 } },
  /** Gymnasium's MuJoCo tasks (appendix E). */
  gym: { support: { min: -1600, max: 1600, atoms: 101 } },
  /** MyoSuite's hand tasks (appendix E). */
  myo: { support: { min: -3600, max: 3600, atoms: 101 } },
} satisfies Record<string, Partial<DimeOptions>>;
