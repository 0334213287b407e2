import { described } from '../described.js';
import { scaleSteps } from '../networks/scaleSteps.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { powerStepsSchedule } from '../schedules/powerSteps.js';
import { OrnsteinUhlenbeckSampler } from './ornsteinUhlenbeck.js';
import type { Squash } from './squash.js';

export interface DmerlSamplerOptions {
  /** Diffusion steps K >= 1, default 8. */
  steps?: number;
  /** Widths of the control network, default `[256, 256, 256]`. */
  hidden?: readonly number[];
  /** Standard deviation of the prior, default 1. */
  priorStd?: number;
  /** Default {@link tanhSquash}. */
  squash?: Squash;
  /** See {@link EulerMaruyamaOptions}, default `true`. */
  learnDiffusion?: boolean | 'perStep';
}

/**
 * The default policy of {@link DiffPpoAgent}, {@link DiffSacAgent} and {@link DiffWpoAgent}: K steps that fall with the third power to little
 * noise next to the action, over the same total time at any K (exact steps of the noising process, since the first ones
 * are large), and a control in units of a step's standard deviation.
 */
export function dmerlSampler(options: DmerlSamplerOptions = {}) {
  const { steps = 8, hidden, priorStd = 1, squash, learnDiffusion } = options;
  const total = TOTAL_TIME * priorStd ** 2;
  const schedule = powerStepsSchedule({ steps, power: 3, min: 0.005, total });
  const perStd = schedule.stepSizes.map((size) => 1 / Math.sqrt(2 * size));
  const sampler = new OrnsteinUhlenbeckSampler({
    schedule,
    stepSize: 1,
    priorStd,
    squash,
    learnDiffusion,
    network: (rng, sizes) =>
      scaleSteps(new TimeConditionedMlp(rng, { ...sizes, hidden, timeSize: 64, balanced: true }), perStd),
  });
  return described(sampler, dmerlSampler, options);
}

/** In units of the prior's variance; noising over it leaves exp(-2) of the action in the mean. */
const TOTAL_TIME = 2;
