import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../../diffusion/diffusionSampler.js';
import type { DiffusionPath } from '../../diffusion/path.js';
import type { StepBatch } from '../../objectives/stepBatch.js';
import { indicators } from '../../ops/linear.js';
import { repeatRows } from '../../ops/repeatRows.js';
import { StoredLatents } from './storedLatents.js';

/** Transitions of the chain to train on, R rows; constants. */
export interface SampledSteps {
  observations: tf.Tensor2D;
  /** Latents `[R, A]` at ... */
  x: tf.Tensor2D;
  /** ... diffusion steps `[R]`. */
  step: tf.Tensor1D;
  /** What came of the latents, if their chains were simulated. */
  chain?: { next: tf.Tensor2D; action: tf.Tensor2D; costAhead: tf.Tensor1D; totalCost: tf.Tensor1D };
}

/** Losses and log ratios of transitions, `[R]` each, at the kernels given. */
export type RowLosses = (batch: StepBatch) => { loss: tf.Tensor1D; logRatio: tf.Tensor1D };

/** Where the value of what follows is read: U at `step`, less a cost. */
export interface Successor {
  /** `[B, A]` */
  input: tf.Tensor2D;
  /** `[B]` */
  cost: tf.Tensor1D;
  /** `[B]`, K for actions. */
  step: tf.Tensor1D;
}

/** What chains are run on and for. */
interface Inputs {
  observations: tf.Tensor2D;
  nextObservations: tf.Tensor2D;
  actions: tf.Tensor2D;
  chain: tf.Tensor;
  step: tf.Tensor1D;
  start: tf.Tensor2D;
}

/** Rows of chains that somebody wants run: on which observations, and how the result is read from their paths. */
interface Wish<Result> {
  /** Chains for each transition of the batch. */
  readonly chains: number;
  observations(inputs: Inputs): tf.Tensor2D[];
  /** @param from the first row of `path` that is one of these chains */
  read(inputs: Inputs, path: DiffusionPath | undefined, from: number): Result;
}

/** Runs the chains that a gradient step needs, all at once and without gradient. Traceable. */
export class Simulation {
  private readonly latents: Wish<SampledSteps>;
  private readonly successors: Wish<Successor>;

  constructor(
    private readonly sampler: DiffusionSampler,
    modes: { latents: 'resimulate' | 'replay'; actionTarget: 'chain' | 'step'; groupSize: number },
  ) {
    const { steps } = sampler.schedule;
    this.latents = modes.latents === 'resimulate' ? resimulated(modes.groupSize) : replayed(steps);
    this.successors = modes.actionTarget === 'chain' ? chainEnd(steps) : priorDraw(sampler);
  }

  /** Chains that are run for a batch. */
  chains(batch: number): number {
    return batch * (this.latents.chains + this.successors.chains);
  }

  run(inputs: Inputs): { sampled: SampledSteps; successor: Successor; path: DiffusionPath | undefined } {
    const observations = [...this.latents.observations(inputs), ...this.successors.observations(inputs)];
    const path = observations.length
      ? this.sampler.sample(tf.concat(observations), inputs.chain, { trajectory: 'detached' })
      : undefined;
    const batch = inputs.observations.shape[0];
    return {
      sampled: this.latents.read(inputs, path, 0),
      successor: this.successors.read(inputs, path, batch * this.latents.chains),
      path,
    };
  }
}

/** Latents of the present policy: its chain is run on the replayed observations. */
function resimulated(groupSize: number): Wish<SampledSteps> {
  const repeated = ({ observations }: Inputs) => repeatRows(observations, groupSize);
  return {
    chains: groupSize,
    observations: (inputs) => [repeated(inputs)],
    read: (inputs, path) => {
      const observations = repeated(inputs);
      return { observations, step: inputs.step, ...sampledFrom(path!, inputs.step, observations.shape[0]) };
    },
  };
}

/** Latents of the policy that acted, from replay. */
function replayed(steps: number): Wish<SampledSteps> {
  return {
    chains: 0,
    observations: () => [],
    read: ({ observations, step, actions }) => {
      return { observations, step, x: select(StoredLatents.split(actions, steps), step) };
    },
  };
}

/** The action at the end of a chain at the next state. */
function chainEnd(steps: number): Wish<Successor> {
  return {
    chains: 1,
    observations: ({ nextObservations }) => [nextObservations],
    read: (_, path, from) => {
      const cost = tail(path!.totalCost, from);
      return { input: tail(path!.action, from), cost, step: tf.fill(cost.shape, steps) };
    },
  };
}

/** A draw of the prior at the next state, which has the prior's entropy. */
function priorDraw(sampler: DiffusionSampler): Wish<Successor> {
  return {
    chains: 0,
    observations: () => [],
    read: ({ start }) => {
      const rows: [number] = [start.shape[0]];
      return { input: start, cost: tf.fill(rows, -sampler.priorEntropy), step: tf.zeros(rows) };
    },
  };
}

/** Latents at the chosen steps and what came of them, from the first `rows` trajectories of a path. */
export function sampledFrom(path: DiffusionPath, step: tf.Tensor1D, rows: number) {
  const head = <T extends tf.Tensor>(tensor: T): T => tf.slice(tensor, 0, rows);
  const states = path.states.map(head);
  const steps = path.logForward.shape[0];
  const logRatios = tf.slice(tf.sub(path.logForward, path.logBackward), [0, 0], [-1, rows]);
  const isAhead = tf.greaterEqual(tf.reshape(tf.range(0, steps), [-1, 1]), tf.reshape(step, [1, -1]));
  const ahead = tf.sum<tf.Tensor1D>(tf.mul(logRatios, tf.cast(isAhead, 'float32')), 0);
  return {
    x: select(states.slice(0, steps), step),
    chain: {
      next: select(states.slice(1), step),
      action: head(path.action),
      costAhead: tf.sub<tf.Tensor1D>(ahead, head(path.logDet)),
      totalCost: head(path.totalCost),
    },
  };
}

/** Row r of the result is row r of `choices[index[r]]`. */
export function select(choices: tf.Tensor2D[], index: tf.Tensor1D): tf.Tensor2D {
  const chosen = tf.transpose(indicators(index, choices.length));
  return tf.sum(tf.mul(tf.stack(choices), tf.expandDims(chosen, 2)), 0);
}

function tail<T extends tf.Tensor>(tensor: T, from: number): T {
  return tf.slice(tensor, from, (tensor.shape[0] as number) - from);
}
