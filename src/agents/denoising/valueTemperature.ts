import { type GivenOptions, integer, number, type OptionValues, readOptions } from '../../options.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../../state.js';

/** The options of {@link ValueTemperature}. */
export const valueTemperatureOptions = {
  initial: number(5, { above: 0 }, 'Value at the start.'),
  learningRate: number(7e-3, { min: 0 }, 'Of Adam on the logarithm; 0 keeps the temperature fixed.'),
  every: integer(250, { min: 1 }, 'Updates of the agent to one step.'),
  entropyScale: number(
    0.9,
    {},
    'It settles where a Gaussian of a tenth of it has minus this much entropy per action dimension.',
  ),
};

export type ValueTemperatureOptions = GivenOptions<typeof valueTemperatureOptions>;

const ENTROPY_OF_UNIT_GAUSSIAN = 0.5 * Math.log(2 * Math.PI * Math.E);
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * The temperature lambda of SDAC and DPMD, of the action values and, as a scale, of exploration noise. It follows a
 * schedule, no data: Adam moves its logarithm along $\tfrac12\log(2\pi e\,(0.1\lambda)^2) + c$, towards
 * $\lambda^* = 10\,e^{-c}/\sqrt{2\pi e}$ (0.984 for c = 0.9).
 */
export class ValueTemperature implements Stateful {
  private readonly options: OptionValues<typeof valueTemperatureOptions>;
  private log: number;
  private first = 0;
  private second = 0;
  private steps = 0;
  private updates = 0;

  /** @throws ArgumentError for a value out of range */
  constructor(options: ValueTemperatureOptions = {}) {
    this.options = readOptions('ValueTemperature', options, valueTemperatureOptions);
    this.log = Math.log(this.options.initial);
  }

  /** lambda now. */
  get value(): number {
    return Math.exp(this.log);
  }

  /** Counts one update of the agent; the first of every `every` takes a step. */
  advance(): void {
    if (this.updates++ % this.options.every !== 0) return;
    const gradient = ENTROPY_OF_UNIT_GAUSSIAN + Math.log(0.1) + this.log + this.options.entropyScale;
    this.steps++;
    this.first = BETA1 * this.first + (1 - BETA1) * gradient;
    this.second = BETA2 * this.second + (1 - BETA2) * gradient ** 2;
    const mean = this.first / (1 - BETA1 ** this.steps);
    const spread = Math.sqrt(this.second / (1 - BETA2 ** this.steps));
    this.log -= (this.options.learningRate * mean) / (spread + EPSILON);
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
