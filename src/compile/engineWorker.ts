/** The program of the thread that {@link workerRuntime} runs ONNX Runtime in. */
import { parentPort, threadId } from 'node:worker_threads';
import type { RuntimeArray, RuntimeType } from './arrays.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';
import {
  type EngineReply,
  type EngineRequest,
  shareArrays,
  type TensorMessage,
  type TensorMessages,
} from './workerProtocol.js';

/** A session, and the arrays of its last run: ONNX Runtime cannot read shared memory. */
interface Loaded {
  readonly session: OnnxSession;
  readonly shared: readonly string[];
  /** Inputs in shared memory by name. */
  readonly inputs: Map<string, { readonly key: string; readonly tensor: OnnxTensor }>;
  /** Outputs by the keys of their copies in shared memory. */
  outputs: Map<string, RuntimeArray>;
}

let runtime: TypedRuntime;
let count = 0;
const sessions = new Map<number, Loaded>();

parentPort?.on('message', async (request: EngineRequest) => {
  try {
    const { value, transfer } = await answer(request);
    parentPort!.postMessage({ value } satisfies EngineReply, transfer);
  } catch (error) {
    parentPort!.postMessage({ fault: error instanceof Error ? error.message : String(error) } satisfies EngineReply);
  }
});

async function answer(request: EngineRequest): Promise<{ value?: number | TensorMessages; transfer?: ArrayBuffer[] }> {
  switch (request.kind) {
    case 'open': {
      const module = await import('onnxruntime-node');
      runtime = ('InferenceSession' in module
        ? module
        : (module as { default: object }).default) as unknown as TypedRuntime;
      return {};
    }
    case 'load': {
      const session = await runtime.InferenceSession.create(request.file, request.options);
      sessions.set(++count, { session, shared: request.shared, inputs: new Map(), outputs: new Map() });
      return { value: count };
    }
    case 'run':
      return run(sessions.get(request.session)!, request.feeds);
    case 'release': {
      const { session } = sessions.get(request.session)!;
      sessions.delete(request.session);
      await session.release();
      return {};
    }
  }
}

async function run(loaded: Loaded, feeds: TensorMessages) {
  const inputs = Object.entries(feeds).map(([name, message]) => [name, tensorOf(loaded, name, message)] as const);
  const outputs = Object.entries(await loaded.session.run(Object.fromEntries(inputs)));
  const kept = outputs.filter(([name]) => loaded.shared.includes(name));
  const copies = shareArrays(
    Object.fromEntries(kept.map(([name, { data }]) => [name, data])),
    `thread${threadId}/run${++count}`,
  );
  loaded.outputs = new Map(kept.map(([name, { data }]) => [copies[name]!.key, data]));
  const messages = outputs.map(([name, tensor]) => {
    const { type, dims, data } = tensor as OnnxTensor & { type: RuntimeType };
    return [name, { type, dims, data, ...copies[name] }] as const;
  });
  const transfer = messages.flatMap(([, { key, data }]) => (key ? [] : [data.buffer as ArrayBuffer]));
  return { value: Object.fromEntries(messages), transfer: [...new Set(transfer)] };
}

/** What ONNX Runtime reads: of an array in shared memory the very one it was copied from, or else a copy. */
function tensorOf({ inputs }: Loaded, name: string, { type, data, dims, key }: TensorMessage): OnnxTensor {
  if (!key) return new runtime.Tensor(type, data, dims);
  const known = inputs.get(name);
  if (known?.key === key) return known.tensor;
  const tensor = new runtime.Tensor(type, made(key) ?? data.slice(), dims);
  inputs.set(name, { key, tensor });
  return tensor;
}

/** The output of a last run that has a copy called `key` in shared memory. */
function made(key: string): RuntimeArray | undefined {
  for (const { outputs } of sessions.values()) {
    const array = outputs.get(key);
    if (array) return array;
  }
  return undefined;
}
