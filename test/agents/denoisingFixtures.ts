import {
  Box,
  DpmdAgent,
  type DpmdOptions,
  mish,
  Rng,
  ScoreNetwork,
  SdacAgent,
  type SdacOptions,
  sinusoidalFeatures,
  type Transitions,
} from 'diffrl';

export const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 1]) };

/** A network as in the released code, only smaller. */
export const smallNetwork = (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
  new ScoreNetwork(rng, {
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

/** Random transitions with actions all over the space. */
export function transitions(seed: number, rows = 20): Transitions {
  const rng = Rng.fromSeed(seed);
  return {
    observations: rng.normals(3 * rows),
    actions: Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2))),
    rewards: rng.normals(rows),
    nextObservations: rng.normals(3 * rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
  };
}
