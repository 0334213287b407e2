/** A misspelt option is refused by name wherever options are taken, and the nearest name is offered. */
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  AugmentedMdp,
  animation,
  annealing,
  augmentedDiscounts,
  broCritic,
  categoricalObjective,
  checkEnv,
  checkpoints,
  cosineSchedule,
  crossQCritic,
  csvLog,
  DiffrlError,
  dimeCosineSchedule,
  encodeOnnx,
  evaluate,
  evaluation,
  figure,
  filming,
  filmStrip,
  heatmap,
  histogram,
  jsonLinesLog,
  latentCritic,
  learningCurve,
  line,
  linearDecay,
  linearSchedule,
  loadPolicy,
  MountainCarContinuous,
  MultiGoal,
  NormaliseObservation,
  NormaliseReward,
  Pendulum,
  panels,
  powerStepsSchedule,
  quantileObjective,
  SacAgent,
  scatter,
  squareRootSchedule,
  stepNetwork,
  stopAfter,
  stopWithoutImprovement,
  stratifiedBootstrap,
  Temperature,
  TrainingRun,
  tensorBoardLog,
  train,
  twinCritic,
  variancePreservingSchedule,
} from 'diffrl';
import { compile, traceToOnnx } from 'diffrl/compile';
import { FrameRecorder, film, makeMujoco, renderSvg } from 'diffrl/mujoco';
import { readMujocoModel, WorkerVectorEnv } from 'diffrl/node';
import { acceptEnv, connectEnv, connectVectorEnv, offerEnv, serveEnv } from 'diffrl/remote';
import { expect, it } from 'vitest';

const env = new Pendulum();
const agent = await SacAgent.create({ env, hidden: [2], compile: false });
const picture = figure([line({ x: [0, 1], y: [0, 1] })]);
const points = { x: [0], y: [0] };
const nowhere = 'ws://127.0.0.1:9';

/** Calls that are right but for what they are given more. */
const doors: Record<string, (wrong: never) => unknown> = {
  train: (wrong: object) => train({ agent, env, steps: 0, ...wrong }),
  TrainingRun: (wrong: object) => new TrainingRun({ agent, env, ...wrong }),
  evaluate: (wrong: object) => evaluate({ agent, env, episodes: 1, ...wrong }),
  evaluation: (wrong: object) => evaluation({ env, ...wrong }),
  checkpoints: (wrong: object) => checkpoints({ path: 'x', ...wrong }),
  csvLog: (wrong) => csvLog('x', wrong),
  jsonLinesLog: (wrong) => jsonLinesLog('x', wrong),
  tensorBoardLog: (wrong) => tensorBoardLog('x', wrong),
  learningCurve: (wrong) => learningCurve('x', wrong),
  filming: (wrong: object) => filming('x', { every: 1, film: async () => '', ...wrong }),
  stopWithoutImprovement: (wrong: object) => stopWithoutImprovement({ evaluations: 1, ...wrong }),
  stopAfter: (wrong: object) => stopAfter({ seconds: 1, ...wrong }),
  encodeOnnx: (wrong) => encodeOnnx(agent, wrong),
  loadPolicy: (wrong) => loadPolicy('x', wrong),
  figure: (wrong) => figure([], wrong),
  panels: (wrong) => panels([picture], wrong),
  line: (wrong: object) => line({ ...points, ...wrong }),
  scatter: (wrong: object) => scatter({ ...points, ...wrong }),
  histogram: (wrong: object) => histogram({ values: [0], ...wrong }),
  heatmap: (wrong: object) => heatmap({ values: [0], columns: 1, x: [0, 1], y: [0, 1], ...wrong }),
  animation: (wrong) => animation([picture], wrong),
  filmStrip: (wrong) => filmStrip([picture], wrong),
  stratifiedBootstrap: (wrong) => stratifiedBootstrap([[1, 2]], wrong),
  checkEnv: (wrong) => checkEnv(env, wrong),
  Pendulum: (wrong) => new Pendulum(wrong),
  MountainCarContinuous: (wrong) => new MountainCarContinuous(wrong),
  MultiGoal: (wrong) => new MultiGoal(wrong),
  NormaliseObservation: (wrong) => new NormaliseObservation(env, wrong),
  NormaliseReward: (wrong) => new NormaliseReward(env, wrong),
  Adam: (wrong) => new Adam({ w: tf.variable(tf.scalar(1)) }, wrong),
  Temperature: (wrong) => new Temperature(wrong),
  annealing: (wrong: object) => annealing({ from: 1, to: 0, duration: 1, ...wrong }),
  linearDecay: (wrong: object) => linearDecay({ from: 1, to: 0, over: 1, ...wrong }),
  quantileObjective: (wrong) => quantileObjective(wrong),
  categoricalObjective: (wrong: object) => categoricalObjective({ min: -1, max: 1, ...wrong }),
  AugmentedMdp: (wrong: object) => new AugmentedMdp(env, { diffusionSteps: 2, ...wrong }),
  augmentedDiscounts: (wrong: object) => augmentedDiscounts({ diffusionSteps: 2, gamma: 0.9, ...wrong }),
  cosineSchedule: (wrong: object) => cosineSchedule({ steps: 2, ...wrong }),
  dimeCosineSchedule: (wrong: object) => dimeCosineSchedule({ steps: 2, ...wrong }),
  linearSchedule: (wrong: object) => linearSchedule({ steps: 2, ...wrong }),
  powerStepsSchedule: (wrong: object) => powerStepsSchedule({ steps: 2, ...wrong }),
  squareRootSchedule: (wrong: object) => squareRootSchedule({ steps: 2, ...wrong }),
  variancePreservingSchedule: (wrong: object) => variancePreservingSchedule({ steps: 2, ...wrong }),
  stepNetwork: (wrong) => stepNetwork(wrong),
  twinCritic: (wrong) => twinCritic(wrong),
  broCritic: (wrong) => broCritic(wrong),
  crossQCritic: (wrong) => crossQCritic(wrong),
  latentCritic: (wrong) => latentCritic(wrong),
  compile: (wrong) => compile((x: tf.Tensor) => tf.neg(x), wrong),
  traceToOnnx: (wrong) => traceToOnnx(({ x }) => ({ y: tf.neg(x) }), { x: { shape: [1] } }, wrong),
  makeMujoco: (wrong) => makeMujoco('InvertedPendulum-v5', wrong),
  renderSvg: async (wrong) => renderSvg(await makeMujoco('InvertedPendulum-v5'), wrong),
  FrameRecorder: async (wrong) => new FrameRecorder(await makeMujoco('InvertedPendulum-v5'), wrong),
  film: (wrong: object) => film({ agent, env, ...wrong }),
  readMujocoModel: (wrong) => readMujocoModel('x', wrong),
  'WorkerVectorEnv.create': (wrong: object) =>
    WorkerVectorEnv.create({ environment: { module: 'x', export: 'y' }, numEnvs: 1, ...wrong }),
  connectEnv: (wrong) => connectEnv(nowhere, wrong),
  connectVectorEnv: (wrong) => connectVectorEnv(nowhere, wrong),
  serveEnv: (wrong) => serveEnv(env, wrong),
  offerEnv: (wrong) => offerEnv(env, nowhere, wrong),
  acceptEnv: (wrong) => acceptEnv(wrong),
};

it.each(Object.entries(doors))('%s names an option that it does not have', async (_, call) => {
  const error = await Promise.resolve()
    .then(() => call({ zzz: 1 } as never))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DiffrlError);
  expect((error as Error).message).toMatch(/zzz/);
});

it('the nearest name is offered', async () => {
  await expect(train({ agent, env, steps: 1, callback: [] } as never)).rejects.toThrow(
    /'callback', did you mean 'callbacks'/,
  );
  await expect(evaluate({ agent, env, episode: 1 } as never)).rejects.toThrow(/did you mean 'episodes'/);
});
