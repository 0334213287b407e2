import type { ActOptions, Metrics } from '../agents/agent.js';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoint/archive.js';
import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import { Queue } from '../compile/queue.js';
import { ArgumentError, requireInteger, requireNumber, show } from '../errors.js';
import { loadState } from '../state.js';
import type { TrainingCallback } from '../training/callback.js';
import type { EpisodeRecord, EvaluationRecord } from '../training/history.js';
import { advance, begin, end, partsOf } from '../training/train.js';
import { TrainingRun } from '../training/trainingRun.js';
import { Channel, type Endpoint, faultOf, Moved } from './channel.js';
import type { CreateSession, TrainingSession } from './session.js';
import { Show } from './show.js';

/** How {@link Trainer.start} goes on. */
export interface StartOptions {
  /** Whether the agent learns (default), or shows what it has learned: without exploration, and nothing of it is kept. */
  learn?: boolean;
  /** Steps of all environments per second at most; default: as fast as it goes. */
  stepsPerSecond?: number;
}

/** What has happened since the report before. */
export interface Progress {
  /** Environment steps so far. */
  step: number;
  /** Whether it goes on by itself. */
  running: boolean;
  /** Environment steps per second since the report before. */
  stepsPerSecond: number;
  /** Episodes that ended; in a show without learning `step` is that of training. */
  episodes: EpisodeRecord[];
  evaluations: EvaluationRecord[];
  /** The mean of each metric of the updates. */
  metrics: Metrics;
}

/** What {@link Trainer.history} tells. */
export type RunHistory = Pick<Progress, 'episodes' | 'evaluations'>;

/** Milliseconds between two reports. */
const REPORT_EVERY = 100;

/**
 * Makes this worker train for a page, which drives it with a {@link Trainer}.
 *
 * @param create makes agent and environment for the options that the page gives
 * @param endpoint default: the worker's own
 *
 * @example
 * ```ts
 * const create = async ({ learningRate = 3e-4 }: { learningRate?: number }) => {
 *   const env = new Pendulum();
 *   return { env, agent: await DimeAgent.create({ env, actorLearningRate: learningRate }) };
 * };
 * export type Create = typeof create;
 * serveTraining(create);
 * ```
 */
export function serveTraining(create: CreateSession, endpoint = globalThis as unknown as Endpoint): void {
  new TrainingServer(create, endpoint);
}

interface Active {
  readonly session: TrainingSession;
  readonly run: TrainingRun;
  readonly callbacks: readonly TrainingCallback[];
  /** The callbacks that have been told of the start, and not yet of an end. */
  readonly started: TrainingCallback[];
}

class TrainingServer {
  /** Steps and what must not come in the middle of one. */
  private readonly queue = new Queue();
  private readonly channel: Channel;
  private report = new Report();
  private active?: Active;
  private options: object = {};
  private pace?: Pace;
  private going?: Promise<void>;
  private shown?: Show;

  constructor(
    private readonly create: CreateSession,
    endpoint: Endpoint,
  ) {
    this.channel = new Channel(endpoint, {
      open: (options: object) => this.exclusive(() => this.restart(options)),
      restart: (changes: object) => this.exclusive(() => this.restart({ ...this.options, ...changes })),
      set: (changes: object) => this.exclusive(() => this.set(changes)),
      start: (options?: StartOptions) => this.start(options),
      pause: () => this.pause(),
      step: (count?: number) => this.step(count),
      act: (observations: Float32Array, options?: ActOptions) =>
        this.queue.run(async () => (await this.requireActive().session.agent.act(observations, options)).actions),
      snapshot: () => this.exclusive(() => this.snapshot()),
      load: (bytes: Uint8Array) => this.exclusive(() => this.load(bytes)),
      history: () => this.history(),
      call: (name: string, args: unknown[]) => this.call(name, args),
      close: () => this.close(),
    });
    this.channel.send('ready', undefined);
  }

  private requireActive(): Active {
    if (this.active) return this.active;
    throw new ArgumentError('Trainer: there is no session; call open first.');
  }

  private async restart(options: object): Promise<void> {
    const next = await this.make(options);
    await this.replace(next, options);
  }

  /** A session with the changed options that goes on where the present one is. */
  private async set(changes: object): Promise<void> {
    const options = { ...this.options, ...changes };
    const checkpoint = await this.requireActive().run.checkpoint();
    const next = await this.make(options);
    try {
      await next.run.load(checkpoint, true);
    } catch (error) {
      await free(next.session);
      throw error;
    }
    await this.replace(next, options);
  }

  private async make(options: object): Promise<Active> {
    const session = await this.create(options, this.channel);
    try {
      const { agent, env, seed, warmupSteps, callbacks = [] } = session;
      const run = new TrainingRun({ agent, env, seed, warmupSteps, parts: partsOf(callbacks) });
      return { session, run, callbacks, started: [] };
    } catch (error) {
      await free(session);
      throw error;
    }
  }

  private async replace(next: Active | undefined, options: object): Promise<void> {
    const before = this.active;
    this.active = next;
    this.options = options;
    this.report = new Report();
    if (!before) return;
    try {
      await end(before.run, before.started, 'aborted');
    } finally {
      await free(before.session);
    }
  }

  private start({ learn = true, stepsPerSecond = Infinity }: StartOptions = {}): void {
    if (stepsPerSecond !== Infinity) requireNumber('Trainer.start', 'stepsPerSecond', stepsPerSecond, { above: 0 });
    this.requireActive();
    this.follow(new Pace(learn, stepsPerSecond));
    if (this.going) return;
    this.report.reset();
    this.going = this.goOn().finally(() => {
      this.going = undefined;
    });
  }

  private follow(pace?: Pace): void {
    this.pace?.end();
    this.pace = pace;
  }

  private async goOn(): Promise<void> {
    try {
      while (this.pace) {
        const { pace } = this;
        if (pace.learns) await this.exclusive(() => this.advance());
        else await this.queue.run(() => this.advanceShow());
        this.tell();
        await pace.wait();
      }
    } catch (error) {
      this.follow();
      this.channel.send('error', faultOf(error));
    }
    this.tell(true);
  }

  private async pause(): Promise<Progress> {
    this.follow();
    return this.exclusive(async () => this.take());
  }

  private async step(count = 1): Promise<Progress> {
    requireInteger('Trainer.step', 'count', count, { min: 1 });
    this.follow();
    return this.exclusive(async () => {
      for (let i = 0; i < count; i++) await this.advance();
      return this.take();
    });
  }

  /** One step; where it fails, callbacks hear of an end, and of a new start at the next one. */
  private async advance(): Promise<void> {
    const { run, callbacks, started } = this.requireActive();
    try {
      await begin(run, callbacks, started, Infinity);
      const evaluations = run.history.evaluations.length;
      const { metrics, episodes } = await advance(run, callbacks);
      this.report.add(metrics, episodes, run.history.evaluations.slice(evaluations));
    } catch (error) {
      await end(run, started.splice(0), 'failed');
      throw error;
    }
    if (run.stopped) this.follow();
  }

  private async advanceShow(): Promise<void> {
    const { session, run } = this.requireActive();
    this.shown ??= await Show.begin(session, run);
    this.report.add({}, await this.shown.advance(), []);
  }

  /** Runs `task` between steps, with the environment where training left it. */
  private exclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.queue.run(async () => {
      await this.shown?.end();
      this.shown = undefined;
      return task();
    });
  }

  private async snapshot(): Promise<Moved> {
    const bytes = await encodeCheckpoint(await this.requireActive().run.checkpoint());
    return new Moved(bytes, [bytes.buffer as ArrayBuffer]);
  }

  private async load(bytes: Uint8Array): Promise<void> {
    const { run, session } = this.requireActive();
    const checkpoint: Checkpoint = await decodeCheckpoint(bytes, session.agent.kind);
    if (checkpoint.training) await run.load(checkpoint, true);
    else await loadState(session.agent, checkpoint.state);
  }

  private history(): RunHistory {
    const { episodes, evaluations } = this.requireActive().run.history;
    return { episodes, evaluations };
  }

  private call(name: string, args: unknown[]): unknown {
    const { calls = {} } = this.requireActive().session;
    if (Object.hasOwn(calls, name)) return calls[name]!(...args);
    throw new ArgumentError(
      `Trainer.call: there is no call ${show(name)}; the session has ${show(Object.keys(calls))}.`,
    );
  }

  private async close(): Promise<void> {
    this.follow();
    await this.exclusive(() => this.replace(undefined, {}));
  }

  private tell(anyway = false): void {
    if (anyway || this.report.age >= REPORT_EVERY) this.channel.send('progress', this.take());
  }

  private take(): Progress {
    return { step: this.active?.run.step ?? 0, running: this.pace !== undefined, ...this.report.take(this.numEnvs) };
  }

  private get numEnvs(): number {
    const env = this.active?.session.env;
    return env && 'numEnvs' in env ? env.numEnvs : 1;
  }
}

/** Frees all of it, also where one part throws. */
async function free(session: TrainingSession): Promise<void> {
  const { agent, env } = session;
  try {
    await session.close?.();
  } finally {
    try {
      await env.close?.();
    } finally {
      agent.dispose();
    }
  }
}

/** Sums up steps for the page. */
class Report {
  private since = performance.now();
  private steps = 0;
  private episodes: EpisodeRecord[] = [];
  private evaluations: EvaluationRecord[] = [];
  private readonly metrics = new Map<string, { sum: number; count: number }>();

  add(metrics: Metrics, episodes: EpisodeRecord[], evaluations: EvaluationRecord[]): void {
    this.steps += 1;
    this.episodes.push(...episodes);
    this.evaluations.push(...evaluations);
    for (const [name, value] of Object.entries(metrics)) {
      const { sum, count } = this.metrics.get(name) ?? { sum: 0, count: 0 };
      this.metrics.set(name, { sum: sum + value, count: count + 1 });
    }
  }

  /** Milliseconds since the report before. */
  get age(): number {
    return performance.now() - this.since;
  }

  reset(): void {
    this.since = performance.now();
    this.steps = 0;
    this.episodes = [];
    this.evaluations = [];
    this.metrics.clear();
  }

  take(numEnvs: number): Omit<Progress, 'step' | 'running'> {
    const { episodes, evaluations, steps, age } = this;
    const means = [...this.metrics].map(([name, { sum, count }]) => [name, sum / count]);
    this.reset();
    const metrics = Object.fromEntries(means);
    return { stepsPerSecond: (1000 * steps * numEnvs) / Math.max(age, 1), episodes, evaluations, metrics };
  }
}

/** How it goes on, and when the next step is due. */
class Pace {
  private due = performance.now();
  private over = false;
  private wake?: () => void;

  constructor(
    readonly learns: boolean,
    private readonly stepsPerSecond: number,
  ) {}

  /** Waits until the next step is due. What was late is not caught up with. */
  async wait(): Promise<void> {
    if (this.stepsPerSecond === Infinity || this.over) return;
    const now = performance.now();
    this.due = Math.max(this.due + 1000 / this.stepsPerSecond, now - 50);
    if (this.due <= now) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.due - now);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Another pace is followed, or none: nobody waits any longer. */
  end(): void {
    this.over = true;
    this.wake?.();
  }
}
