import type { Command } from 'commander';
import type { RunningMoments } from '../../ops/runningMoments.js';
import type { LoadedRun } from '../../runs/load.js';
import { parseCount } from '../values.js';
import { checkpointOption } from './evaluate.js';

/** `diffrl export` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description(
      'write the policy in one file: an ONNX model that any ONNX runtime can serve, and what it takes and gives',
    )
    .argument('<run>', 'folder of the run')
    .argument('<file>', 'the model to write, such as policy.onnx')
    .option('--rows <count>', 'observations per call', parseCount, 1)
    .option('--mjcf', "also the task's MuJoCo model")
    .addOption(checkpointOption())
    .action(async (path: string, file: string, flags: ExportFlags) => {
      const { loadRun } = await import('../../runs/load.js');
      const { exportOnnx } = await import('../../agents/exportOnnx.js');
      const { ArgumentError } = await import('../../errors.js');
      const run = await loadRun(path, flags.checkpoint);
      const { agent, environments, step } = run;
      if (!('policyGraph' in agent))
        throw new ArgumentError(`diffrl export: ${agent.name} has no policy graph to export.`);
      await exportOnnx(agent as never, file, {
        rows: flags.rows,
        moments: await momentsOf(run),
        observationNames: await namesOf(run),
        about: { ...aboutOf(run), mjcf: flags.mjcf ? await mjcfOf(run) : undefined },
      });
      await environments.close();
      console.log(`${file}: ${agent.name} as of step ${step}, ${flags.rows} observation(s) a call.`);
    });
}

interface ExportFlags {
  rows: number;
  mjcf?: true;
  checkpoint: 'best' | 'latest';
}

/** The moments that the run's observations are normalised with: they become part of the model, which takes raw observations. */
export async function momentsOf({ environments, config }: Pick<LoadedRun, 'environments' | 'config'>) {
  const { NormaliseObservation } = await import('../../envs/wrappers/normaliseObservation.js');
  const { FrameStack } = await import('../../envs/wrappers/frameStack.js');
  const { Wrapper } = await import('../../envs/wrappers/wrapper.js');
  const { ArgumentError } = await import('../../errors.js');
  let [stack, moments]: [boolean, RunningMoments | undefined] = [false, undefined];
  for (let env: unknown = environments.evaluation; env instanceof Wrapper; env = env.env) {
    stack ||= env instanceof FrameStack;
    if (!(env instanceof NormaliseObservation)) continue;
    if (stack && !moments) {
      throw new ArgumentError(
        `diffrl export: ${config.task.id} was normalised before its frames were stacked, which one model cannot do; train with --wrap frameStack=N normaliseObservation.`,
      );
    }
    if (moments) {
      throw new ArgumentError(
        `diffrl export: ${config.task.id} was normalised twice, which one model cannot do; train with one normaliseObservation.`,
      );
    }
    moments = env.moments;
  }
  return moments;
}

/** What the file tells of the run. */
function aboutOf({ config: { task, settings }, step }: LoadedRun) {
  const { agent, envOptions, wrappers, seed } = settings;
  return { task: task.id, settings: { agent, envOptions, wrappers: wrappers as never, seed, step } };
}

/** `qpos[0]`, `qpos[1]` ... for a MuJoCo task whose observations reach the agent as they are. */
async function namesOf({ environments: { evaluation }, agent }: LoadedRun): Promise<string[] | undefined> {
  const { findMujocoEnv } = await import('../../mujoco/mujocoEnv.js');
  const env = findMujocoEnv(evaluation);
  if (env?.observationSpace.size !== agent.observationSpace.size) return undefined;
  return Object.entries(env.layout).flatMap(([part, { from, to }]) =>
    Array.from({ length: to - from }, (_, i) => `${part}[${i}]`),
  );
}

/** @throws ArgumentError for a task without a MuJoCo model, or with one that is more than a text */
async function mjcfOf({ environments, config }: LoadedRun): Promise<string> {
  const { ArgumentError } = await import('../../errors.js');
  const { findMujocoEnv } = await import('../../mujoco/mujocoEnv.js');
  const model = findMujocoEnv(environments.evaluation)?.task.model;
  if (model === undefined)
    throw new ArgumentError(`diffrl export: ${config.task.id} has no MuJoCo model; leave --mjcf out.`);
  const { xml, assets = {} } = typeof model === 'string' ? { xml: model } : model;
  const files = Object.keys(assets);
  if (!files.length) return xml;
  throw new ArgumentError(
    `diffrl export: the model of ${config.task.id} needs files (${files.slice(0, 3).join(', ')} ...), which a policy file does not hold; leave --mjcf out.`,
  );
}
