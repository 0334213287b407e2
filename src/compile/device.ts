import { MissingPackageError } from '../errors.js';
import type { RuntimeArray } from './arrays.js';
import { Graph } from './graph.js';
import type { Transfer } from './home.js';
import { ANY_SIZE, encodeModel } from './onnx.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';

/** Where compiled functions compute: on the processor, on a graphics card, or wherever a call takes less time. */
export type Device = 'cpu' | 'gpu' | 'auto';

/** Execution providers that compute on a graphics card, most wanted first. */
const GPU_PROVIDERS = ['webgpu', 'cuda'] as const;

const HINTS: Readonly<Record<(typeof GPU_PROVIDERS)[number], string>> = {
  webgpu:
    'in Node it needs a driver (on Linux the Vulkan loader, package libvulkan1, and the driver of the card; ' +
    '`vulkaninfo --summary` lists what is found), in a page a browser with navigator.gpu',
  cuda: 'it needs an NVIDIA card, and onnxruntime-node installed with its install script allowed to download CUDA',
};

const found = new WeakMap<TypedRuntime, Promise<string>>();

/**
 * The execution provider of `runtime` that computes on the graphics card.
 *
 * @throws {@link MissingPackageError} if none works, with the reason for each
 */
export function gpuProvider(runtime: TypedRuntime): Promise<string> {
  const known = found.get(runtime);
  if (known) return known;
  const search = findGpuProvider(runtime);
  found.set(runtime, search);
  search.catch(() => void found.delete(runtime));
  return search;
}

async function findGpuProvider(runtime: TypedRuntime): Promise<string> {
  const reasons: string[] = [];
  for (const provider of GPU_PROVIDERS) {
    const reason = await probe(runtime, provider);
    if (reason === undefined) return provider;
    reasons.push(`  ${provider}: ${reason}; ${HINTS[provider]}`);
  }
  const advice = "compile: device 'gpu' does not work here; use 'cpu', or mend one of these:";
  throw new MissingPackageError([advice, ...reasons].join('\n'));
}

/** Why `provider` does not run a model of one operator, if it does not. */
async function probe(runtime: TypedRuntime, provider: string): Promise<string | undefined> {
  try {
    const options = { executionProviders: [provider], logSeverityLevel: 4 };
    const session = await runtime.InferenceSession.create(copyModel(1), options);
    await session.run({ x: new runtime.Tensor('float32', Float32Array.of(1), [1]) });
    await session.release();
    return undefined;
  } catch (cause) {
    return shortReason(cause);
  }
}

/** The last sentence of an error of ONNX Runtime, without the places in its source. */
function shortReason(cause: unknown): string {
  const lines = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  return lines[0]!.replace(/^.* was false\. /, '').replace(/[.\s]+$/, '');
}

/** A model that gives its input `x` as output `y`, numbers with `rank` axes of any size. */
function copyModel(rank: number): Uint8Array {
  const graph = new Graph();
  const x = graph.input('x', { type: 'float32', shape: Array<number>(rank).fill(ANY_SIZE) });
  const [y] = graph.node('Identity', [x], [x]);
  return encodeModel({ name: 'copy', nodes: graph.nodes, inputs: [['x', x]], outputs: [['y', y!]] });
}

/** Moves tensors between host and WebGPU by models that copy; reading a tensor of the device directly ends Node. */
export class GpuTransfer implements Transfer {
  private readonly sessions = new Map<string, Promise<OnnxSession>>();

  constructor(private readonly runtime: TypedRuntime) {}

  place(tensor: OnnxTensor): Promise<OnnxTensor> {
    return this.copy(tensor, 'gpu-buffer');
  }

  async fetch(tensor: OnnxTensor): Promise<RuntimeArray> {
    return (await this.copy(tensor, 'cpu')).data;
  }

  private async copy(tensor: OnnxTensor, preferredOutputLocation: 'gpu-buffer' | 'cpu'): Promise<OnnxTensor> {
    const rank = tensor.dims.length;
    const key = `${preferredOutputLocation} ${rank}`;
    const options = { executionProviders: ['webgpu'], logSeverityLevel: 3, preferredOutputLocation };
    const loading = this.sessions.get(key) ?? this.runtime.InferenceSession.create(copyModel(rank), options);
    this.sessions.set(key, loading);
    return (await (await loading).run({ x: tensor })).y!;
  }
}
