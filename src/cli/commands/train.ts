import { type Command, Option } from 'commander';
import { type JsonObject, mergeOptions } from '../../agents/optionsJson.js';
import type { RunSettings } from '../../runs/settings.js';
import {
  collectSetting,
  parseCount,
  parseDuration,
  parseNumber,
  parsePositiveCount,
  parseSeeds,
  readObjectFile,
} from '../values.js';

interface Flags {
  agent: string;
  env: string;
  seeds: number[];
  steps?: number;
  preset?: RunSettings['preset'];
  set?: JsonObject;
  options?: string;
  envSet?: JsonObject;
  wrap?: string[];
  envs?: number;
  evaluateEvery?: number;
  episodes?: number;
  checkpointEvery?: number;
  logEvery?: number;
  filmEvery?: number;
  stopAt?: number;
  patience?: number;
  threads?: number;
  timeLimit?: number;
  jobs: number;
  runs: string;
}

/** `diffrl train` */
export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train an agent in an environment; every run gets a folder with all that is needed to repeat it')
    .requiredOption('-a, --agent <name>', "one of 'diffrl agents', or ./file.ts#function of your own")
    .requiredOption(
      '-e, --env <id>',
      "one of 'diffrl envs', ./file.ts#function, python:ID, or tcp:// or ws://HOST:PORT[,...]",
    )
    .option('-n, --steps <count>', 'environment steps of a run (default: 100k)', parseCount)
    .option('-s, --seeds <list>', 'seeds, a run each: 3, or 0..4, or 0,2,5', parseSeeds, [0])
    .option(
      '--set <name=value>',
      "an option of the agent, as in --set criticHidden=[256,256] --set sampler.steps=8 (see 'diffrl agents NAME')",
      collectSetting,
    )
    .option('--options <file>', 'options of the agent in a YAML or JSON file; --set goes over them')
    .addOption(
      new Option(
        '--preset <name>',
        'where the other options come from: small (for a CPU), paper, or none (default: small)',
      ).choices(['small', 'paper', 'none']),
    )
    .option('--env-set <name=value>', 'an option of the environment', collectSetting)
    .option(
      '--wrap <names...>',
      'wrappers, innermost first: normaliseObservation, normaliseReward, clipAction, rescaleAction, frameStack=4, timeLimit=200',
    )
    .option('--envs <count>', "environments side by side (default: the preset's)", parseCount)
    .option('--evaluate-every <steps>', 'between evaluations (default: a twentieth of all steps)', parseCount)
    .option('--episodes <count>', 'of each evaluation (default: 10)', parseCount)
    .option('--checkpoint-every <steps>', 'between checkpoints (default: as evaluations)', parseCount)
    .option('--log-every <steps>', 'between rows of the logs (default: a two-hundredth of all steps)', parseCount)
    .option('--film-every <steps>', 'between films of an episode, for MuJoCo tasks (default: none)', parseCount)
    .option('--stop-at <return>', 'stop once an evaluation reaches it', parseNumber)
    .option('--patience <count>', 'stop after so many evaluations without a better one', parseCount)
    .option('--time-limit <time>', "save and end after 90s, 30m or 2h; 'diffrl resume' goes on", parseDuration)
    .option('--threads <count>', 'threads of the engine in each run; 0: all cores', parseCount)
    .option('-j, --jobs <count>', 'runs at the same time, where there are several seeds', parsePositiveCount, 1)
    .option('--runs <folder>', 'where the folders of runs go', 'runs')
    .addHelpText(
      'after',
      `
Leaves in runs/<env>__<agent>__<seed>__<time>: config.json, progress.csv, evaluations.csv, tensorboard/, curve.svg,
best/ and latest/ (checkpoints). Ctrl-C saves; 'diffrl resume RUN' goes on, bit for bit.`,
    )
    .action(async (flags: Flags) => {
      const { trainRuns } = await import('../train.js');
      const { interruptAfter } = await import('../interruption.js');
      if (flags.timeLimit) interruptAfter(flags.timeLimit);
      await trainRuns(settingsOf(flags), flags.seeds, { runs: flags.runs, jobs: flags.jobs });
    });
}

function settingsOf(flags: Flags): RunSettings {
  const options = mergeOptions(flags.options ? readObjectFile(flags.options) : {}, flags.set ?? {});
  const wrappers = flags.wrap?.map((wrapper) => (wrapper.includes('=') ? collectSetting(wrapper) : wrapper));
  const given: Record<keyof RunSettings, unknown> = {
    agent: flags.agent,
    env: flags.env,
    seed: undefined,
    steps: flags.steps,
    preset: flags.preset,
    options,
    envOptions: flags.envSet,
    wrappers,
    envs: flags.envs,
    evaluationEvery: flags.evaluateEvery,
    evaluationEpisodes: flags.episodes,
    evaluationSeed: undefined,
    checkpointEvery: flags.checkpointEvery,
    logEvery: flags.logEvery,
    filmEvery: flags.filmEvery,
    stopAtReturn: flags.stopAt,
    stopWithoutImprovement: flags.patience,
    threads: flags.threads,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as RunSettings;
}
