export { MountainCarContinuous } from './classic/mountainCarContinuous.js';
export { Pendulum } from './classic/pendulum.js';
export type { Env, Info, ResetResult, StepResult } from './env.js';
export { type Advance, MarkovEnv } from './markovEnv.js';
export { MultiGoal, type MultiGoalOptions } from './multiGoal.js';
export type { VectorEnv, VectorReset, VectorStep } from './vectorEnv.js';
