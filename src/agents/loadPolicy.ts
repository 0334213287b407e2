import type { OnnxRuntime, OnnxSession, TypedRuntime } from '../compile/runtime.js';
import { ArgumentError, requireFinite, requireInteger, requireList, ShapeError } from '../errors.js';
import { readFileIfPresent } from '../files/files.js';
import { requireOptions } from '../options.js';
import { Rng } from '../rng/rng.js';
import { Box } from '../spaces/box.js';
import { type Bounds, type PolicyMetadata, readPolicyMetadata } from './policyMetadata.js';

export interface LoadPolicyOptions {
  /** Fixes the policy's random numbers, default 0. */
  seed?: number;
  /** ONNX Runtime as a module (default: `onnxruntime-node` in Node, `onnxruntime-web` elsewhere). */
  runtime?: OnnxRuntime;
}

/** A policy from a file: it acts, and knows what it was made for. */
export class Policy {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  private readonly noise: Rng;

  constructor(
    readonly metadata: PolicyMetadata,
    private readonly session: OnnxSession,
    private readonly runtime: TypedRuntime,
    seed: number,
  ) {
    this.observationSpace = boxOf(metadata.observationSpace);
    this.actionSpace = boxOf(metadata.actionSpace);
    this.noise = Rng.fromSeed(seed).split('policy');
  }

  /**
   * Actions, `[N * A]`, in the action space's units for raw observations, `[N * O]`.
   *
   * @throws ShapeError, NonFiniteError for other observations
   */
  async act(observations: ArrayLike<number>): Promise<Float32Array> {
    requireList('Policy.act', 'observations', observations);
    const [inputs, outputs] = [this.observationSpace.size, this.actionSpace.size];
    const count = observations.length / inputs;
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new ShapeError(`Policy.act: observations must hold rows of ${inputs} numbers, got ${observations.length}.`);
    }
    requireFinite('Policy.act', 'observations', observations);
    const { rows } = this.metadata;
    const all = Float32Array.from(observations);
    const actions = new Float32Array(count * outputs);
    for (let first = 0; first < count; first += rows) {
      const block = new Float32Array(rows * inputs);
      block.set(all.subarray(first * inputs, (first + rows) * inputs));
      const acted = await this.actOnBlock(block);
      actions.set(acted.subarray(0, Math.min(rows, count - first) * outputs), first * outputs);
    }
    return actions;
  }

  /** Frees the model. */
  async dispose(): Promise<void> {
    await this.session.release();
  }

  private async actOnBlock(observations: Float32Array): Promise<Float32Array> {
    const { Tensor } = this.runtime;
    const { rows, noiseShape } = this.metadata;
    const noise = this.noise.normals(noiseShape.reduce((all, size) => all * size, 1));
    const { action } = await this.session.run({
      observation: new Tensor('float32', observations, [rows, this.observationSpace.size]),
      noise: new Tensor('float32', noise, noiseShape),
    });
    return action!.data as Float32Array;
  }
}

/**
 * Loads a policy that `exportOnnx` wrote, in Node and in a page.
 *
 * @param file its path (Node only), or its bytes
 * @throws ArgumentError if there is no such file or it is not one of `exportOnnx`
 * @throws MissingPackageError without ONNX Runtime
 *
 * @example
 * ```ts
 * const policy = await loadPolicy('cheetah.onnx');
 * const action = await policy.act(observation);
 * ```
 */
export async function loadPolicy(file: string | Uint8Array, options: LoadPolicyOptions = {}): Promise<Policy> {
  const { seed = 0, runtime } = requireOptions('loadPolicy', options, { seed: true, runtime: true });
  requireInteger('loadPolicy', 'seed', seed, { min: 0 });
  const bytes = typeof file === 'string' ? await readFileIfPresent('loadPolicy', file) : file;
  if (!bytes) throw new ArgumentError(`loadPolicy: there is no file '${file}'.`);
  const metadata = readPolicyMetadata(bytes);
  const { loadRuntime } = await import('../compile/runtime.js');
  const used = (runtime ?? (await loadRuntime())) as unknown as TypedRuntime;
  return new Policy(metadata, await used.InferenceSession.create(bytes, { logSeverityLevel: 3 }), used, seed);
}

function boxOf({ low, high }: Bounds): Box {
  return new Box(
    low.map((value) => value ?? Number.NEGATIVE_INFINITY),
    high.map((value) => value ?? Number.POSITIVE_INFINITY),
  );
}
