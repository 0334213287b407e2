import { described } from '../described.js';
import {
  ArgumentError,
  CheckpointError,
  requireFinite,
  requireInteger,
  requireLength,
  requireObject,
  show,
} from '../errors.js';
import { type GivenOptions, number, type OptionValues, readOptions } from '../options.js';
import type { Rng } from '../rng/rng.js';
import { asCount, prefixed, readEntries, type StateDict, stateArray, substate } from '../state.js';
import type { DiscountedTransitions, Replay, ReplayBatch, ReplayFactory, ReplayOptions } from './replay.js';
import { moved, ReplayBuffer, requireIndices } from './replayBuffer.js';
import { SumTree } from './sumTree.js';

export const priorityOptions = {
  alpha: number(0.6, { min: 0 }, 'How much priorities count: 0 draws uniformly, 1 in proportion to the errors.'),
  beta: number(0.4, { min: 0, max: 1 }, 'How far importance weights make up for it at the start; 1: wholly.'),
  betaBatches: number(1e6, { above: 0 }, 'Batches over which beta grows linearly to 1.'),
  epsilon: number(1e-6, { above: 0 }, 'Added to errors, so that everything is drawn at times.'),
};

export type PriorityOptions = GivenOptions<typeof priorityOptions>;

/**
 * Prioritised replay (Schaul et al. 2016, "Prioritized Experience Replay", proportional): transition i is drawn with
 * probability $P_i = p_i^\alpha / \sum_j p_j^\alpha$, where $p_i = |\delta_i| + \epsilon$ is its temporal-difference error when it was
 * last learned from, and the largest seen for new ones. A batch is stratified: one draw from each of B equal shares of the
 * mass. Weights $w_i = (N P_i)^{-\beta}$, over the largest of the batch, make up for it in the critics' gradients.
 *
 * @example
 * ```ts
 * const agent = await SacAgent.create({ env, replay: prioritizedReplay({ alpha: 0.4 }) });
 * ```
 */
export class PrioritizedReplay implements Replay {
  private readonly options: OptionValues<typeof priorityOptions>;
  private readonly buffer: ReplayBuffer;
  private tree = new SumTree();
  private largest = 1;
  private batches = 0;

  /** @throws ArgumentError for sizes below 1 or options out of range */
  constructor(sizes: ReplayOptions, options: PriorityOptions = {}) {
    this.options = readOptions('PrioritizedReplay', options, priorityOptions);
    this.buffer = new ReplayBuffer(sizes);
  }

  get size(): number {
    return this.buffer.size;
  }

  /** How far importance weights make up for priorities now. */
  get beta(): number {
    const { beta, betaBatches } = this.options;
    return beta + (1 - beta) * Math.min(this.batches / betaBatches, 1);
  }

  add(transitions: DiscountedTransitions): void {
    for (const index of this.buffer.add(transitions)) this.tree.set(index, this.largest);
  }

  /** @throws ArgumentError if nothing is there to be drawn */
  sample(batchSize: number, rng: Rng): ReplayBatch {
    requireInteger('PrioritizedReplay.sample', 'batchSize', batchSize, { min: 1 });
    if (typeof rng?.uniform !== 'function') {
      throw new ArgumentError(
        `PrioritizedReplay.sample: rng must be an Rng, such as Rng.fromSeed(0), got ${show(rng)}.`,
      );
    }
    if (this.size === 0) throw new ArgumentError('PrioritizedReplay.sample: there are no transitions; add some first.');
    const share = this.tree.total / batchSize;
    const indices = Int32Array.from({ length: batchSize }, (_, i) => this.tree.find((i + rng.uniform()) * share));
    const batch = { ...this.buffer.at(indices), weights: this.weights(indices) };
    this.batches++;
    return batch;
  }

  private weights(indices: Int32Array): Float32Array {
    const smallest = indices.reduce((least, index) => Math.min(least, this.tree.get(index)), Infinity);
    return Float32Array.from(indices, (index) => (smallest / this.tree.get(index)) ** this.beta);
  }

  /** Sets the priorities of `batch`. @throws ShapeError or NonFiniteError for errors that do not fit; then nothing has changed */
  learned(batch: ReplayBatch, tdErrors: Float32Array): void {
    const where = 'PrioritizedReplay.learned';
    const indices = requireIndices(where, batch, this.size);
    requireLength(where, 'tdErrors', tdErrors, indices.length, 'the batch size');
    requireFinite(where, 'tdErrors', tdErrors);
    const { alpha, epsilon } = this.options;
    indices.forEach((index, i) => {
      const priority = (Math.abs(tdErrors[i] as number) + epsilon) ** alpha;
      this.tree.set(index, priority);
      this.largest = Math.max(this.largest, priority);
    });
  }

  /** @throws ArgumentError, ShapeError or NonFiniteError as {@link ReplayBuffer} does */
  rewriteActions(batch: ReplayBatch, actions: Float32Array): void {
    this.buffer.rewriteActions(batch, actions);
  }

  state(): StateDict {
    return this.withPriorities(this.buffer.state());
  }

  snapshot(): StateDict {
    return this.withPriorities(this.buffer.snapshot());
  }

  private withPriorities(buffer: StateDict): StateDict {
    return {
      ...prefixed('buffer', buffer),
      priorities: stateArray(this.tree.first(this.size)),
      largest: stateArray(this.largest),
      batches: stateArray(this.batches),
    };
  }

  prepare(state: StateDict): () => void {
    requireObject('PrioritizedReplay.prepare', 'state', state);
    const buffer = substate(state, 'buffer');
    const commit = this.buffer.prepare(buffer);
    const [cursor, filled] = ['cursor', 'filled'].map((name) => Number(buffer[name]!.data[0])) as [number, number];
    const entries = readEntries(state, { priorities: filled, largest: 1, batches: 1 }, ['buffer']);
    const batches = asCount(entries.batches, 'batches');
    const numbers = [...Float64Array.from(entries.priorities), Number(entries.largest[0])];
    if (!numbers.every((value) => value > 0 && Number.isFinite(value))) {
      throw new CheckpointError('PrioritizedReplay: priorities must be numbers > 0; the state is damaged.');
    }
    const { kept, placeOf } = moved(cursor, filled, this.buffer.capacity);
    const tree = SumTree.of(Float64Array.from({ length: kept }, (_, i) => Number(entries.priorities[placeOf(i)])));
    return () => {
      commit();
      this.tree = tree;
      this.largest = Number(entries.largest[0]);
      this.batches = batches;
    };
  }
}

/**
 * {@link PrioritizedReplay} as the option `replay` of an agent.
 *
 * @throws ArgumentError for an option out of range
 */
export function prioritizedReplay(options: PriorityOptions = {}): ReplayFactory {
  readOptions('prioritizedReplay', options, priorityOptions);
  return described((sizes) => new PrioritizedReplay(sizes, options), prioritizedReplay, options);
}
