/** What the visitor can choose; plain data that goes to the worker. */
export interface Settings {
  task: TaskId;
  agent: AgentId;
  seed: number;
  knobs: Knobs;
  /** Only for the task `Robot`. */
  robot?: Robot;
  /** A policy file that is played instead of an agent that learns. */
  policy?: Uint8Array;
}

export const TASKS = {
  'InvertedPendulum-v5': 'Balance a pole',
  Pendulum: 'Swing up a pendulum',
  MultiGoal: 'Four equal goals',
  'HalfCheetah-v5': 'Run like a cheetah',
  'Reacher-v5': 'Reach a point',
  Robot: 'Your own robot',
} as const;
export type TaskId = keyof typeof TASKS;

export const AGENTS = {
  DIME: 'DIME',
  SDAC: 'SDAC',
  DPMD: 'DPMD',
  DiffSAC: 'DiffSAC',
  DiffWPO: 'DiffWPO',
  DiffPPO: 'DiffPPO',
} as const;
export type AgentId = keyof typeof AGENTS;

export interface Knobs {
  /** Steps of the policy's chain. */
  diffusionSteps: number;
  /** Of actor and critic. */
  learningRate: number;
  batchSize: number;
  /** Updates for each step of the environment. */
  updates: number;
  discount: number;
  /** Target of the entropy bound, nats per action dimension. */
  entropy: number;
}

/** A knob, and the values that it can take. */
export interface Dial {
  name: keyof Knobs;
  label: string;
  hint: string;
  values: readonly number[];
  /** Agents that it means something to; all by default. */
  agents?: readonly AgentId[];
}

export const DIALS: readonly Dial[] = [
  {
    name: 'diffusionSteps',
    label: 'Diffusion steps',
    hint: 'from noise to action',
    values: [1, 2, 3, 4, 6, 8, 12, 16],
  },
  {
    name: 'learningRate',
    label: 'Learning rate',
    hint: 'of actor and critic',
    values: [1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3],
  },
  { name: 'batchSize', label: 'Batch', hint: 'transitions in an update', values: [32, 64, 128, 256] },
  {
    name: 'updates',
    label: 'Updates per step',
    hint: 'gradient steps for each step',
    values: [1, 2, 3, 4],
    agents: ['DIME', 'SDAC', 'DPMD', 'DiffSAC', 'DiffWPO'],
  },
  { name: 'discount', label: 'Discount', hint: 'how far ahead it looks', values: [0.9, 0.95, 0.97, 0.98, 0.99, 0.995] },
  {
    name: 'entropy',
    label: 'Target entropy',
    hint: 'nats per action: lower is surer',
    values: [-4, -3, -2.5, -2, -1.665, -1.2, -0.8, -0.4, 0],
    agents: ['DIME'],
  },
];

/** A model that the visitor dropped, and what it should learn. */
export interface Robot {
  name: string;
  xml: string;
  assets: Record<string, Uint8Array>;
  reward: RobotReward;
}

export const REWARDS = { forward: 'run forward', upright: 'stand tall', jump: 'jump', spin: 'turn round' } as const;
export type RobotReward = keyof typeof REWARDS;

/** Small networks and few steps, so that something happens within a minute on two cores. */
export function defaultKnobs(task: TaskId): Knobs {
  const common = { diffusionSteps: 4, learningRate: 1e-3, batchSize: 64, updates: 1, discount: 0.99, entropy: -1.665 };
  switch (task) {
    case 'InvertedPendulum-v5':
      return { ...common, learningRate: 2e-3, entropy: -3 };
    case 'Pendulum':
      return { ...common, discount: 0.95 };
    case 'MultiGoal':
      return { ...common, diffusionSteps: 8, discount: 0.95, entropy: -0.8 };
    case 'HalfCheetah-v5':
    case 'Robot':
      return { ...common, batchSize: 128, learningRate: 5e-4 };
    default:
      return common;
  }
}

export function defaultSettings(task: TaskId = 'InvertedPendulum-v5', agent: AgentId = 'DIME'): Settings {
  return { task, agent, seed: 0, knobs: defaultKnobs(task) };
}
