import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireLength, show } from '../errors.js';
import { requirePath } from '../files/fileErrors.js';
import { writeFileAtomically } from '../files/files.js';
import { nodeModule } from '../files/nodeModules.js';
import type { RunningMoments } from '../ops/runningMoments.js';
import { requireOptions } from '../options.js';
import type { Box } from '../spaces/box.js';
import { boundsOf, type PolicyMetadata, withMetadata } from './policyMetadata.js';
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
  readonly observationSpace: Box;
  /** The exported model gives actions in this space's own units. */
  readonly actionSpace: Box;
  /** The policy for `rows` observations at a time. */
  policyGraph(rows: number): PolicyGraph;
}

export interface ExportOptions {
  /** Observations per call, default 1. */
  rows?: number;
  /** Version of ONNX's operator set, 18 to 20 (default): older runtimes, such as ONNX Runtime before 1.17, need 18. */
  opset?: number;
  /** The moments of the `NormaliseObservation` that the agent was trained behind: the model then takes raw observations. */
  moments?: RunningMoments | undefined;
  /** A name for each number of an observation, kept in the file's metadata. */
  observationNames?: readonly string[] | undefined;
  /** What the file is to tell of the task: its id, its MuJoCo model, settings. */
  about?: Pick<PolicyMetadata, 'task' | 'mjcf' | 'settings'> | undefined;
}

/**
 * The policy as an ONNX model that any ONNX runtime can serve. Inputs `observation` `[rows, O]` and `noise` (standard normal,
 * of the shape in the model), output `action` `[rows, A]` in the action space's units; the weights are those of now. Its
 * metadata tell what it takes and gives, see {@link PolicyMetadata}: {@link loadPolicy} needs nothing but the file.
 *
 * @throws ArgumentError unless rows is an integer >= 1 and opset is one that can be written
 */
export async function encodeOnnx(agent: ExportableAgent, options: ExportOptions = {}): Promise<Uint8Array> {
  if (typeof agent?.policyGraph !== 'function') {
    throw new ArgumentError(`exportOnnx: agent must be an agent whose policy can be exported, got ${show(agent)}.`);
  }
  requireOptions('exportOnnx', options, {
    rows: true,
    opset: true,
    moments: true,
    observationNames: true,
    about: true,
  });
  const { rows = 1, opset, moments, observationNames } = options;
  requireInteger('exportOnnx', 'rows', rows, { min: 1 });
  requireMoments(agent, moments);
  if (observationNames) {
    const { size } = agent.observationSpace;
    requireLength(
      'exportOnnx',
      'observationNames',
      observationNames as never,
      size,
      'one for each number of an observation',
    );
  }
  const { traceToOnnx } = await import('../compile/index.js');
  const { inputs, program } = agent.policyGraph(rows);
  const { low, high } = agent.actionSpace;
  const half = low.map((bound, i) => ((high[i] as number) - bound) / 2);
  const centre = low.map((bound, i) => bound + (half[i] as number));
  const normalise = moments?.asProgram() ?? ((observations: tf.Tensor2D) => observations);
  const scaled: typeof program = ({ observation, noise }) => {
    const action = tf.clipByValue(program({ observation: normalise(observation), noise }).action, -1, 1);
    return { action: tf.add(tf.mul(action, tf.tensor1d(half)), tf.tensor1d(centre)) };
  };
  const model = traceToOnnx(
    scaled as (tensors: Record<'observation' | 'noise', tf.Tensor>) => Record<'action', tf.Tensor>,
    inputs,
    { name: `${agent.name} policy`, opset },
  );
  return withMetadata(model, metadataOf(agent, inputs.noise.shape, options));
}

/** @throws ArgumentError unless `moments` are of the agent's observations */
function requireMoments({ observationSpace: { size } }: ExportableAgent, moments: RunningMoments | undefined): void {
  if (moments === undefined || (typeof moments?.asProgram === 'function' && moments.mean.length === size)) return;
  throw new ArgumentError(
    `exportOnnx: moments must be the RunningMoments of ${size} numbers that a NormaliseObservation has as moments, got ${show(moments)}.`,
  );
}

function metadataOf(
  { name, observationSpace, actionSpace }: ExportableAgent,
  noiseShape: readonly number[],
  { rows = 1, moments, observationNames, about }: ExportOptions,
): PolicyMetadata {
  const unbounded = () => new Array<null>(observationSpace.size).fill(null);
  return {
    agent: name,
    rows,
    noiseShape,
    observationSpace: moments ? { low: unbounded(), high: unbounded() } : boundsOf(observationSpace),
    actionSpace: boundsOf(actionSpace),
    observationNames,
    observationNormaliser: moments && {
      mean: Array.from(moments.mean),
      std: Array.from(moments.mean, (_, i) => moments.std(i)),
    },
    ...about,
  };
}

/**
 * Writes {@link encodeOnnx} to the file `path` (Node only).
 *
 * @throws FileError if it cannot be written
 */
export async function exportOnnx(agent: ExportableAgent, path: string, options: ExportOptions = {}): Promise<void> {
  requirePath('exportOnnx', path);
  nodeModule('exportOnnx', 'node:fs/promises');
  await writeFileAtomically('exportOnnx', path, [await encodeOnnx(agent, options)]);
}
