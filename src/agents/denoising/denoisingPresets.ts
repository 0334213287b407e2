import { mish } from '../../ops/activations.js';
import { cosineSchedule } from '../../schedules/cosine.js';
import { linearSchedule } from '../../schedules/linear.js';
import type { DpmdOptions } from './dpmdAgent.js';
import type { SdacOptions } from './sdacAgent.js';

/** What the released code does the same way for both. */
const released = {
  particles: 32,
  targetParticles: 32,
  criticHidden: [256, 256, 256],
  criticActivation: mish,
  clipNoisyActions: false,
  warmupSteps: 30_000,
  updatesPerTransition: 0.2,
} satisfies Partial<SdacOptions & DpmdOptions>;

/**
 * Options of the released code, for 5 environments side by side.
 *
 * @example
 * ```ts
 * const agent = await SdacAgent.create({ env, ...sdacPresets.released });
 * ```
 */
export const sdacPresets = {
  /** The code of the ICML camera-ready (May 2025). */
  released: {
    ...released,
    diffusion: { schedule: linearSchedule({ steps: 20, scale: 0.8 }), startStd: 0.5 },
    reverseSamples: 64,
    proposal: 'clip',
    valueScale: 5,
    values: 'raw',
    policyStates: 'current',
  },
} satisfies Record<string, Partial<SdacOptions>>;

/** As {@link sdacPresets}. */
export const dpmdPresets = {
  /** The code of the ICML supplement (January 2025), there named SDAC: the one to take for the paper's table. */
  submission: {
    ...released,
    diffusion: { schedule: cosineSchedule({ steps: 20 }), startStd: 0.5 },
    weighting: 'released',
    criticSteps: 2,
    temperature: { entropyScale: 1.5 },
  },
} satisfies Record<string, Partial<DpmdOptions>>;
