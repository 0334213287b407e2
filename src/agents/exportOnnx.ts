import * as tf from '@tensorflow/tfjs-core';
import { requireInteger } from '../errors.js';
import { writeFileAtomically } from '../files/files.js';
import { nodeModule } from '../files/nodeModules.js';
import type { Box } from '../spaces/box.js';
import type { TensorProgram } from './program.js';

/** A policy as one tensor program, for a fixed number of observations at a time. */
export interface PolicyGraph {
  /** Shapes of the inputs: observations `[rows, O]`, and the standard normal noise of a draw. */
  readonly inputs: Readonly<Record<'observation' | 'noise', { shape: readonly number[] }>>;
  /** Actions `[rows, A]` in [-1, 1]. */
  readonly program: TensorProgram<{ observation: tf.Tensor2D; noise: tf.Tensor }, 'action'>;
}

/** An agent whose policy can be exported. */
export interface ExportableAgent {
  readonly name: string;
  /** The exported model gives actions in this space's own units. */
  readonly actionSpace: Box;
  /** The policy for `rows` observations at a time. */
  policyGraph(rows: number): PolicyGraph;
}

/**
 * The policy as an ONNX model (operator set and IR version: `OPSET_VERSION`, `IR_VERSION` of `diffrl/compile`) that any ONNX
 * runtime can serve. Inputs `observation` `[rows, O]` and `noise` (standard normal, of the shape in the model), output
 * `action` `[rows, A]` in the action space's units; the weights are those of now.
 *
 * @param rows observations per call, default 1
 * @throws ArgumentError unless rows is an integer >= 1
 */
export async function encodeOnnx(agent: ExportableAgent, rows = 1): Promise<Uint8Array> {
  requireInteger('exportOnnx', 'rows', rows, { min: 1 });
  const { traceToOnnx } = await import('../compile/index.js');
  const { inputs, program } = agent.policyGraph(rows);
  const { low, high } = agent.actionSpace;
  const half = low.map((bound, i) => ((high[i] as number) - bound) / 2);
  const centre = low.map((bound, i) => bound + (half[i] as number));
  const scaled: typeof program = (tensors) => {
    const action = tf.clipByValue(program(tensors).action, -1, 1);
    return { action: tf.add(tf.mul(action, tf.tensor1d(half)), tf.tensor1d(centre)) };
  };
  return traceToOnnx(
    scaled as (tensors: Record<'observation' | 'noise', tf.Tensor>) => Record<'action', tf.Tensor>,
    inputs,
    `${agent.name} policy`,
  );
}

/** Writes {@link encodeOnnx} to the file `path` (Node only). */
export async function exportOnnx(agent: ExportableAgent, path: string, rows = 1): Promise<void> {
  nodeModule('exportOnnx', 'node:fs/promises');
  await writeFileAtomically('exportOnnx', path, [await encodeOnnx(agent, rows)]);
}
