import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError, show } from '../errors.js';
import type { StateArray } from '../state.js';
import { runtimeType, type TensorLike } from './arrays.js';
import { sizeOf } from './shapes.js';
import { mapLeaves } from './structure.js';
import type { InputInfo } from './trace.js';

/** The arguments of one call, taken apart and checked. */
export interface Call {
  readonly tensors: readonly TensorLike[];
  readonly infos: readonly InputInfo[];
  /** Structure, other values, dtypes and ranks: what must be the same for every call. */
  readonly kind: string;
  /** The sizes of all tensors: each needs a trace of its own. */
  readonly sizes: string;
}

/**
 * Takes the arguments of a compiled function apart.
 *
 * @throws {@link ArgumentError} for anything but tensors, typed arrays with shape, booleans, strings, null, undefined
 */
export function readCall(name: string, args: readonly unknown[]): Call {
  const tensors: TensorLike[] = [];
  const infos: InputInfo[] = [];
  const structure = mapLeaves(args, isTensorLike, (leaf, path) => {
    if (!isTensorLike(leaf)) return requireStatic(name, leaf, `args${path}`);
    const info = infoOf(name, leaf, `args${path}`);
    tensors.push(leaf);
    infos.push(info);
    return `${info.dtype} of rank ${info.shape.length}`;
  });
  const kind = JSON.stringify(structure, (_, value) => (value === undefined ? 'undefined' : value));
  return { tensors, infos, kind, sizes: infos.map(({ shape }) => shape.join()).join(';') };
}

/** The arguments with `tensors` in the places of the tensor arguments. */
export function withTensors(args: readonly unknown[], tensors: readonly tf.Tensor[]): unknown[] {
  let next = 0;
  return mapLeaves(args, isTensorLike, (leaf) => (isTensorLike(leaf) ? tensors[next++] : leaf)) as unknown[];
}

function isTensorLike(value: unknown): value is TensorLike {
  if (value instanceof tf.Tensor) return true;
  const { data, shape } = (value ?? {}) as Partial<StateArray>;
  return ArrayBuffer.isView(data) && Array.isArray(shape);
}

function infoOf(name: string, tensor: TensorLike, path: string): InputInfo {
  if (tensor instanceof tf.Tensor) {
    if (tensor.isDisposed) throw new ArgumentError(`${name}: ${path} is a disposed tensor.`);
    return { dtype: tensor.dtype as InputInfo['dtype'], shape: tensor.shape };
  }
  const dtype = runtimeType(tensor.data);
  if (!dtype) {
    const given = show(tensor.data);
    throw new ArgumentError(
      `${name}: ${path}.data must be a Float32Array, Int32Array or Uint8Array (bool), got ${given}.`,
    );
  }
  if (tensor.data.length !== sizeOf(tensor.shape)) {
    const size = `${tensor.data.length} numbers for shape [${tensor.shape.join(', ')}]`;
    throw new ShapeError(`${name}: ${path} has ${size}; they must be as many as the product of the shape.`);
  }
  return { dtype, shape: tensor.shape };
}

function requireStatic(name: string, value: unknown, path: string): unknown {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string') return value;
  throw new ArgumentError(
    `${name}: ${path} must be a tensor, a typed array with shape, a boolean, a string, null or undefined, ` +
      `got ${show(value)}. Pass a number that changes as { data: Float32Array.of(x), shape: [] }.`,
  );
}
