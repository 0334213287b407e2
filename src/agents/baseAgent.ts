import * as tf from '@tensorflow/tfjs-core';
import { readCheckpoint, writeCheckpoint } from '../checkpoint/checkpoint.js';
import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import type { EngineOptions } from '../compile/engine.js';
import { Queue } from '../compile/queue.js';
import { ArgumentError, CheckpointError, DisposedError, show } from '../errors.js';
import { watchGradients } from '../ops/gradientWatch.js';
import { type Variables, variablesAsState } from '../ops/variables.js';
import {
  type GivenOptions,
  integer,
  number,
  type OptionTable,
  type OptionValues,
  option,
  readOptions,
} from '../options.js';
import type { ObservedTransitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import { ActionScale } from '../spaces/actionScale.js';
import type { Box } from '../spaces/box.js';
import {
  asCount,
  type Commit,
  loadState,
  readEntries,
  requireState,
  type StateDict,
  type Stateful,
  stateArray,
  together,
} from '../state.js';
import type { ActOptions, Agent, Decision, EnvSpaces, Metrics } from './agent.js';
import { actOptions, clipped, requireObservations, requireSpaces, requireTransitions, sameNumbers } from './checks.js';
import { asConfig, prepareCheckpoint } from './config.js';
import { explained, GRADIENTS, requireFiniteOutputs } from './finiteUpdate.js';
import { type NoiseSource, noiseSource } from './noiseSource.js';
import {
  type Compiler,
  type Outputs,
  type Program,
  selectCompiler,
  type TensorProgram,
  type Tensors,
} from './program.js';
import { loadAs, type RebuildableClass, type Rebuilding } from './rebuild.js';

/** Options that all agents have. */
export const agentOptions = {
  seed: { ...integer(0, { min: 0 }, 'Fixes every random number of the agent.'), local: true },
  gamma: number(0.99, { min: 0, below: 1 }, 'Discount of an environment step.'),
  compile: option<boolean | EngineOptions>({
    doc: 'Whether acting and learning run as compiled graphs, or on what: { device, threads, runtime }.',
    allowed: 'true | false | engine options',
    initial: true,
    local: true,
    check: (where, name, value) => {
      if (typeof value === 'boolean' || (typeof value === 'object' && value && !Array.isArray(value))) return value;
      throw new ArgumentError(`${where}: ${name} must be true, false or options of the engine, got ${show(value)}.`);
    },
  }),
};

/** What an agent is made from: the environment (or its spaces), and options of a table. */
export type AgentOptions<Table extends OptionTable> = { readonly env: EnvSpaces } & GivenOptions<Table>;

/** A class of agents: its name in checkpoints, and the table of its options. */
export interface AgentClass<Table extends OptionTable = OptionTable> {
  readonly kind: string;
  readonly options: Table;
}

type BaseValues = OptionValues<typeof agentOptions>;

/** What an agent decided: actions in [-1, 1], `[N * A]`, and whatever it wants to have back when it sees what came of them. */
export interface Choice<Memory> {
  readonly actions: Float32Array;
  readonly memory?: Memory;
}

/** A step of environments as an agent learns from it. */
export interface Experience<Memory> {
  /** As they were observed, but with actions in [-1, 1]. */
  readonly transitions: ObservedTransitions;
  /** What the agent remembered when it chose these very actions. */
  readonly memory: Memory | undefined;
  /** Whether the agent was asked what to do; then an update becomes due. */
  readonly isOwn: boolean;
}

/** Things that belong to an agent: what has a state, variables, or must be disposed of. */
type Part = Partial<Stateful> & { readonly variables?: Variables; readonly statistics?: Variables; dispose?(): void };

/**
 * What all agents have in common: options, owned parts, a queue, checked observations, action scaling, noise, checkpoints.
 *
 * **Subclass requirements.** Fields hold the parts, each named once: `readonly critic = this.own('critic', new ...)`
 * saves, loads and disposes of it. `policy` decides; `experience` takes in what came of it; `learnDue` learns. Every
 * gradient step is a program of {@link BaseAgent.updateProgram} and is counted in `updates`.
 */
export abstract class BaseAgent<Options extends BaseValues, Memory = never> implements Agent {
  abstract readonly name: string;
  abstract readonly warmupSteps: number;
  readonly kind: string;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** All options, with defaults. */
  readonly options: Options;
  /** Gradient steps done so far. */
  updates = 0;
  /** Sizes that networks are made for. */
  protected readonly sizes: { readonly observationSize: number; readonly actionSize: number };
  /** The stream that networks start from. */
  protected readonly networks: Rng;
  /** The stream of all noise that is drawn in exploring and learning; part of the state. */
  protected readonly noise: Rng;
  private readonly evaluationNoise: Rng;
  private readonly table: OptionTable;
  private readonly scale: ActionScale;
  private readonly parts: Record<string, Stateful> = {};
  private readonly disposals: (() => void)[] = [];
  private readonly decisions = new WeakMap<Decision, Choice<Memory>>();
  private readonly queue = new Queue();
  private updating = 0;
  private disposed = false;

  protected constructor(
    Class: AgentClass,
    options: AgentOptions<OptionTable>,
    private readonly compiler: Compiler,
  ) {
    if (typeof compiler !== 'function') {
      const { name } = new.target;
      throw new ArgumentError(`${name}: an agent is made by \`await ${name}.create({ env, ... })\`, not by new.`);
    }
    const { kind, options: table } = Class;
    const { env, ...given } = options;
    this.kind = kind;
    this.table = table;
    this.options = readOptions(kind, given, table) as unknown as Options;
    this.scale = new ActionScale(env.actionSpace);
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    this.sizes = { observationSize: env.observationSpace.size, actionSize: env.actionSpace.size };
    const rng = Rng.fromSeed(this.options.seed);
    this.networks = rng.split('networks');
    this.evaluationNoise = rng.split('evaluation');
    this.noise = this.own('noise', rng.split('noise'));
  }

  /**
   * Makes an agent: checks `given`, finds a compiler, calls `make`. If that fails, nothing is left behind, and samplers may be
   * used again.
   */
  protected static async make<A>(
    { kind, options: table }: AgentClass<typeof agentOptions & OptionTable>,
    given: AgentOptions<OptionTable>,
    make: (compiler: Compiler) => A,
  ): Promise<A> {
    const { env, ...options } = given ?? {};
    requireSpaces(kind, env);
    const { compile } = readOptions(kind, options, table) as unknown as BaseValues;
    const compiler = await selectCompiler(compile);
    const before = new Set(Object.values(tf.engine().registeredVariables));
    try {
      return make(compiler);
    } catch (error) {
      for (const variable of Object.values(tf.engine().registeredVariables)) {
        if (!before.has(variable)) variable.dispose();
      }
      throw error;
    }
  }

  /** Decides for checked observations, `[rows * O]`. Draws noise with `draw` only; with `explore: false` nothing else may change. */
  protected abstract policy(
    observations: Float32Array,
    rows: number,
    draw: NoiseSource,
    explore: boolean,
  ): Promise<Choice<Memory>>;

  /** Takes in one step. Must check it first, and change nothing if it throws. */
  protected abstract experience(experience: Experience<Memory>): void;

  /** Learns what is due. */
  protected abstract learnDue(): Promise<Metrics>;

  /** Registers `part` under `name`: its state is the agent's, and it goes when the agent goes. */
  protected own<P extends Part>(name: string, part: P): P {
    const { state, prepare, variables, statistics } = part;
    if (state && prepare) this.parts[name] = part as Stateful;
    else if (variables) this.parts[name] = variablesAsState({ ...variables, ...statistics });
    if (part.dispose) this.disposals.push(() => part.dispose!());
    return part;
  }

  /**
   * Has `part`, such as the moments of a normalising wrapper, saved and loaded with the agent, so that it acts the same
   * after loading. Say so again before {@link restore}: an agent that does not know the part refuses the checkpoint.
   *
   * @example
   * ```ts
   * const env = new NormaliseObservation(await makeMujoco('Humanoid-v5'));
   * const agent = await DimeAgent.create({ env });
   * agent.keep('observations', env.moments);
   * ```
   * @throws ArgumentError unless `part` is stateful and `name` is new
   */
  keep(name: string, part: Stateful): void {
    this.requireUse('keep');
    if (typeof part?.state !== 'function' || typeof part.prepare !== 'function') {
      throw new ArgumentError(`${this.kind}.keep: part must have state() and prepare(state), got ${show(part)}.`);
    }
    if (typeof name !== 'string' || !name || name.includes('/') || `kept-${name}` in this.parts) {
      throw new ArgumentError(`${this.kind}.keep: name must be new and without a slash, got ${show(name)}.`);
    }
    this.parts[`kept-${name}`] = part;
  }

  /** A function of tensors as one of typed arrays. Its inputs and outputs are named. */
  protected program<In extends Tensors, Out extends string>(program: TensorProgram<In, Out>): Program<In, Out> {
    const made = this.compiler(program);
    this.disposals.push(() => made.dispose());
    return made;
  }

  /**
   * A {@link BaseAgent.program} that assigns variables. If an output, a gradient or a learning rate is not finite, the call rejects
   * with a NonFiniteError, and all variables are as before.
   */
  protected updateProgram<In extends Tensors, Out extends string>(program: TensorProgram<In, Out>): Program<In, Out> {
    const watched = this.compiler<In, Out | typeof GRADIENTS>((inputs) => {
      const { result, sum } = watchGradients(() => program(inputs));
      return { ...result, [GRADIENTS]: sum } as Record<Out | typeof GRADIENTS, tf.Tensor>;
    }, requireFiniteOutputs);
    this.disposals.push(() => watched.dispose());
    const run = async (inputs: Parameters<Program<In, Out>>[0]) => {
      try {
        const { [GRADIENTS]: _, ...outputs } = await watched(inputs);
        return outputs as unknown as Outputs<Out>;
      } catch (error) {
        throw explained(error, this.name, this.updates, inputs);
      }
    };
    return Object.assign(run, { dispose: () => watched.dispose() });
  }

  /**
   * With `explore: false`, the option `noise` is one stream for each observation.
   *
   * @throws ShapeError unless `observations` holds one or more whole observations
   * @throws NonFiniteError for NaN or infinity; DisposedError after {@link dispose}
   */
  async act(observations: Float32Array, options: ActOptions = {}): Promise<Decision> {
    const rows = requireObservations(`${this.name}.act`, observations, this.sizes.observationSize);
    const { explore, noise } = readOptions(`${this.name}.act`, options, actOptions(rows));
    const draw = noiseSource(explore ? this.noise : (noise ?? this.evaluationNoise));
    const own = Float32Array.from(observations);
    return this.exclusive('act', async () => {
      const choice = await this.policy(own, rows, draw, explore);
      const decision = { actions: this.scale.toSpace(choice.actions) };
      this.decisions.set(decision, choice);
      return decision;
    });
  }

  /**
   * @throws ArgumentError for a decision that this agent did not make; ShapeError or NonFiniteError for transitions that do
   * not fit; in all cases nothing has changed
   */
  observe(transitions: ObservedTransitions, decision?: Decision | null): void {
    const where = `${this.name}.observe`;
    this.requireUse('observe');
    if (this.updating) throw new ArgumentError(`${where}: an update is under way; await it first.`);
    const choice = this.decisions.get(decision as Decision);
    if (decision !== undefined && decision !== null && !choice) {
      throw new ArgumentError(
        `${where}: decision must be what act() of this agent returned, or null for actions that somebody else chose, got ${show(decision)}.`,
      );
    }
    requireTransitions(where, transitions, this.sizes);
    const asDecided = choice && sameNumbers(transitions.actions, decision!.actions) ? choice : undefined;
    const actions = asDecided?.actions.map(clipped) ?? this.scale.fromSpace(transitions.actions);
    const memory = asDecided?.memory;
    this.experience({ transitions: { ...transitions, actions }, memory, isOwn: decision !== null });
  }

  update(): Promise<Metrics> {
    return this.learning('update', () => this.learnDue());
  }

  state(): Promise<StateDict> {
    return this.exclusive('state', async () => ({ ...this.counts(), ...(await together(this.parts).state()) }));
  }

  snapshot(): Promise<StateDict> {
    return this.exclusive('snapshot', async () => ({ ...this.counts(), ...(await together(this.parts).snapshot()) }));
  }

  /** @throws CheckpointError if the state does not fit this agent */
  prepare(saved: StateDict): Promise<Commit> {
    return this.exclusive('prepare', async () => {
      const { updates, ...state } = requireState(saved);
      const count = asCount(readEntries(updates ? { updates } : {}, { updates: 1 }).updates, 'updates');
      const parts = await this.preparedParts(state);
      return () =>
        this.exclusive('prepare', async () => {
          await parts();
          this.updates = count;
        });
    });
  }

  /** As {@link loadState}`(agent, state)`. */
  async loadState(state: StateDict): Promise<void> {
    await loadState(this, state);
  }

  private counts(): StateDict {
    return { updates: stateArray(this.updates) };
  }

  get config(): Checkpoint['config'] {
    return asConfig(this.table, this.options, this);
  }

  /** Writes a checkpoint with everything needed to go on; `training` is the state of a training run, kept beside it. */
  async save(path: string, training?: StateDict): Promise<void> {
    await writeCheckpoint(path, await this.checkpoint(training));
  }

  /** What {@link save} writes, for whatever else keeps it: {@link encodeCheckpoint}, a page's storage. */
  async checkpoint(training?: StateDict): Promise<Checkpoint> {
    return { kind: this.kind, config: this.config, state: await this.snapshot(), training };
  }

  /**
   * Loads the checkpoint `path`, saved by an agent created like this one.
   *
   * @throws CheckpointError if it is of another kind, of other options or does not fit; then nothing has changed
   */
  async restore(path: string): Promise<void> {
    this.requireUse('restore');
    const commit = await prepareCheckpoint(this, await readCheckpoint(path));
    await commit();
  }

  /**
   * Makes the agent that the checkpoint `path` was written by; nothing of its options needs to be told.
   *
   * @throws CheckpointError if the checkpoint is damaged or of another kind
   * @throws ArgumentError naming an option that a file cannot hold and that `rebuilding` does not give
   */
  static load<A extends Agent>(this: RebuildableClass<A>, path: string, rebuilding?: Rebuilding): Promise<A> {
    // biome-ignore lint/complexity/noThisInStatic: the class that it is called on
    return loadAs(this, path, rebuilding);
  }

  /** Frees all tensors, once what is under way has ended; any further use is a DisposedError. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const free = async () => {
      for (const dispose of this.disposals) dispose();
    };
    void this.queue.run(free);
  }

  /** Runs `task` when all that was asked for before has ended. */
  protected exclusive<T>(method: string, task: () => Promise<T>): Promise<T> {
    if (this.disposed) return Promise.reject(this.disposedError(method));
    return this.queue.run(task);
  }

  /** As {@link exclusive}, for what changes parameters; nothing is observed meanwhile. */
  protected async learning<T>(method: string, task: () => Promise<T>): Promise<T> {
    this.updating++;
    try {
      return await this.exclusive(method, task);
    } finally {
      this.updating--;
    }
  }

  private requireUse(method: string): void {
    if (this.disposed) throw this.disposedError(method);
  }

  private disposedError(method: string): DisposedError {
    return new DisposedError(`${this.name}.${method}: the agent was disposed of; create another one.`);
  }

  private async preparedParts(state: StateDict): Promise<Commit> {
    try {
      return await together(this.parts).prepare(state);
    } catch (cause) {
      if (!(cause instanceof CheckpointError)) throw cause;
      throw new CheckpointError(
        `${this.name}: ${cause.message} Create the agent with the sizes and options that it was saved with.`,
        { cause },
      );
    }
  }
}
