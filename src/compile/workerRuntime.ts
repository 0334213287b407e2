import { MissingPackageError } from '../errors.js';
import { findNodeModule } from '../files/nodeModules.js';
import type { RuntimeArray, RuntimeType } from './arrays.js';
import { oncePerProcess } from './oncePerProcess.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';
import {
  type EngineReply,
  type EngineRequest,
  shareArrays,
  type TensorMessage,
  type TensorMessages,
} from './workerProtocol.js';

/** A tensor of this thread. */
class WorkerTensor implements OnnxTensor {
  readonly location = 'cpu';
  private uses = 0;

  constructor(
    readonly type: RuntimeType,
    readonly data: RuntimeArray,
    readonly dims: readonly number[],
    private key?: string,
  ) {}

  /** What is sent to the worker. An array that is used again goes into shared memory. */
  get message(): TensorMessage {
    const { type, dims } = this;
    this.uses++;
    if (this.uses === 2 && !this.key) this.share();
    return { type, dims, data: this.copy ?? this.data, key: this.key };
  }

  private copy?: RuntimeArray;

  private share(): void {
    const { data, key } = shareArrays({ data: this.data }, `host${WorkerTensor.shared++}`).data;
    this.copy = data;
    this.key = key;
  }

  private static shared = 0;

  dispose(): void {}
}

/** What is used of a `Worker` of Node. */
interface Thread {
  postMessage(request: EngineRequest): void;
  on(event: 'message' | 'error' | 'exit', listener: (content: never) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

/** A thread with ONNX Runtime, which answers one request after the other, and ends with its last session. */
class EngineThread {
  private readonly waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  private sessions = 0;
  private death?: Error;

  constructor(private readonly worker: Thread) {
    worker.unref();
    worker.on('message', (reply: EngineReply) => this.settle(reply));
    worker.on('error', (error: Error) => this.die(error.message));
    worker.on('exit', (code: number) => this.die(`it ended with code ${code}`));
  }

  get isAlive(): boolean {
    return this.death === undefined;
  }

  open(): Promise<unknown> {
    return this.ask({ kind: 'open' });
  }

  async load(file: Uint8Array, { shared = [], ...options }: WorkerSessionOptions): Promise<WorkerSession> {
    this.sessions++;
    try {
      return new WorkerSession(this, (await this.ask({ kind: 'load', file, options, shared })) as number);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  async run(session: number, feeds: TensorMessages): Promise<TensorMessages> {
    return (await this.ask({ kind: 'run', session, feeds })) as TensorMessages;
  }

  async release(session: number): Promise<void> {
    if (!this.isAlive) return;
    await this.ask({ kind: 'release', session });
    this.leave();
  }

  /** Without sessions the thread is idle, so it would never collect what their last runs left in its memory. */
  private leave(): void {
    this.sessions--;
    if (this.sessions > 0 || !this.isAlive) return;
    this.die('it has no sessions');
    void this.worker.terminate();
  }

  /** While something is asked, the thread keeps the process alive. */
  private ask(request: EngineRequest): Promise<unknown> {
    if (this.death) return Promise.reject(this.death);
    this.worker.ref();
    this.worker.postMessage(request);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private settle(reply: EngineReply): void {
    const { resolve, reject } = this.waiting.shift()!;
    if (this.waiting.length === 0) this.worker.unref();
    if ('fault' in reply) reject(new Error(reply.fault));
    else resolve(reply.value);
  }

  private die(reason: string): void {
    this.death ??= new Error(`the worker thread of the engine died: ${reason}`);
    for (const { reject } of this.waiting.splice(0)) reject(this.death);
  }
}

/** A session in the worker. */
class WorkerSession implements OnnxSession {
  constructor(
    private readonly thread: EngineThread,
    private readonly session: number,
  ) {}

  async run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>> {
    const messages = Object.entries(feeds).map(([name, tensor]) => [name, (tensor as WorkerTensor).message] as const);
    const outputs = await this.thread.run(this.session, Object.fromEntries(messages));
    const tensors = Object.entries(outputs).map(
      ([name, { type, data, dims, key }]) => [name, new WorkerTensor(type, data, dims, key)] as const,
    );
    return Object.fromEntries(tensors);
  }

  release(): Promise<void> {
    return this.thread.release(this.session);
  }
}

/** Options of a session: those of ONNX Runtime, and the outputs that will be inputs again. */
export type WorkerSessionOptions = object & { readonly shared?: readonly string[] };

const current = oncePerProcess('worker', () => ({}) as { thread?: Promise<EngineThread> });

const runtime = oncePerProcess('worker runtime', () => ({
  readsShared: true,
  Tensor: WorkerTensor as unknown as TypedRuntime['Tensor'],
  InferenceSession: {
    create: (file: Uint8Array, options: WorkerSessionOptions) => withThread((thread) => thread.load(file, options)),
  },
}));

/**
 * `onnxruntime-node` in a thread of its own, one for the process while it has sessions, so that this one stays free while
 * it computes. What goes between them is in shared memory.
 *
 * @throws MissingPackageError where there is no Node, or no `onnxruntime-node`
 */
export async function workerRuntime(): Promise<TypedRuntime> {
  await withThread(() => {});
  return runtime;
}

/** What `use` makes of the thread, which is started if there is none that lives. */
async function withThread<T>(use: (thread: EngineThread) => T | Promise<T>): Promise<T> {
  const known = current.thread;
  const thread = await known?.catch(() => undefined);
  if (thread?.isAlive) return use(thread);
  // Somebody else may have started one meanwhile.
  if (current.thread !== known) return withThread(use);
  current.thread = start();
  return use(await current.thread);
}

async function start(): Promise<EngineThread> {
  const thread = new EngineThread(startWorker());
  await thread.open().catch((cause) => {
    throw new MissingPackageError(
      `compile: worker needs onnxruntime-node. Run: npm install onnxruntime-node (${cause.message}).`,
      {
        cause,
      },
    );
  });
  return thread;
}

function startWorker(): Thread {
  const [threads, url] = [findNodeModule('node:worker_threads'), findNodeModule('node:url')];
  if (!threads || !url) {
    throw new MissingPackageError(
      'compile: worker needs Node. In a page, set env.wasm.proxy of onnxruntime-web, or train in a worker.',
    );
  }
  const here = typeof __filename === 'string' ? url.pathToFileURL(__filename).href : import.meta.url;
  const isSource = here.endsWith('.ts');
  const program = new URL(`./engineWorker${isSource ? '.ts' : '.js'}`, here);
  const tsx = isSource && { execArgv: ['--import', new URL('../../scripts/registerTsx.mjs', here).href] };
  return new threads.Worker(program, { ...tsx }) as unknown as Thread;
}
