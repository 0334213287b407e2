import { availableParallelism } from 'node:os';
import { extname, isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { requireActions } from '../envs/batch.js';
import type { Info } from '../envs/env.js';
import { resetSeed } from '../envs/resetSeed.js';
import type { VectorEnv, VectorReset, VectorStep } from '../envs/vectorEnv.js';
import { ArgumentError, CheckpointError, EnvironmentError, requireInteger, requireNumber, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { settled } from '../settled.js';
import { Box } from '../spaces/box.js';
import { type Commit, readEntries, type StateDict, type Stateful } from '../state.js';
import {
  type EnvironmentModule,
  type SharedArrays,
  sharedArrays,
  sharedBytes,
  type WorkerReady,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from './vectorProtocol.js';

/** Options of {@link WorkerVectorEnv.create}. */
export interface WorkerVectorEnvOptions {
  /** How the workers make an environment. */
  environment: EnvironmentModule;
  numEnvs: number;
  /** Number of threads; default one per environment, but no more than the machine has cores. */
  workers?: number;
  /**
   * Seconds that a worker may take for one answer (making its environments, a reset, a step); one that takes longer is
   * ended and the call fails. Default 300, `Infinity` for no limit.
   */
  timeout?: number;
  /**
   * Flags of Node for the workers, such as `['--max-old-space-size=4096']`; default those of this process. None is
   * needed for TypeScript: modules named `*.ts` are read by tsx where the project has it.
   */
  execArgv?: string[];
}

/**
 * Several environments in worker threads; observations and actions go through shared memory. Seeds give the same data
 * as in a `SyncVectorEnv`, and states can be exchanged with it.
 *
 * @example
 * ```ts
 * const env = await WorkerVectorEnv.create({
 *   environment: { module: 'diffrl/mujoco', export: 'makeMujoco', args: ['Humanoid-v5'] },
 *   numEnvs: 16,
 * });
 * const { observations } = await env.reset({ seed: 1 });
 * ```
 */
export class WorkerVectorEnv implements VectorEnv {
  readonly id: string | undefined;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly state?: () => Promise<StateDict>;
  readonly prepare?: (state: StateDict) => Promise<Commit>;
  readonly memory?: Stateful;
  private readonly buffer: SharedArrayBuffer;
  private readonly shared: SharedArrays;
  private phase: 'idle' | 'running' | 'busy' | 'closed' = 'idle';

  private constructor(
    private readonly members: readonly Member[],
    readonly numEnvs: number,
    ready: WorkerReady,
  ) {
    this.id = ready.id;
    this.observationSpace = new Box(ready.observationSpace.low, ready.observationSpace.high);
    this.actionSpace = new Box(ready.actionSpace.low, ready.actionSpace.high);
    const sizes = { observation: this.observationSpace.size, action: this.actionSpace.size };
    this.buffer = new SharedArrayBuffer(sharedBytes(numEnvs, sizes.observation, sizes.action));
    this.shared = sharedArrays(this.buffer, numEnvs, sizes);
    const state = async () => Object.assign({}, ...(await this.ask<StateDict>({ kind: 'state' })));
    const prepare = (given: StateDict) => this.prepareAll(given);
    if (ready.keeps === 'memory') this.memory = { state, prepare };
    if (ready.keeps !== 'state') return;
    this.state = state;
    this.prepare = prepare;
  }

  /**
   * Starts the workers and makes the environments.
   *
   * @throws ArgumentError for counts below 1
   * @throws EnvironmentError if the module or the function is missing or an environment cannot be made
   */
  static async create(options: WorkerVectorEnvOptions): Promise<WorkerVectorEnv> {
    const where = 'WorkerVectorEnv.create';
    requireOptions(where, options, { environment: true, numEnvs: true, workers: true, timeout: true, execArgv: true });
    const numEnvs = requireInteger(where, 'numEnvs', options.numEnvs, { min: 1 });
    const limit = Math.min(numEnvs, availableParallelism());
    const workers = requireInteger(where, 'workers', options.workers ?? limit, { min: 1, max: numEnvs });
    const { timeout = 300 } = options;
    if (timeout !== Infinity) requireNumber(where, 'timeout', timeout, { above: 0 });
    const { module, export: name, args } = requireModule(where, options.environment);
    const members = Array.from({ length: workers }, (_, i) => {
      const [first, end] = [Math.floor((i * numEnvs) / workers), Math.floor(((i + 1) * numEnvs) / workers)];
      const setup = { module: specifier(module), export: name, args, first, count: end - first };
      return new Member(i, setup, timeout, options.execArgv);
    });
    try {
      const [ready] = await Promise.all(members.map((member) => member.ready));
      const env = new WorkerVectorEnv(members, numEnvs, ready!);
      await Promise.all(members.map((member) => env.share(member)));
      return env;
    } catch (error) {
      await Promise.all(members.map((member) => member.terminate()));
      throw error;
    }
  }

  /** @throws ArgumentError for a seed that is none; nothing has changed then */
  async reset(options: { seed?: number } = {}): Promise<VectorReset> {
    const seed = resetSeed('WorkerVectorEnv', options);
    const infos = await this.ask<Info[]>({ kind: 'reset', seed });
    return { observations: this.shared.observations.slice(), infos: infos.flat() };
  }

  /**
   * @throws ShapeError, NonFiniteError for wrong actions; nothing has moved then
   * @throws EnvironmentError naming the environment that threw or the worker that died or took too long; then a reset is
   *   due, after a {@link restart} where a worker is gone
   */
  async step(actions: Float32Array): Promise<VectorStep> {
    requireActions('WorkerVectorEnv.step', actions, this.numEnvs, this.actionSpace.size);
    if (this.free('step') !== 'running') throw new EnvironmentError('WorkerVectorEnv.step: call reset first.');
    this.shared.actions.set(actions);
    const infos = await this.ask<Info[]>({ kind: 'step' });
    const { observations, nextObservations, rewards, terminated, truncated } = this.shared;
    return {
      observations: observations.slice(),
      nextObservations: nextObservations.slice(),
      rewards: rewards.slice(),
      terminated: terminated.slice(),
      truncated: truncated.slice(),
      infos: infos.flat(),
    };
  }

  /**
   * Puts new workers in the place of those that died; a reset is due afterwards.
   *
   * @throws EnvironmentError if one cannot make its environments; the next call tries again
   */
  async restart(): Promise<void> {
    this.free('restart');
    this.phase = 'busy';
    try {
      await settled(this.members.filter((member) => member.death).map((member) => this.revive(member)));
    } finally {
      if (this.phase === 'busy') this.phase = 'idle';
    }
  }

  private async revive(member: Member): Promise<void> {
    member.start();
    try {
      await member.ready;
      await this.share(member);
    } catch (error) {
      await member.terminate();
      throw error;
    }
  }

  /** Closes the environments and ends the workers; those that do not close within a few seconds are ended all the same. */
  async close(): Promise<void> {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    const alive = this.members.filter((member) => !member.death);
    await Promise.allSettled(alive.map((member) => member.ask({ kind: 'close' }, CLOSING_TIME)));
    await Promise.all(this.members.map((member) => member.terminate()));
  }

  /** Ends the workers at once, whatever they are doing; a call that waits for them fails. {@link restart} makes new ones. */
  async terminate(): Promise<void> {
    await Promise.all(this.members.map((member) => member.terminate()));
    if (this.phase !== 'closed') this.phase = 'idle';
  }

  /** All answers, once all workers have given theirs. A failure leaves the environments without an episode. */
  private async ask<T>(request: WorkerRequest): Promise<T[]> {
    const before = this.free(request.kind);
    this.phase = 'busy';
    let after = request.kind === 'prepare' ? before : 'idle';
    try {
      const answers = await settled(this.members.map((member) => member.ask(request)));
      after = this.startsEpisodes(request) ? 'running' : before;
      return answers as T[];
    } finally {
      if (this.phase === 'busy') this.phase = after;
    }
  }

  private startsEpisodes({ kind }: WorkerRequest): boolean {
    return kind === 'reset' || kind === 'step' || (kind === 'commit' && this.state !== undefined);
  }

  private async prepareAll(state: StateDict): Promise<Commit> {
    readEntries(
      state,
      {},
      Array.from({ length: this.numEnvs }, (_, i) => `env${i}`),
    );
    try {
      await this.ask({ kind: 'prepare', state });
    } catch (cause) {
      throw new CheckpointError((cause as Error).message, { cause });
    }
    return async () => void (await this.ask({ kind: 'commit' }));
  }

  private async share(member: Member): Promise<void> {
    await member.ask({ kind: 'memory', buffer: this.buffer, numEnvs: this.numEnvs });
  }

  /** The phase, if a call may begin. */
  private free(method: string): 'idle' | 'running' {
    if (this.phase === 'closed')
      throw new EnvironmentError(`WorkerVectorEnv.${method}: it was closed; make a new one.`);
    if (this.phase === 'busy') {
      throw new EnvironmentError(`WorkerVectorEnv.${method}: await the call before; the workers are busy.`);
    }
    return this.phase;
  }
}

/** Seconds that a worker may take to close its environments. */
const CLOSING_TIME = 3;

/** One worker, which may die and be started again. Answers come in the order of the requests. */
class Member {
  /** What the worker says of its environments. */
  ready!: Promise<WorkerReady>;
  /** Why the worker is dead, if it is. */
  death: EnvironmentError | undefined;
  private worker!: Worker;
  private waiting: { resolve(value: unknown): void; reject(error: Error): void; timer?: NodeJS.Timeout }[] = [];

  constructor(
    private readonly index: number,
    private readonly setup: WorkerSetup,
    private readonly timeout: number,
    private readonly execArgv: string[] | undefined,
  ) {
    this.start();
  }

  start(): void {
    this.death = undefined;
    const worker = new Worker(program(), { workerData: this.setup, ...(this.execArgv && { execArgv: this.execArgv }) });
    this.worker = worker;
    worker.on('message', (reply: WorkerReply) => this.settle(reply));
    const isPresent = () => this.worker === worker;
    worker.on('error', (error) => isPresent() && this.die(error.message));
    worker.on('exit', (code) => isPresent() && this.die(`it ended with code ${code}`));
    this.ready = this.answer() as Promise<WorkerReady>;
    this.ready.catch(() => {}); // whoever waits for it gets the error
  }

  ask(request: WorkerRequest, timeout = this.timeout): Promise<unknown> {
    if (this.death) return Promise.reject(this.death);
    const answer = this.answer(timeout);
    this.worker.postMessage(request);
    return answer;
  }

  async terminate(): Promise<void> {
    this.death ??= this.fault('was ended');
    await this.worker.terminate();
  }

  /** A worker that nobody waits for does not keep the process alive. */
  private answer(timeout = this.timeout): Promise<unknown> {
    this.worker.ref();
    const timer = timeout <= LONGEST_TIMER ? setTimeout(() => this.giveUp(timeout), 1000 * timeout) : undefined;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject, timer }));
  }

  private giveUp(timeout: number): void {
    this.die(`it did not answer within ${timeout} s`);
    void this.worker.terminate();
  }

  private settle(reply: WorkerReply): void {
    const waiting = this.waiting.shift();
    clearTimeout(waiting?.timer);
    if (!this.waiting.length) this.worker.unref();
    if ('fault' in reply)
      waiting?.reject(new EnvironmentError(`WorkerVectorEnv: worker ${this.index}: ${reply.fault}`));
    else waiting?.resolve(reply.value);
  }

  private die(reason: string): void {
    this.death ??= this.fault(`died: ${reason}. Call restart, then reset`);
    for (const { reject, timer } of this.waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.death);
    }
  }

  private fault(what: string): EnvironmentError {
    const { first, count } = this.setup;
    return new EnvironmentError(
      `WorkerVectorEnv: worker ${this.index} (environments ${first} to ${first + count - 1}) ${what}.`,
    );
  }
}

/** Seconds; Node's timers go no further. */
const LONGEST_TIMER = 2 ** 31 / 1000 - 1;

/** The worker's program lies beside this file, whichever way both were built. */
function program(): URL {
  const here = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
  return new URL(`./vectorWorker${extname(here)}`, here);
}

function requireModule(where: string, environment: EnvironmentModule | undefined): Required<EnvironmentModule> {
  const { module, export: name, args = [] } = environment ?? {};
  const isNamed = (typeof module === 'string' && module !== '') || module instanceof URL;
  if (isNamed && typeof name === 'string' && Array.isArray(args)) return { module, export: name, args };
  throw new ArgumentError(
    `${where}: environment must be { module: a path or URL, export: a name, args?: a list }, got ${show(environment)}.`,
  );
}

function specifier(module: string | URL): string {
  return typeof module === 'string' && isAbsolute(module) ? pathToFileURL(module).href : String(module);
}
