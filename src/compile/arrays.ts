import type * as tf from '@tensorflow/tfjs-core';
import type { StateArray } from '../state.js';

/** The element arrays of tensors that can enter and leave compiled functions. */
export type RuntimeArray = Float32Array | Int32Array | Uint8Array;

/** A tensor argument: a tfjs tensor, or typed array with shape; int32 for `Int32Array`, bool for `Uint8Array`. */
export type TensorLike = tf.Tensor | StateArray;

export type RuntimeType = 'float32' | 'int32' | 'bool';

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** An array of the class that stands for `dtype`: of this length, or with these numbers, without copying if it fits. */
export function typedArray(dtype: string, from: number | ArrayLike<number>): RuntimeArray {
  const Class = ARRAYS[dtype as RuntimeType];
  if (typeof from === 'number') return new Class(from);
  return from instanceof Class ? from : Class.from(from);
}

/** The dtype that an array stands for, if any. */
export function runtimeType(array: unknown): RuntimeType | undefined {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Int32Array) return 'int32';
  return array instanceof Uint8Array ? 'bool' : undefined;
}
