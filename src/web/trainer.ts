import type { ActOptions } from '../agents/agent.js';
import { DiffrlError } from '../errors.js';
import { Channel, type Endpoint, revive } from './channel.js';
import type { Progress, RunHistory, StartOptions } from './serveTraining.js';
import type { CallsOf, CreateSession, EventsOf, OptionsOf } from './session.js';

/** What {@link Trainer.on} hears of every session. */
export interface TrainerEvents {
  /** Ten times a second while it runs, and once when it stops. */
  progress: Progress;
  /** Training has failed, and stopped. */
  error: Error;
}

/**
 * Drives a worker that trains, see {@link serveTraining}. The page stays free: all work is done in the worker.
 *
 * @typeParam Create the type of the function that the worker serves
 *
 * @example
 * ```ts
 * import type { Create } from './trainer.worker.js';
 *
 * const worker = new Worker(new URL('./trainer.worker.ts', import.meta.url), { type: 'module' });
 * const trainer = new Trainer<Create>(worker);
 * trainer.on('progress', ({ step, episodes, metrics }) => draw(step, episodes, metrics));
 * await trainer.open({ learningRate: 1e-3 });
 * await trainer.start();
 * ```
 */
export class Trainer<Create extends CreateSession = CreateSession> {
  private readonly channel: Channel;
  private readonly ready: Promise<unknown>;

  /** @param worker one whose script calls {@link serveTraining} */
  constructor(private readonly worker: Endpoint & { terminate?(): void }) {
    this.channel = new Channel(worker);
    this.ready = this.channel.ready();
    this.ready.catch(() => {}); // reported by `open`
  }

  /**
   * Waits for the worker and makes its first session.
   *
   * @param options for the served function
   * @throws whatever the served function throws; DiffrlError if the worker's script fails
   */
  async open(options: OptionsOf<Create>): Promise<void> {
    await this.ready;
    await this.channel.ask('open', options);
  }

  /** Goes on by itself until {@link pause}; resolves at once. Called while it runs, it changes how it goes on. */
  async start(options: StartOptions = {}): Promise<void> {
    await this.channel.ask('start', options);
  }

  /** Stops after the step that is under way. */
  pause(): Promise<Progress> {
    return this.channel.ask('pause') as Promise<Progress>;
  }

  /** Stops, then does `count` (default 1) steps of all environments; tells of all of them. */
  step(count = 1): Promise<Progress> {
    return this.channel.ask('step', count) as Promise<Progress>;
  }

  /** Calls `listener` for every `name`; the function returned stops that. */
  on<Name extends keyof (TrainerEvents & EventsOf<Create>) & string>(
    name: Name,
    listener: (data: (TrainerEvents & EventsOf<Create>)[Name]) => void,
  ): () => void {
    if (name !== 'error') return this.channel.on(name, listener as (data: never) => void);
    return this.channel.on(name, (fault: never) => listener(revive(fault) as never));
  }

  /**
   * Changes options of the running training: a session with the new ones goes on from the state of the present one,
   * networks, optimisers, replay and all. Whatever changes no sizes may change: learning rates, batch size, discount,
   * diffusion steps, ...
   *
   * @throws CheckpointError if the state does not fit the new options; the session goes on as it was
   */
  async set(changes: Partial<OptionsOf<Create>>): Promise<void> {
    await this.channel.ask('set', changes);
  }

  /** Begins anew, with the options so far and these over them. */
  async restart(changes: Partial<OptionsOf<Create>> = {}): Promise<void> {
    await this.channel.ask('restart', changes);
  }

  /** Actions of the agent, `[N * actionSize]`, for observations `[N * observationSize]`. */
  act(observations: Float32Array, options?: ActOptions): Promise<Float32Array> {
    return this.channel.ask('act', observations, options) as Promise<Float32Array>;
  }

  /** Everything needed to go on, as one file: what `encodeCheckpoint` makes, which Node reads too. */
  snapshot(): Promise<Uint8Array<ArrayBuffer>> {
    return this.channel.ask('snapshot') as Promise<Uint8Array<ArrayBuffer>>;
  }

  /**
   * Puts back a {@link snapshot}, or a checkpoint of such an agent made elsewhere, with options that need not be the same: the whole run, or the agent alone if
   * no run was saved with it.
   *
   * @throws CheckpointError if it is damaged or does not fit; nothing has changed then
   */
  async load(checkpoint: Uint8Array): Promise<void> {
    await this.channel.ask('load', checkpoint);
  }

  /** All episodes and evaluations of the run so far. */
  history(): Promise<RunHistory> {
    return this.channel.ask('history') as Promise<RunHistory>;
  }

  /** What the session's call `name` returns. @throws what it throws */
  call<Name extends keyof CallsOf<Create> & string>(
    name: Name,
    ...args: Parameters<CallsOf<Create>[Name]>
  ): Promise<Awaited<ReturnType<CallsOf<Create>[Name]>>> {
    return this.channel.ask('call', name, args) as never;
  }

  /** Frees agent and environment, and ends the worker. @throws what a callback's `onEnd` throws; all is freed then too */
  async close(): Promise<void> {
    const listens = await this.ready.then(
      () => true,
      () => false,
    );
    try {
      if (listens) await this.channel.ask('close');
    } finally {
      this.channel.close(new DiffrlError('Trainer: it was closed; connect a new one.'));
      this.worker.terminate?.();
    }
  }
}
