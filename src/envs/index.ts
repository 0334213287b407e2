export type { Env, Info, ResetResult, StepResult } from './env.js';
export type { VectorEnv, VectorReset, VectorStep } from './vectorEnv.js';
