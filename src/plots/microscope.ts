import * as tf from '@tensorflow/tfjs-core';
import type { Agent } from '../agents/agent.js';
import { type Program, selectCompiler } from '../agents/program.js';
import type { EngineOptions } from '../compile/engine.js';
import { DdpmSampler } from '../diffusion/ddpm.js';
import { type ActionSampler, Sampler } from '../diffusion/sampler.js';
import { ArgumentError, requireFinite, requireInteger, requireLength, requireObject, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { Rng } from '../rng/rng.js';
import { mean, std } from '../stats/summary.js';
import { densityOn, type Grid, gridPoints, type Mode, modesOf } from './actionDensity.js';

/** An agent whose policy is a chain that can be looked at. */
export interface ChainAgent extends Agent {
  readonly sampler: ActionSampler;
  /** The critic's value of actions `[B, A]` in [-1, 1] for observations `[B, O]`, `[B]`; traceable. Absent without such a critic. */
  actionValue?(observations: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D;
}

export interface MicroscopeOptions {
  /** Draws of the policy >= 2, default 256. */
  samples?: number;
  /** Points of the landscape along an axis >= 2, default 33. */
  resolution?: number;
  /** As for agents, default `true`. */
  compile?: boolean | EngineOptions;
}

export interface LookOptions {
  /** The action dimensions that density and landscape are over: one or two, default the first two. */
  dimensions?: readonly number[];
  /** Fixes the draws, default 0. */
  seed?: number;
}

/** What the policy does in one state. Actions are in [-1, 1], as the agent has them. */
export interface PolicyPicture {
  /** Steps K of the chain. */
  steps: number;
  samples: number;
  actionSize: number;
  /** The chain's states, generation order: `[K + 1, samples, A]`. */
  states: Float32Array;
  /** `[samples, A]` */
  actions: Float32Array;
  /** $\log F_k - \log B_k$ of every step, `[K, samples]`; where the chain has densities. */
  logRatios?: Float32Array;
  /** Lower bound on the policy's entropy in nats, and its standard error over the draws; where the chain has densities. */
  entropyBound?: { mean: number; error: number };
  /** The dimensions of `density` and `landscape`. */
  dimensions: readonly number[];
  /** Density of the actions over the chosen dimensions, by a Gaussian kernel. */
  density: Grid;
  /** The critic's value over the chosen dimensions, the others as in the heaviest mode; where there is such a critic. */
  landscape?: Grid;
  /** Where the actions gather, heaviest first. */
  modes: Mode[];
}

/**
 * Looks at the policy of one agent, again and again: its graphs are kept.
 *
 * @example
 * ```ts
 * const lens = await Microscope.create(agent);
 * const { modes, entropyBound } = await lens.look(observation);
 * lens.dispose();
 * ```
 */
export class Microscope {
  private constructor(
    private readonly agent: ChainAgent,
    private readonly samples: number,
    private readonly resolution: number,
    private readonly chain: Program<
      { observations: tf.Tensor2D; noise: tf.Tensor },
      'states' | 'actions' | 'logRatios' | 'cost'
    >,
    private readonly values: Program<{ observations: tf.Tensor2D; actions: tf.Tensor2D }, 'values'> | undefined,
  ) {}

  /** @throws ArgumentError for an agent without a chain, and for options out of range */
  static async create(agent: Agent, options: MicroscopeOptions = {}): Promise<Microscope> {
    requireOptions('microscope', options, { samples: true, resolution: true, compile: true });
    const samples = requireInteger('microscope', 'samples', options.samples ?? 256, { min: 2 });
    const resolution = requireInteger('microscope', 'resolution', options.resolution ?? 33, { min: 2 });
    if (!isChainAgent(agent)) {
      throw new ArgumentError(`microscope: agent must have a sampler with a chain, ${show(agent)} has none.`);
    }
    const compiler = await selectCompiler(options.compile);
    const chain = compiler(({ observations, noise }: { observations: tf.Tensor2D; noise: tf.Tensor }) =>
      chainOf(agent.sampler, observations, noise),
    );
    const values = agent.actionValue
      ? compiler(({ observations, actions }: { observations: tf.Tensor2D; actions: tf.Tensor2D }) => ({
          values: agent.actionValue!(observations, actions),
        }))
      : undefined;
    return new Microscope(agent, samples, resolution, chain as Microscope['chain'], values);
  }

  /**
   * The policy at `observation`, `[O]`. The agent's own random numbers are not touched.
   *
   * @throws ShapeError, NonFiniteError for another observation, ArgumentError for dimensions that there are not
   */
  async look(observation: Float32Array, options: LookOptions = {}): Promise<PolicyPicture> {
    const { dimensions, seed = 0 } = requireOptions('microscope', options, { dimensions: true, seed: true });
    const { agent, samples } = this;
    const { sampler } = agent;
    const actionSize = agent.actionSpace.size;
    const axes = checkedAxes(dimensions ?? [0, 1].slice(0, actionSize), actionSize);
    requireLength('microscope', 'observation', observation, agent.observationSpace.size);
    requireFinite('microscope', 'observation', observation);

    const shape = sampler.noiseShape(samples);
    const noise = Rng.fromSeed(seed).split('microscope').normals(tf.util.sizeFromShape(shape));
    const drawn = await this.chain({ observations: tiled(observation, samples), noise: { data: noise, shape } });
    const { states, actions } = drawn;
    const steps = states.length / actions.length - 1;
    const density = densityOn(actions, actionSize, axes, this.resolution);
    const modes = modesOf(actions, actionSize, density);
    return {
      ...{ steps, samples, actionSize, states, actions, dimensions: axes, density, modes },
      ...(drawn.logRatios && { logRatios: drawn.logRatios, entropyBound: boundOf(drawn.cost) }),
      ...(this.values && { landscape: await this.landscape(observation, modes[0]!.action, density) }),
    };
  }

  dispose(): void {
    this.chain.dispose();
    this.values?.dispose();
  }

  private async landscape(observation: Float32Array, around: readonly number[], grid: Grid): Promise<Grid> {
    const actions = gridPoints(grid, around);
    const rows = actions.length / around.length;
    const inputs = { observations: tiled(observation, rows), actions: { data: actions, shape: [rows, around.length] } };
    return { ...grid, values: (await this.values!(inputs)).values };
  }
}

/**
 * What the policy of `agent` does at `observation`: the states of its chain, the density of its actions with the
 * critic's landscape, modes, log-ratios and entropy bound. {@link microscopeFigure} draws it.
 *
 * @param observation `[O]`
 * @throws ArgumentError, ShapeError, NonFiniteError for an agent without a chain and for bad values
 *
 * @example
 * ```ts
 * const picture = await microscope(agent, observation);
 * await writeFile('policy.svg', microscopeFigure(picture).svg);
 * ```
 */
export async function microscope(
  agent: Agent,
  observation: Float32Array,
  options: MicroscopeOptions & LookOptions = {},
): Promise<PolicyPicture> {
  requireObject('microscope', 'options', options);
  const { dimensions, seed, ...lensOptions } = options;
  const lens = await Microscope.create(agent, lensOptions);
  try {
    return await lens.look(observation, { dimensions, seed });
  } finally {
    lens.dispose();
  }
}

function isChainAgent(agent: Agent): agent is ChainAgent {
  const sampler = (agent as Partial<ChainAgent> | undefined)?.sampler;
  return sampler instanceof Sampler || sampler instanceof DdpmSampler;
}

/** States and actions of a chain, with log-ratios and minus the one-sample entropy bounds where it has densities. */
function chainOf(sampler: ActionSampler, observations: tf.Tensor2D, noise: tf.Tensor): Record<string, tf.Tensor> {
  if (sampler instanceof DdpmSampler) {
    const { states } = sampler.chain(observations, noise);
    return { states: tf.stack([...states]), actions: tf.clone(states.at(-1)!) };
  }
  const path = (sampler as Sampler).sample(observations, noise);
  return {
    states: tf.stack([...path.states]),
    actions: path.action,
    logRatios: tf.sub(path.logForward, path.logBackward),
    cost: path.totalCost,
  };
}

function boundOf(cost: Float32Array): { mean: number; error: number } {
  const bounds = Array.from(cost, (value) => -value);
  return { mean: mean(bounds), error: std(bounds) / Math.sqrt(bounds.length) };
}

function tiled(observation: Float32Array, rows: number) {
  const data = new Float32Array(rows * observation.length);
  for (let row = 0; row < rows; row++) data.set(observation, row * observation.length);
  return { data, shape: [rows, observation.length] };
}

function checkedAxes(dimensions: readonly number[], actionSize: number): readonly number[] {
  const isFine =
    (dimensions.length === 1 || dimensions.length === 2) &&
    new Set(dimensions).size === dimensions.length &&
    dimensions.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < actionSize);
  if (isFine) return dimensions;
  throw new ArgumentError(
    `microscope: dimensions must be one or two different ones of 0 to ${actionSize - 1}, got ${show(dimensions)}.`,
  );
}
