import { requireInteger, requireNumber } from '../errors.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';

export interface NoiseLevelOptions {
  /** Value at the start, > 0, default 5. */
  initial?: number;
  /** Of Adam on the logarithm, default 7e-3; 0 keeps the level fixed. */
  learningRate?: number;
  /** Updates of the agent to one step, default 250. */
  every?: number;
  /** The level settles where a Gaussian of a tenth of it has minus this much entropy per action dimension, default 0.9. */
  entropyScale?: number;
}

const ENTROPY_OF_UNIT_GAUSSIAN = 0.5 * Math.log(2 * Math.PI * Math.E);
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * The noise level lambda of SDAC and DPMD: the temperature of the action values, and the scale of exploration noise.
 * It follows a schedule, no data: Adam moves its logarithm along $\tfrac12\log(2\pi e\,(0.1\lambda)^2) + c$, towards
 * $\lambda^* = 10\,e^{-c}/\sqrt{2\pi e}$ (0.984 for c = 0.9).
 */
export class NoiseLevel implements Stateful {
  private readonly learningRate: number;
  private readonly every: number;
  private readonly entropyScale: number;
  private log: number;
  private first = 0;
  private second = 0;
  private steps = 0;
  private updates = 0;

  /** @throws ArgumentError for a value out of range */
  constructor({ initial = 5, learningRate = 7e-3, every = 250, entropyScale = 0.9 }: NoiseLevelOptions = {}) {
    this.log = Math.log(requireNumber('NoiseLevel', 'initial', initial, { above: 0 }));
    this.learningRate = requireNumber('NoiseLevel', 'learningRate', learningRate, { min: 0 });
    this.every = requireInteger('NoiseLevel', 'every', every, { min: 1 });
    this.entropyScale = requireNumber('NoiseLevel', 'entropyScale', entropyScale);
  }

  /** lambda now. */
  get value(): number {
    return Math.exp(this.log);
  }

  /** Counts one update of the agent; the first of every `every` takes a step. */
  advance(): void {
    if (this.updates++ % this.every !== 0) return;
    const gradient = ENTROPY_OF_UNIT_GAUSSIAN + Math.log(0.1) + this.log + this.entropyScale;
    this.steps++;
    this.first = BETA1 * this.first + (1 - BETA1) * gradient;
    this.second = BETA2 * this.second + (1 - BETA2) * gradient ** 2;
    const mean = this.first / (1 - BETA1 ** this.steps);
    const spread = Math.sqrt(this.second / (1 - BETA2 ** this.steps));
    this.log -= (this.learningRate * mean) / (spread + EPSILON);
  }

  state(): StateDict {
    return { schedule: stateArray(Float64Array.of(this.log, this.first, this.second, this.steps, this.updates)) };
  }

  prepare(state: StateDict): () => void {
    const values = Array.from(readEntries(state, { schedule: 5 }).schedule) as [number, number, number, number, number];
    return () => {
      [this.log, this.first, this.second, this.steps, this.updates] = values;
    };
  }
}
