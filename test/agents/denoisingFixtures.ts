import {
  DpmdAgent,
  type DpmdOptions,
  mish,
  type Rng,
  SdacAgent,
  type SdacOptions,
  sinusoidalFeatures,
  TimeConditionedMlp,
} from 'diffrl';
import { env } from './fixtures.js';

/** A network as in the released code, only smaller. */
export const smallNetwork = (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
  new TimeConditionedMlp(rng, {
    ...sizes,
    hidden: [16],
    activation: mish,
    timeFeatures: sinusoidalFeatures(8, 0.3),
    timeSize: 8,
    lastKernel: 'normal',
  });

export const small = {
  env,
  diffusion: { steps: 4, network: smallNetwork },
  particles: 3,
  targetParticles: 2,
  criticHidden: [16, 16],
  batchSize: 8,
  compile: false,
};
export type SmallOptions = Partial<SdacOptions & DpmdOptions>;

/** The agents with every kind of policy update. */
export const variants = [
  ['SDAC', (options: SmallOptions = {}) => SdacAgent.create({ ...small, reverseSamples: 5, ...options })],
  [
    'SDAC with a clipped proposal on current states',
    (options: SmallOptions = {}) =>
      SdacAgent.create({ ...small, reverseSamples: 5, proposal: 'clip', policyStates: 'current', ...options }),
  ],
  ['DPMD', (options: SmallOptions = {}) => DpmdAgent.create({ ...small, ...options })],
  [
    'DPMD with uniform weights',
    (options: SmallOptions = {}) => DpmdAgent.create({ ...small, weighting: 'uniform', ...options }),
  ],
] as const;
