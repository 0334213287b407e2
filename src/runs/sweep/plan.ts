import { createHash } from 'node:crypto';
import { type JsonObject, mergeOptions } from '../../agents/optionsJson.js';
import type { Json } from '../../checkpoint/checkpointFiles.js';
import { ArgumentError, show } from '../../errors.js';
import { nearest } from '../../nearest.js';
import {
  type GivenOptions,
  group,
  integer,
  number,
  type OptionTable,
  type OptionValues,
  option,
  readOptions,
} from '../../options.js';
import { Rng } from '../../rng/rng.js';
import { fileName } from '../folder.js';
import { withAbsolutePaths } from '../prepare.js';
import { type CompleteSettings, completeSettings, type RunSettings, settingNames } from '../settings.js';

/** One run of a sweep. */
export interface PlannedRun {
  /** The name of its folder: task, agent, seed and a digest of its settings, so that the same run has the same one. */
  name: string;
  settings: CompleteSettings;
  /** What distinguishes it from the others besides task, agent and seed. */
  variant: JsonObject;
}

/** What a sweep's file says. */
export interface SweepPlan {
  runs: PlannedRun[];
  halving: OptionValues<typeof halvingTable> | undefined;
  local: OptionValues<typeof localTable>;
  slurm: JsonObject;
}

const localTable = {
  jobs: integer(1, { min: 1 }, 'Runs at the same time.'),
  memoryMiB: number(undefined, { above: 0 }, 'Memory that a run needs; default: the most that one took so far.'),
};

const halvingTable = {
  rungs: integer(3, { min: 2 }, 'How often the runs are compared, the end included.'),
  factor: integer(
    2,
    { min: 2 },
    'Of so many variants one goes on after each comparison, with so many times the steps.',
  ),
};

const list = <T>(doc: string, initial: T[] | undefined, isEntry: (value: unknown) => boolean, allowed: string) =>
  option<T[] | undefined>({
    ...{ doc, allowed, initial, defaultText: String(initial) },
    check: (where, name, value) => {
      const entries = Array.isArray(value) ? value : [value];
      if (entries.length > 0 && entries.every(isEntry)) return entries as T[];
      throw new ArgumentError(`${where}: ${name} must be ${allowed}, got ${show(value)}.`);
    },
  });

const isName = (value: unknown) => typeof value === 'string' && value !== '';
const object = (doc: string) =>
  option<JsonObject>({
    ...{ doc, allowed: 'names and values', initial: {}, defaultText: '{}' },
    check: (where, name, value) => {
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as JsonObject;
      throw new ArgumentError(`${where}: ${name} must be names and values, got ${show(value)}.`);
    },
  });

/** What a sweep's file may hold besides the settings that all runs share. */
const sweepTable = {
  agents: list<string>('Agents by name, or modules.', undefined, isName, 'a list of names'),
  envs: list<string>('Tasks by id, or modules.', undefined, isName, 'a list of ids'),
  seeds: list<number>(
    'A run each.',
    [0],
    (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    'a list of whole numbers, or 0..4',
  ),
  agentOptions: object('Options by agent, over `options`.'),
  grid: object('Options with lists of values: every combination is a variant.'),
  random: option<RandomSearch | undefined>({
    ...{
      doc: 'Variants at random: { samples, seed, options }.',
      allowed: '{ samples, seed, options }',
      initial: undefined,
    },
    check: (where, name, value) => readOptions(`${where}: ${name}`, value as never, randomTable) as RandomSearch,
  }),
  halving: option<OptionValues<typeof halvingTable> | undefined>({
    ...{ doc: 'Successive halving of the variants.', allowed: '{ rungs, factor }', initial: undefined },
    check: (where, name, value) => readOptions(`${where}: ${name}`, value as never, halvingTable),
  }),
  local: group(localTable, 'How runs share this machine.'),
  slurm: object(
    'How tasks are asked for: partition, account, time, memory, cpus, arrayLimit, signalSeconds, extra, setup.',
  ),
} satisfies OptionTable;

const randomTable = {
  samples: integer(10, { min: 1 }, 'How many variants.'),
  seed: integer(0, { min: 0 }, 'Of the draws.'),
  options: object(
    'Options with what they are drawn from: { log: [a, b] }, { uniform: [a, b] }, { integer: [a, b] } or { choice: [...] }.',
  ),
};

type RandomSearch = OptionValues<typeof randomTable>;

/** Settings of a run that a sweep has a plural or another place for. */
const NOT_SHARED = ['agent', 'env', 'seed', 'envs'];

/**
 * All runs that a sweep's file asks for, and how: seed by seed, so that an interrupted sweep compares everything on fewer seeds.
 *
 * @throws ArgumentError naming what is not allowed, with the nearest name that is
 */
export function planSweep(content: JsonObject, where = 'sweep'): SweepPlan {
  const shared = settingNames.filter((name) => !NOT_SHARED.includes(name));
  const table: OptionTable = {
    ...sweepTable,
    vectorEnvs: integer(undefined, { min: 1 }, 'Environments side by side.'),
    ...Object.fromEntries(shared.map((name) => [name, anything])),
  };
  const prepared = { ...content, ...('seeds' in content && { seeds: expandSeeds(content.seeds) }) };
  const given = readOptions(where, prepared as GivenOptions<typeof sweepTable>, table) as OptionValues<
    typeof sweepTable
  > &
    JsonObject;
  const { agents, envs, seeds } = given;
  if (!agents || !envs) throw new ArgumentError(`${where}: the file must name agents and envs.`);
  const odd = Object.keys(given.agentOptions).find((name) => !agents.includes(name));
  if (odd !== undefined) {
    throw new ArgumentError(
      `${where}: agentOptions.${odd} is of none of the agents${nearest(odd, agents)}; the agents are ${agents.join(', ')}.`,
    );
  }
  const common = Object.fromEntries(shared.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  const runs: PlannedRun[] = [];
  for (const seed of seeds ?? [0]) {
    for (const env of envs) {
      for (const agent of agents) {
        for (const variant of variantsOf(where, given.grid, given.random)) {
          const own = (given.agentOptions[agent] ?? {}) as JsonObject;
          const options = [own, variant].reduce(mergeOptions, (common.options ?? {}) as JsonObject);
          const vector = given.vectorEnvs === undefined ? {} : { envs: given.vectorEnvs as number };
          const settings = { threads: 1, ...common, ...vector, agent, env, seed, options } as RunSettings;
          runs.push(planned(where, settings, given.halving, variant));
        }
      }
    }
  }
  const { halving, local, slurm } = given;
  return { runs: different(runs), halving, local, slurm };
}

/** The first of those that draws, grids or lists of seeds ask for more than once. */
function different(runs: readonly PlannedRun[]): PlannedRun[] {
  const names = new Set<string>();
  return runs.filter(({ name }) => !names.has(name) && names.add(name));
}

/** Steps at which the runs of a halving are compared, the last one the end. */
export function rungsOf(steps: number, { rungs, factor }: { rungs: number; factor: number }): number[] {
  return Array.from({ length: rungs }, (_, i) => Math.ceil(steps / factor ** (rungs - 1 - i)));
}

const anything = option<Json | undefined>({
  doc: '',
  allowed: '',
  initial: undefined,
  check: (_, __, value) => value as Json,
});

function planned(where: string, given: RunSettings, halving: SweepPlan['halving'], variant: JsonObject): PlannedRun {
  const complete = completeSettings(withAbsolutePaths(given), where);
  const settings = halving ? evaluatedInTime(where, given, complete, halving) : complete;
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(settings)))
    .digest('hex')
    .slice(0, 8);
  const name = [settings.env, settings.agent, settings.seed, digest].map(fileName).join('__');
  return { name, settings, variant };
}

/** `settings` with an evaluation before runs are compared for the first time. */
function evaluatedInTime(
  where: string,
  given: RunSettings,
  settings: CompleteSettings,
  halving: { rungs: number; factor: number },
): CompleteSettings {
  const first = rungsOf(settings.steps, halving)[0] as number;
  if (settings.evaluationEvery <= first) return settings;
  if (given.evaluationEvery === undefined) return completeSettings({ ...given, evaluationEvery: first }, where);
  throw new ArgumentError(
    `${where}: evaluationEvery must be at most ${first}, where halving compares runs for the first time, got ${given.evaluationEvery}.`,
  );
}

/** `0..4`, a list of numbers and such ranges, or one number. */
function expandSeeds(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.flatMap((entry) => expandSeeds(entry) as number[]);
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(String(value)) ?? [];
  if (from === undefined) return [value ?? null];
  return Array.from({ length: Math.max(Number(to) - Number(from) + 1, 0) }, (_, i) => Number(from) + i);
}

/** Every combination of the grid with every random draw. */
function variantsOf(where: string, grid: JsonObject, random: RandomSearch | undefined): JsonObject[] {
  let variants: JsonObject[] = [{}];
  for (const [name, values] of Object.entries(grid)) {
    if (!Array.isArray(values) || values.length === 0) {
      throw new ArgumentError(`${where}: grid.${name} must be a list of values, got ${show(values)}.`);
    }
    variants = variants.flatMap((variant) => values.map((value) => withPath(variant, name, value)));
  }
  if (!random) return variants;
  const rng = Rng.fromSeed(random.seed).split('sweep');
  const draws = Array.from({ length: random.samples }, () =>
    Object.entries(random.options).reduce(
      (draw, [name, from]) => withPath(draw, name, drawn(where, name, from, rng)),
      {} as JsonObject,
    ),
  );
  return variants.flatMap((variant) => draws.map((draw) => mergeOptions(variant, draw)));
}

function drawn(where: string, name: string, from: Json | undefined, rng: Rng): Json {
  const [kind, range] = Object.entries(Object(from))[0] ?? [];
  const [low, high] = Array.isArray(range) ? (range as number[]) : [];
  const isRange = Number.isFinite(low) && Number.isFinite(high) && Number(low) <= Number(high);
  const share = rng.uniform();
  if (kind === 'choice' && Array.isArray(range) && range.length) return range[Math.floor(share * range.length)] as Json;
  if (kind === 'uniform' && isRange) return low! + share * (high! - low!);
  if (kind === 'log' && isRange && low! > 0) return rounded(Math.exp(Math.log(low!) + share * Math.log(high! / low!)));
  if (kind === 'integer' && isRange) return Math.floor(low! + share * (high! - low! + 1));
  throw new ArgumentError(
    `${where}: random.options.${name} must be { log: [a, b] }, { uniform: [a, b] }, { integer: [a, b] } or { choice: [...] } with a <= b, got ${JSON.stringify(from)}.`,
  );
}

/** Three digits are enough, and are easier to read and to write down. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** `sampler.steps` goes into the option `sampler`. */
function withPath(options: JsonObject, path: string, value: Json): JsonObject {
  const [name, ...inner] = path.split('.') as [string, ...string[]];
  if (!inner.length) return { ...options, [name]: value };
  return { ...options, [name]: withPath((options[name] ?? {}) as JsonObject, inner.join('.'), value) };
}

/** Keys in order, so that equal settings have equal digests. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
