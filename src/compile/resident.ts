import * as tf from '@tensorflow/tfjs-core';
import { DiffrlError } from '../errors.js';
import { type RuntimeArray, typedArray } from './arrays.js';
import type { Home } from './home.js';
import { oncePerProcess } from './oncePerProcess.js';
import type { Queue } from './queue.js';
import type { OnnxTensor } from './runtime.js';
import { sameShape } from './shapes.js';
import { ownerOf } from './tracingBackend.js';

/** The part of the cpu backend that keeps the numbers of tensors. */
export interface CpuBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<CpuEntry>;
}

/** What the cpu backend knows of a tensor. */
export interface CpuEntry {
  values?: tf.backend_util.BackendValues;
  readonly dtype: tf.DataType;
  refCount: number;
}

/**
 * A tensor of the cpu backend whose numbers are a tensor of ONNX Runtime, wherever that computes: the one place where a
 * variable's value is. On the host both use one array; from a device it is fetched when somebody asks.
 */
export class Resident implements CpuEntry {
  /** The numbers on the host, once they were asked for. */
  private host?: RuntimeArray;
  /** The same numbers as tensors of other homes or shapes. */
  private readonly copies: { home: Home; tensor: OnnxTensor }[] = [];

  constructor(
    readonly dtype: tf.DataType,
    private home: Home,
    private tensor: OnnxTensor,
    private references = 1,
  ) {}

  get refCount(): number {
    return this.references;
  }

  set refCount(count: number) {
    this.references = count;
    if (count === 0) this.free();
  }

  /** Whether the numbers are on a device only. */
  get isAway(): boolean {
    return !this.isOnHost && !this.host;
  }

  /** The numbers, if they are on the host. */
  get values(): RuntimeArray {
    if (this.isOnHost) return this.tensor.data;
    if (this.host) return this.host;
    throw new DiffrlError(
      'compile: a value that is on the graphics card cannot be read synchronously. Read it with `await variable.data()`; ' +
        'after that, and until it changes, dataSync() and eager operations work too.',
    );
  }

  /** The numbers as a tensor of `home`, if they are there: call {@link bring} before. */
  tensorAt(home: Home, shape: readonly number[]): OnnxTensor | undefined {
    if (home === this.home && sameShape(this.tensor.dims, shape)) return this.tensor;
    return this.copies.find((copy) => copy.home === home && sameShape(copy.tensor.dims, shape))?.tensor;
  }

  /** Makes {@link tensorAt} give a tensor for this home and shape. */
  async bring(home: Home, shape: readonly number[]): Promise<void> {
    await this.fetch();
    const { tensor } = this;
    const copy = await home.place(this.dtype, this.values, shape);
    if (tensor === this.tensor) this.copies.push({ home, tensor: copy });
  }

  /** Brings the numbers to the host. */
  async fetch(): Promise<void> {
    while (this.isAway) {
      const { tensor } = this;
      const host = await this.home.fetch(tensor);
      if (tensor === this.tensor) this.host = host;
    }
  }

  /** Takes a new value in. */
  replace(home: Home, tensor: OnnxTensor): void {
    this.free();
    this.home = home;
    this.tensor = tensor;
  }

  private get isOnHost(): boolean {
    return this.tensor.location === 'cpu';
  }

  private free(): void {
    for (const tensor of [this.tensor, ...this.copies.splice(0).map((copy) => copy.tensor)]) {
      if (tensor.location !== 'cpu') tensor.dispose();
    }
    this.host = undefined;
  }
}

/** Whether an entry is a {@link Resident}, of whichever copy of this library. */
export function isResident(entry: CpuEntry): entry is Resident {
  return 'tensorAt' in entry;
}

/** Makes `entry` what the cpu backend knows of `dataId`. */
export function keepIn(backend: CpuBackend, dataId: object, entry: CpuEntry): void {
  if (backend.data.has(dataId)) backend.data.delete(dataId);
  backend.data.set(dataId, entry);
}

/** The numbers of an ordinary entry. */
export function numbersIn(entry: CpuEntry): RuntimeArray {
  return typedArray(entry.dtype, entry.values as RuntimeArray);
}

/** Whether the numbers of a tensor can be read at once: whether the cpu backend has them on the host. */
export function isAtHand(dataId: object): boolean {
  const owner = ownerOf(dataId);
  if (owner !== tf.findBackend('cpu')) return false;
  const entry = (owner as CpuBackend).data.get(dataId);
  return !isResident(entry) || !entry.isAway;
}

const watched = oncePerProcess('watched', () => new WeakSet<CpuBackend>());

/** Lets `data()` of tensors of the cpu backend wait for what has to be fetched first, when it is its turn. */
export function fetchBeforeReads(queue: Queue): void {
  const backend = tf.findBackend('cpu') as CpuBackend | null;
  if (!backend || watched.has(backend)) return;
  watched.add(backend);
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    const entry = backend.data.get(dataId);
    if (isResident(entry) && entry.isAway) await queue.run(() => entry.fetch());
    return read(dataId);
  };
}
