/** One-step tasks on the line: what the small experiments of this folder train on. */
import { type Agent, Box, Rng, type Transitions } from 'diffrl';

/** A reward on actions in [-1, 1]. */
export type Reward = (action: number) => number;

/** The spaces that agents for a one-step task are made for; the observation is a constant. */
export const banditSpaces = { observationSpace: Box.uniform(1, -1, 1), actionSpace: Box.uniform(1, -1, 1) };

/** Two humps of one height, as wide as they are low in between. */
export const twoHumps: Reward = (a) => hump(a, -0.5, 0.2) + hump(a, 0.5, 0.2);

/** A wide low hump near the middle and a narrow high one far out, where few draws of a narrow prior reach it. */
export const farHump: Reward = (a) => hump(a, 0.8, 0.0875) + 0.7 * hump(a, -0.15, 0.125);

function hump(a: number, centre: number, width: number): number {
  return Math.exp(-0.5 * ((a - centre) / width) ** 2);
}

/** What one step of `rows` copies of the task gives. */
export function play(actions: Float32Array, reward: Reward): Transitions {
  const observations = new Float32Array(actions.length).fill(0.5);
  return {
    observations,
    actions,
    rewards: actions.map(reward),
    nextObservations: observations,
    terminated: new Uint8Array(actions.length).fill(1),
    truncated: new Uint8Array(actions.length),
  };
}

/** Random actions, for the warm-up. */
export function randomPlay(rows: number, reward: Reward, seed: number): Transitions {
  return play(Rng.fromSeed(seed).uniforms(rows, -1, 1), reward);
}

/** Facts about a sample of actions against exp(reward / T). */
export interface BanditFacts {
  /** Mean reward. */
  reward: number;
  /** Share of actions above 0. */
  right: number;
  /** Entropy in nats, from a histogram. */
  entropy: number;
  /** Total-variation distance from the Boltzmann distribution, from histograms; NaN at T = 0. */
  distance: number;
}

/** {@link BanditFacts} of the policy's actions. */
export async function banditFacts(agent: Agent, reward: Reward, temperature: number): Promise<BanditFacts> {
  const { actions } = await agent.act(new Float32Array(8192).fill(0.5), { explore: false });
  const share = histogramOf(actions, () => 1);
  const target = histogramOf(grid, (a) => Math.exp(reward(a) / temperature));
  return {
    reward: mean(actions.map(reward)),
    right: mean(actions.map((a) => Number(a > 0))),
    entropy: entropyOf(share),
    distance: share.reduce((sum, p, i) => sum + Math.abs(p - (target[i] as number)) / 2, 0),
  };
}

/** The same facts of the Boltzmann distribution itself. */
export function boltzmannFacts(reward: Reward, temperature: number): Omit<BanditFacts, 'distance'> {
  const weights = grid.map((a) => Math.exp(reward(a) / temperature));
  const total = weights.reduce((a, b) => a + b);
  const expect = (value: (a: number) => number) =>
    grid.reduce((sum, a, i) => sum + (value(a) * (weights[i] as number)) / total, 0);
  return {
    reward: expect(reward),
    right: expect((a) => Number(a > 0)),
    entropy: entropyOf(histogramOf(grid, (a) => Math.exp(reward(a) / temperature))),
  };
}

const BINS = 80;
const grid = Float64Array.from({ length: 8000 }, (_, i) => -1 + (i + 0.5) / 4000);

function histogramOf(values: ArrayLike<number>, weight: (value: number) => number): number[] {
  const bins = new Array<number>(BINS).fill(0);
  for (const value of Array.from(values)) {
    const bin = Math.min(Math.floor(((value + 1) / 2) * BINS), BINS - 1);
    bins[bin] = (bins[bin] as number) + weight(value);
  }
  const total = bins.reduce((a, b) => a + b);
  return bins.map((mass) => mass / total);
}

function entropyOf(share: readonly number[]): number {
  return -share.reduce((sum, p) => sum + (p > 0 ? p * Math.log((p * BINS) / 2) : 0), 0);
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
