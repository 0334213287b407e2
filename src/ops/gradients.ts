import * as tf from '@tensorflow/tfjs-core';
import type { Variables } from './variables.js';

/** A scalar loss with whatever else the computation should hand out. */
export type LossWithAux<Aux extends tf.NamedTensorMap> = { loss: tf.Scalar } & Aux;

/**
 * Runs `compute` once; returns its results and the gradient of `loss` for every variable, by the variables' names here:
 * zeros for those that it does not depend on.
 *
 * @throws Error if it depends on none of them
 */
export function lossAndGradients<Aux extends tf.NamedTensorMap>(
  variables: Variables,
  compute: () => LossWithAux<Aux>,
): { results: LossWithAux<Aux>; gradients: Record<string, tf.Tensor> } {
  let kept: tf.NamedTensorMap = {};
  const { value, grads } = tf.variableGrads(() => {
    const { loss, ...aux } = compute();
    kept = Object.fromEntries(Object.entries(aux).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]));
    return loss;
  }, Object.values(variables));
  const aux = Object.entries(kept).map(([name, tensor]) => [name, release(tensor)]);
  const gradients = Object.entries(variables).map(([name, variable]) => {
    return [name, grads[variable.name] ?? tf.zerosLike(variable)];
  });
  return { results: { loss: value, ...Object.fromEntries(aux) }, gradients: Object.fromEntries(gradients) };
}

/** Hands a kept tensor back to the enclosing tidy. */
function release(kept: tf.Tensor): tf.Tensor {
  const tensor = tf.clone(kept);
  kept.dispose();
  return tensor;
}
