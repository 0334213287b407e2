import { augmentedDiscounts, type DiscountMode, Rng } from 'diffrl';

/** States, action values (also of latents) and diffusion steps of the tabular problem. */
export const STATES = 3;
export const VALUES = 4;
export const STEPS = 3;

/** A transition of the augmented MDP, k in generation order. */
export interface Row {
  state: number;
  k: number;
  from: number;
  to: number;
}

/** Every transition, in the order of all parameter tables `[S, K, from, to]` and `[K, to, from]`. */
export const ROWS: Row[] = [];
for (let state = 0; state < STATES; state++)
  for (let k = 0; k < STEPS; k++)
    for (let from = 0; from < VALUES; from++) for (let to = 0; to < VALUES; to++) ROWS.push({ state, k, from, to });

/** Where a row's parameter stands: logits of the learned kernels `[S, K, from, to]`, of the noising kernels `[K, to, from]`. */
export const learnedIndex = ({ state, k, from, to }: Row) => ((state * STEPS + k) * VALUES + from) * VALUES + to;
export const noisingIndex = ({ k, from, to }: Row) => (k * VALUES + to) * VALUES + from;

const rng = Rng.fromSeed(17);
const table = (size: number) => Array.from(rng.normals(size));

/** A random Markov decision process: rewards and successors of (state, executed action). */
const rewards = table(STATES * VALUES);
const successors = Array.from({ length: STATES * VALUES }, () => softmax(table(STATES)));

export const problem = {
  temperature: 0.3,
  gamma: 0.9,
  learned: table(STATES * STEPS * VALUES * VALUES),
  noising: table(STEPS * VALUES * VALUES),
};

/** Exact values, visits and soft return of the tabular augmented MDP, by iteration to convergence. */
export function solve({ learned, noising }: { learned: number[]; noising: number[] }, mode: DiscountMode = 'phase') {
  const { temperature, gamma } = problem;
  const { gammas } = augmentedDiscounts({ diffusionSteps: STEPS, gamma, mode });
  const logLearned = logSoftmaxRows(learned);
  const logNoising = logSoftmaxRows(noising);
  const logRatio = ROWS.map((row) => logLearned[learnedIndex(row)]! - logNoising[noisingIndex(row)]!);
  const probability = ROWS.map((row) => Math.exp(logLearned[learnedIndex(row)]!));
  const node = (state: number, k: number, latent: number) => (state * STEPS + k) * VALUES + latent;

  let values = new Float64Array(STATES * STEPS * VALUES);
  const start = (v: Float64Array, state: number) => {
    let mean = 0;
    for (let x = 0; x < VALUES; x++) mean += v[node(state, 0, x)]! / VALUES;
    return mean;
  };
  /** Q of a transition without its own entropy part. */
  const actionValue = (v: Float64Array, { state, k, to }: Row) => {
    if (k < STEPS - 1) return gammas[k]! * v[node(state, k + 1, to)]!;
    const pair = state * VALUES + to;
    const next = successors[pair]!.reduce((sum, p, s) => sum + p * start(v, s), 0);
    return rewards[pair]! + gammas[k]! * next;
  };
  for (let sweep = 0; sweep < 600; sweep++) {
    const next = new Float64Array(values.length);
    ROWS.forEach((row, i) => {
      next[node(row.state, row.k, row.from)]! +=
        probability[i]! * (actionValue(values, row) - temperature * logRatio[i]!);
    });
    values = next;
  }

  let visits = new Float64Array(values.length);
  for (let sweep = 0; sweep < 600; sweep++) {
    const next = new Float64Array(values.length);
    for (let x = 0; x < VALUES; x++) for (let s = 0; s < STATES; s++) next[node(s, 0, x)] = 1 / STATES / VALUES;
    ROWS.forEach((row, i) => {
      const mass = visits[node(row.state, row.k, row.from)]! * probability[i]! * gammas[row.k]!;
      if (row.k < STEPS - 1) next[node(row.state, row.k + 1, row.to)]! += mass;
      else
        successors[row.state * VALUES + row.to]!.forEach((p, s) => {
          for (let x = 0; x < VALUES; x++) next[node(s, 0, x)]! += (mass * p) / VALUES;
        });
    });
    visits = next;
  }

  return {
    softReturn: [0, 1, 2].reduce((sum, state) => sum + start(values, state) / STATES, 0),
    logLearned: ROWS.map((row) => logLearned[learnedIndex(row)]!),
    logNoising: ROWS.map((row) => logNoising[noisingIndex(row)]!),
    /** Discounted probability of every transition. */
    weights: ROWS.map((row, i) => visits[node(row.state, row.k, row.from)]! * probability[i]!),
    /** Q - T l - V of every transition. */
    advantages: ROWS.map(
      (row, i) => actionValue(values, row) - temperature * logRatio[i]! - values[node(row.state, row.k, row.from)]!,
    ),
    logRatio,
  };
}

function logSoftmaxRows(logits: number[]): number[] {
  return logits.map((logit, i) => {
    const row = logits.slice(i - (i % VALUES), i - (i % VALUES) + VALUES);
    return logit - Math.log(row.reduce((sum, other) => sum + Math.exp(other), 0));
  });
}

function softmax(logits: number[]): number[] {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
}
