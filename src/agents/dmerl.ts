import { OrnsteinUhlenbeckSampler } from '../diffusion/ornsteinUhlenbeck.js';
import { scaleSteps } from '../networks/scaleSteps.js';
import { ScoreNetwork } from '../networks/scoreNetwork.js';
import { powerStepsSchedule } from '../schedules/powerSteps.js';

/**
 * The default policy of {@link DiffPpoAgent}, {@link DiffSacAgent} and {@link DiffWpoAgent}: a prior of unit size, K steps
 * that fall with the third power to little noise next to the action, over the same total time at any K (exact steps of
 * the noising process, since the first ones are large), a control in units of a step's standard deviation.
 *
 * @param options.steps K >= 1, default 8
 * @param options.hidden widths of the control network, default `[256, 256, 256]`
 * @param options.learnDiffusion see {@link EulerMaruyamaOptions}, default `true`
 */
export function dmerlSampler(
  options: { steps?: number; hidden?: readonly number[]; learnDiffusion?: boolean | 'perStep' } = {},
): OrnsteinUhlenbeckSampler {
  const { steps = 8, hidden, learnDiffusion = true } = options;
  const schedule = powerStepsSchedule({ steps, power: 3, min: 0.005, total: TOTAL_TIME });
  const perStd = schedule.stepSizes.map((size) => 1 / Math.sqrt(2 * size));
  return new OrnsteinUhlenbeckSampler({
    schedule,
    stepSize: 1,
    priorStd: 1,
    learnDiffusion,
    network: (rng, sizes) =>
      scaleSteps(new ScoreNetwork(rng, { ...sizes, hidden, timeSize: 64, balanced: true }), perStd),
  });
}

/** Noising over it leaves exp(-2) of the action in the mean. */
const TOTAL_TIME = 2;
