import type { Agent, Metrics } from '../agents/agent.js';
import { prepareCheckpoint } from '../agents/config.js';
import { readCheckpoint } from '../checkpoint/checkpoint.js';
import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import { Queue } from '../compile/queue.js';
import type { Env } from '../envs/env.js';
import { lostRows } from '../envs/lost.js';
import type { VectorEnv } from '../envs/vectorEnv.js';
import {
  CheckpointError,
  NonFiniteError,
  requireInteger,
  requireNumber,
  requireObject,
  requireOneOf,
  requireText,
} from '../errors.js';
import { requireOptions } from '../options.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import {
  asCount,
  type Commit,
  lengthOf,
  prefixed,
  readEntries,
  type StateDict,
  type Stateful,
  stateArray,
  substate,
  together,
} from '../state.js';
import { breathe } from './breathe.js';
import { type Environments, environments, requireMatch } from './environments.js';
import { type EpisodeRecord, TrainingHistory } from './history.js';

export interface TrainingRunOptions {
  agent: Agent;
  env: Env | VectorEnv;
  /** Fixes the first episode's start and the random actions of the warm-up. Default 0. */
  seed?: number;
  /** Environment steps with random actions and without updates at the start. Default `agent.warmupSteps`. */
  warmupSteps?: number;
  /** Things of your own that its checkpoints are to hold, by name. */
  parts?: Readonly<Record<string, Stateful>>;
}

/** What one call of {@link TrainingRun.advance} did. */
export interface StepReport {
  /** What {@link Agent.update} returned, `{}` during the warm-up. */
  metrics: Metrics;
  /** Episodes that ended in this step. */
  episodes: EpisodeRecord[];
}

/**
 * The training loop, one step at a time: {@link train} drives it, callbacks see it, and loops of your own may use it.
 *
 * Its state is all that the loop itself changes: counters, unfinished episodes, the history, the environment's state
 * and the random stream. With the agent's own state a run goes on bit for bit.
 *
 * @example
 * ```ts
 * const run = new TrainingRun({ agent, env, seed: 1 });
 * while (run.step < 10_000) await run.advance();
 * await run.save('runs/a');
 * ```
 */
export class TrainingRun implements Stateful {
  readonly agent: Agent;
  readonly env: Env | VectorEnv;
  /** Episodes and evaluations so far. */
  readonly history = new TrainingHistory();
  private readonly worlds: Environments;
  private readonly seed: number;
  private readonly warmupSteps: number;
  private readonly rng: Rng;
  private readonly queue = new Queue();
  private readonly parts: Readonly<Record<string, Stateful>>;
  private stopReason: string | undefined;
  private steps = 0;
  private observations: Float32Array | undefined;
  private returns: Float64Array;
  private lengths: Float64Array;

  /** @throws ShapeError, ArgumentError unless the agent was made for spaces like the environment's */
  constructor(options: TrainingRunOptions) {
    const {
      agent,
      env,
      seed = 0,
      warmupSteps = agent?.warmupSteps,
      parts = {},
    } = requireOptions('train', options, { agent: true, env: true, seed: true, warmupSteps: true, parts: true });
    requireMatch('train', agent, env);
    this.rng = Rng.fromSeed(seed).split('train');
    this.seed = seed;
    this.warmupSteps = requireInteger('train', 'warmupSteps', warmupSteps, { min: 0 });
    this.agent = agent;
    this.env = env;
    this.parts = parts;
    this.worlds = environments('train', env);
    this.returns = new Float64Array(this.worlds.numEnvs);
    this.lengths = new Float64Array(this.worlds.numEnvs);
  }

  /** Environment steps so far, all environments together. */
  get step(): number {
    return this.steps;
  }

  /** Why the run is to end before its last step, if it is. */
  get stopped(): string | undefined {
    return this.stopReason;
  }

  /** Asks {@link train} to end after the step that is under way; `reason` is for people. The first one counts. */
  stop(reason: string): void {
    requireText('TrainingRun.stop', 'reason', reason);
    this.stopReason ??= reason;
  }

  /** Whether the last call of {@link advance} reached a multiple of `every` environment steps. */
  isDue(every: number): boolean {
    requireNumber('TrainingRun.isDue', 'every', every, { above: 0 });
    return this.steps > 0 && Math.floor(this.steps / every) > Math.floor((this.steps - this.worlds.numEnvs) / every);
  }

  /**
   * One step of all environments: act, observe, update. Every few milliseconds timers, input and pictures get their turn.
   *
   * @throws EnvironmentError if the environment throws or breaks its contract; the agent has not observed the step
   */
  advance(): Promise<StepReport> {
    return this.queue.run(() => this.takeStep());
  }

  private async takeStep(): Promise<StepReport> {
    await breathe();
    const isWarmup = this.steps < this.warmupSteps;
    const at = `at step ${this.steps + 1}`;
    this.observations ??= await this.worlds.reset(at, this.startSeed());
    const { observations } = this;
    const decision = isWarmup ? null : await this.agent.act(observations);
    const actions = decision?.actions ?? this.randomActions();
    const result = await this.worlds.step(at, actions);
    const lost = lostRows(result.infos);
    this.agent.observe({ ...pickTransitions(result), observations, actions, ...(lost && { lost }) }, decision);
    this.observations = result.observations;
    this.steps += this.worlds.numEnvs;
    const episodes = this.countEpisodes(result, lost);
    return { metrics: isWarmup ? {} : await this.learn(), episodes };
  }

  private async learn(): Promise<Metrics> {
    try {
      return await this.agent.update();
    } catch (cause) {
      if (!(cause instanceof NonFiniteError)) throw cause;
      throw new NonFiniteError(`train: at step ${this.steps}: ${cause.message}`, { cause });
    }
  }

  /** Writes agent and run to the folder `path`, see {@link writeCheckpoint}; a step that is under way comes first. */
  save(path: string): Promise<void> {
    return this.queue.run(async () => this.agent.save(path, await this.state()));
  }

  /**
   * Puts agent and run back as {@link save} wrote them.
   *
   * @throws CheckpointError if the folder holds no such checkpoint or it does not fit; the agent is as it was
   */
  async restore(path: string): Promise<void> {
    await this.load(await readCheckpoint(path));
  }

  /** Agent and run as {@link save} writes them, for whatever else keeps them: {@link encodeCheckpoint}, a page's storage. */
  checkpoint(): Promise<Checkpoint> {
    return this.queue.run(async () => this.agent.checkpoint(await this.state()));
  }

  /**
   * Puts back what {@link TrainingRun.checkpoint} returned.
   *
   * @param anyOptions whether the agent may have been made with other options, as long as the arrays fit; default `false`
   * @throws CheckpointError as {@link restore}
   */
  async load(checkpoint: Checkpoint, anyOptions = false): Promise<void> {
    requireObject('TrainingRun.load', 'checkpoint', checkpoint);
    requireOneOf('TrainingRun.load', 'anyOptions', anyOptions, [true, false]);
    const { training } = checkpoint;
    if (!training) {
      throw new CheckpointError(
        'train: the checkpoint holds an agent but no training run; load the agent from it and start a new run.',
      );
    }
    const prepareAgent = () =>
      anyOptions ? this.agent.prepare(checkpoint.state) : prepareCheckpoint(this.agent, checkpoint);
    await this.queue.run(async () => {
      const [run, agent] = [await this.prepare(training), await prepareAgent()];
      await agent();
      await run();
    });
  }

  async state(): Promise<StateDict> {
    return {
      steps: stateArray(this.steps),
      observations: stateArray(this.observations?.slice() ?? new Float32Array(0)),
      returns: stateArray(this.returns.slice()),
      lengths: stateArray(this.lengths.slice()),
      ...prefixed('rng', this.rng.state()),
      ...prefixed('history', this.history.state()),
      ...prefixed('env', (await this.worlds.state()) ?? {}),
      ...prefixed('memory', await this.worlds.memory()),
      ...prefixed('parts', await together(this.parts).state()),
    };
  }

  /** An environment without a state of its own starts a new episode, with the memory that it had. */
  async prepare(state: StateDict): Promise<Commit> {
    const { numEnvs, env } = this.worlds;
    const hasStarted = lengthOf(state, 'observations') > 0;
    const entries = readEntries(
      state,
      {
        steps: 1,
        observations: hasStarted ? numEnvs * env.observationSpace.size : 0,
        returns: numEnvs,
        lengths: numEnvs,
      },
      ['rng', 'history', 'env', 'memory', 'parts'],
    );
    const steps = asCount(entries.steps, 'steps');
    const parts: Commit[] = [
      this.rng.prepare(substate(state, 'rng')),
      this.history.prepare(substate(state, 'history')),
    ];
    const envState = substate(state, 'env');
    const goesOn = hasStarted && Object.keys(envState).length > 0 && env.prepare !== undefined;
    if (goesOn) parts.push(await env.prepare!(envState));
    const memory = substate(state, 'memory');
    if (Object.keys(memory).length) parts.push(await requireMemory(env).prepare(memory));
    const own = substate(state, 'parts');
    for (const [name, part] of Object.entries(this.parts)) {
      const saved = substate(own, name);
      if (Object.keys(saved).length) parts.push(await part.prepare(saved)); // else it is new to the run
    }
    return async () => {
      for (const commit of parts) await commit();
      this.steps = steps;
      this.observations = goesOn ? Float32Array.from(entries.observations) : undefined;
      this.returns = goesOn ? Float64Array.from(entries.returns) : new Float64Array(numEnvs);
      this.lengths = goesOn ? Float64Array.from(entries.lengths) : new Float64Array(numEnvs);
    };
  }

  /** The run's seed, or one of its own for a run that goes on in a new episode. */
  private startSeed(): number {
    return this.steps === 0 ? this.seed : this.rng.split(`reset at ${this.steps}`).uint32();
  }

  private randomActions(): Float32Array {
    const { actionSpace } = this.env;
    const actions = new Float32Array(this.worlds.numEnvs * actionSpace.size);
    for (let i = 0; i < this.worlds.numEnvs; i++) actions.set(actionSpace.sample(this.rng), i * actionSpace.size);
    return actions;
  }

  /** Episodes that ended by themselves; the rest of one that was lost is not known. */
  private countEpisodes(
    { rewards, terminated, truncated }: Pick<Transitions, 'rewards' | 'terminated' | 'truncated'>,
    lost: Uint8Array | undefined,
  ) {
    const ended: EpisodeRecord[] = [];
    for (let i = 0; i < this.worlds.numEnvs; i++) {
      this.returns[i] = (this.returns[i] as number) + (rewards[i] as number);
      this.lengths[i] = (this.lengths[i] as number) + 1;
      if (!terminated[i] && !truncated[i]) continue;
      const record = { step: this.steps, return: this.returns[i] as number, length: this.lengths[i] as number };
      if (!lost?.[i]) ended.push(record);
      this.returns[i] = 0;
      this.lengths[i] = 0;
    }
    this.history.episodes.push(...ended);
    return ended;
  }
}

function requireMemory({ memory, id }: Env | VectorEnv): Stateful {
  if (memory) return memory;
  throw new CheckpointError(
    `train: the checkpoint holds what wrappers remember, but ${id || 'the environment'} has none; wrap it as it was in training.`,
  );
}

function pickTransitions({
  rewards,
  nextObservations,
  terminated,
  truncated,
}: Omit<Transitions, 'observations' | 'actions'>) {
  return { rewards, nextObservations, terminated, truncated };
}
