import * as tf from '@tensorflow/tfjs-core';

/** Sums of what optimisers were given while a program runs that {@link watchGradients} watches. */
let noted: tf.Scalar[] | undefined;

/**
 * Runs `program`, and adds up all that its optimisers are given: `sum` is finite if, and only if, every gradient and
 * learning rate is. Traceable.
 */
export function watchGradients<T>(program: () => T): { result: T; sum: tf.Scalar } {
  const sums: tf.Scalar[] = [];
  noted = sums;
  try {
    return { result: program(), sum: tf.addN([tf.scalar(0), ...sums]) };
  } finally {
    noted = undefined;
    tf.dispose(sums);
  }
}

/** Tells {@link watchGradients}, if it is watching, what an optimiser is about to use. */
export function noteGradients(values: readonly tf.Tensor[]): void {
  noted?.push(...values.map((value) => tf.keep(tf.sum<tf.Scalar>(value))));
}
