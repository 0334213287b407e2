import { described } from '../described.js';
import { scaleSteps } from '../networks/scaleSteps.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { type GivenOptions, integer, number, readOptions, widths } from '../options.js';
import { powerStepsSchedule } from '../schedules/powerSteps.js';
import { eulerMaruyamaOptions } from './eulerMaruyama.js';
import { OrnsteinUhlenbeckSampler } from './ornsteinUhlenbeck.js';

const { learnDiffusion, squash, divergence } = eulerMaruyamaOptions;

export const dmerlSamplerOptions = {
  steps: integer(8, { min: 1 }, 'Diffusion steps K.'),
  hidden: widths([256, 256, 256], 'Hidden layers of the control network.'),
  priorStd: number(1, { above: 0 }, 'Standard deviation of the prior.'),
  ...{ learnDiffusion, squash, divergence },
};

export type DmerlSamplerOptions = GivenOptions<typeof dmerlSamplerOptions>;

/**
 * The default policy of {@link DiffPpoAgent}, {@link DiffSacAgent} and {@link DiffWpoAgent}: K steps that fall with the third power to little
 * noise next to the action, over the same total time at any K (exact steps of the noising process, since the first ones
 * are large), and a control that moves a step by at most half as many of its standard deviations.
 *
 * @example
 * ```ts run
 * import { dmerlSampler } from 'diffrl';
 *
 * const { schedule, priorStd } = dmerlSampler({ steps: 4 });
 * console.log(priorStd, schedule.stepSizes.map((size) => size.toFixed(3)).join(' ')); // 1 1.270 0.539 0.164 0.026
 * ```
 */
export function dmerlSampler(options: DmerlSamplerOptions = {}) {
  const { steps, hidden, priorStd, ...rest } = readOptions('dmerlSampler', options, dmerlSamplerOptions);
  const total = TOTAL_TIME * priorStd ** 2;
  const schedule = powerStepsSchedule({ steps, power: 3, min: 0.005, total });
  const perStd = schedule.stepSizes.map((size) => 1 / Math.sqrt(2 * size));
  const sampler = new OrnsteinUhlenbeckSampler({
    schedule,
    stepSize: 1,
    priorStd,
    ...rest,
    network: (rng, sizes) =>
      scaleSteps(new TimeConditionedMlp(rng, { ...sizes, hidden, timeSize: 64, balanced: true }), perStd),
  });
  return described(sampler, dmerlSampler, options);
}

/** In units of the prior's variance; noising over it leaves exp(-2) of the action in the mean. */
const TOTAL_TIME = 2;
