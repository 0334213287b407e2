import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError, show } from '../errors.js';
import type { StateArray } from '../state.js';
import { type RuntimeType, runtimeType, type TensorLike } from './arrays.js';
import { sizeOf } from './shapes.js';
import { isRecord } from './structure.js';
import type { InputInfo } from './trace.js';

/** What is fixed about an argument: nested tensors of one dtype and rank, and values that are part of the program. */
type Pattern =
  | { readonly dtype: RuntimeType; readonly rank: number }
  | { readonly list: readonly Pattern[] }
  | { readonly record: Readonly<Record<string, Pattern>> }
  | { readonly value: unknown };

/** The arguments that a compiled function takes, as its first call had them. */
export class Signature {
  private readonly pattern: Pattern;

  /** @throws {@link ArgumentError} if `args` hold anything but tensors, booleans, strings, null and undefined */
  constructor(
    private readonly name: string,
    args: readonly unknown[],
  ) {
    this.pattern = patternOf(name, args, 'args');
  }

  /**
   * The tensors among `args`.
   *
   * @throws {@link ArgumentError} if structure, dtypes, ranks or other values are not those of the first call
   */
  read(args: readonly unknown[]): TensorLike[] {
    const tensors: TensorLike[] = [];
    this.match(this.pattern, args, 'args', tensors);
    return tensors;
  }

  /** The arguments of the first call with `tensors` in the places of its tensors. */
  fill(tensors: readonly tf.Tensor[]): unknown[] {
    let next = 0;
    const filled = (pattern: Pattern): unknown => {
      if ('dtype' in pattern) return tensors[next++];
      if ('list' in pattern) return pattern.list.map(filled);
      if (!('record' in pattern)) return pattern.value;
      return Object.fromEntries(Object.entries(pattern.record).map(([key, entry]) => [key, filled(entry)]));
    };
    return filled(this.pattern) as unknown[];
  }

  /** Names, types and shapes of the tensor arguments as text, of those by index that `chosen` picks. */
  describe(infos: readonly InputInfo[], chosen: (index: number) => boolean = () => true): string {
    const paths: string[] = [];
    const collect = (pattern: Pattern, path: string): void => {
      if ('dtype' in pattern) paths.push(path);
      else if ('list' in pattern) pattern.list.forEach((entry, i) => void collect(entry, `${path}[${i}]`));
      else if ('record' in pattern) {
        for (const [key, entry] of Object.entries(pattern.record)) collect(entry, `${path}.${key}`);
      }
    };
    collect(this.pattern, 'args');
    const texts = infos.map(({ dtype, shape }, i) => `${paths[i]} ${dtype} [${shape.join(', ')}]`);
    return texts.filter((_, i) => chosen(i)).join(', ');
  }

  private match(pattern: Pattern, value: unknown, path: string, found: TensorLike[]): void {
    if ('dtype' in pattern) {
      if (!isTensorLike(value)) this.reject(path, `a ${pattern.dtype} tensor of rank ${pattern.rank}`, value);
      const { dtype, shape } = infoOf(this.name, value, path);
      if (dtype !== pattern.dtype || shape.length !== pattern.rank) {
        this.reject(path, `${pattern.dtype} of rank ${pattern.rank}`, `${dtype} of shape [${shape.join(', ')}]`);
      }
      found.push(value);
    } else if ('list' in pattern) {
      const { list } = pattern;
      if (!Array.isArray(value) || value.length !== list.length) this.reject(path, `${list.length} entries`, value);
      for (let i = 0; i < list.length; i++) this.match(list[i]!, value[i], `${path}[${i}]`, found);
    } else if ('record' in pattern) {
      const keys = Object.keys(pattern.record);
      if (!isRecord(value) || Object.keys(value).length !== keys.length) this.reject(path, `keys ${keys}`, value);
      for (const key of keys) this.match(pattern.record[key]!, value[key], `${path}.${key}`, found);
    } else if (pattern.value !== value) {
      this.reject(path, show(pattern.value), value);
    }
  }

  private reject(path: string, wanted: string, value: unknown): never {
    const given = typeof value === 'string' ? value : Array.isArray(value) ? `${value.length} entries` : show(value);
    throw new ArgumentError(`${this.name}: ${path} must be ${wanted}, as in the first call, got ${given}.`);
  }
}

/** Type and shape of a checked tensor argument. */
export function inputInfo(tensor: TensorLike): InputInfo {
  if (tensor instanceof tf.Tensor) return { dtype: tensor.dtype as RuntimeType, shape: tensor.shape };
  return { dtype: runtimeType(tensor.data)!, shape: tensor.shape };
}

function patternOf(name: string, value: unknown, path: string): Pattern {
  if (isTensorLike(value)) {
    const { dtype, shape } = infoOf(name, value, path);
    return { dtype, rank: shape.length };
  }
  if (Array.isArray(value)) return { list: value.map((entry, i) => patternOf(name, entry, `${path}[${i}]`)) };
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, entry]) => [key, patternOf(name, entry, `${path}.${key}`)]);
    return { record: Object.fromEntries(entries) };
  }
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string') {
    return { value };
  }
  throw new ArgumentError(
    `${name}: ${path} must be a tensor, a typed array with shape, a boolean, a string, null or undefined, ` +
      `got ${show(value)}. Pass a number that changes as { data: Float32Array.of(x), shape: [] }.`,
  );
}

function isTensorLike(value: unknown): value is TensorLike {
  if (value instanceof tf.Tensor) return true;
  const { data, shape } = (value ?? {}) as Partial<StateArray>;
  return ArrayBuffer.isView(data) && Array.isArray(shape);
}

function infoOf(name: string, tensor: TensorLike, path: string): InputInfo {
  if (tensor instanceof tf.Tensor) {
    if (tensor.isDisposed) throw new ArgumentError(`${name}: ${path} is a disposed tensor.`);
  } else if (!runtimeType(tensor.data)) {
    const given = show(tensor.data);
    throw new ArgumentError(
      `${name}: ${path}.data must be Float32Array, Int32Array or Uint8Array (bool), got ${given}.`,
    );
  } else if (tensor.data.length !== sizeOf(tensor.shape)) {
    const size = `${tensor.data.length} numbers for shape [${tensor.shape.join(', ')}]`;
    throw new ShapeError(`${name}: ${path} has ${size}; they must be as many as the product of the shape.`);
  }
  return inputInfo(tensor);
}
