import { requireText } from '../../errors.js';

/** What each metric of an agent is called in logs: the same quantity has the same name whichever agent reports it. */
export const loggedAs: Readonly<Record<string, string>> = {
  criticLoss: 'loss/critic',
  valueLoss: 'loss/critic',
  actorLoss: 'loss/actor',
  policyLoss: 'loss/actor',
  denoising: 'loss/denoising',
  value: 'critic/value',
  returnDeviation: 'critic/returnDeviation',
  slope: 'critic/slope',
  advantage: 'critic/advantage',
  saturation: 'critic/saturation',
  temperature: 'policy/temperature',
  entropyBound: 'policy/entropyBound',
  entropy: 'policy/entropy',
  runCost: 'policy/runCost',
  chainKl: 'policy/chainKl',
  policyKl: 'policy/kl',
  optimism: 'policy/optimism',
  optimismKl: 'policy/optimismKl',
  clipFraction: 'policy/clipFraction',
  clippedShare: 'policy/clippedShare',
  effectiveSampleSize: 'policy/effectiveSampleSize',
  weight: 'policy/weight',
  weightSpread: 'policy/weightSpread',
  gradientSteps: 'update/gradientSteps',
};

/**
 * The name under which logs keep an agent's metric: `criticLoss` is `loss/critic`. A name with a slash stays as it is,
 * one that is not known gets `agent/` in front.
 */
export function loggedName(metric: string): string {
  requireText('loggedName', 'metric', metric);
  if (Object.hasOwn(loggedAs, metric)) return loggedAs[metric] as string;
  return metric.includes('/') ? metric : `agent/${metric}`;
}
