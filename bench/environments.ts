/**
 * Environment steps per second of MuJoCo tasks under random actions, resets included: one environment, eight in one
 * thread, eight in worker threads. Beside it the bare engine, stepped through the very same motion in turns with the
 * environment: how much of the time of `step` is spent outside MuJoCo (copying observations, rewards, checks).
 *
 *     npx tsx bench/environments.ts [--tasks HalfCheetah-v5,dm_control/walker-run] [--seconds 1] [--workers 2]
 *
 * Seconds are those that the processor spends on this process, so that other programs do not disturb; those of the
 * workers are seconds of the clock. `--seconds` is the length of each measurement. Default: all tasks of Gymnasium (v5)
 * and DeepMind Control, one worker for each core.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Rng, SyncVectorEnv, type VectorEnv } from 'diffrl';
import { type MujocoEnv, type MujocoId, makeMujoco, mujocoIds, suiteStepping } from 'diffrl/mujoco';
import { WorkerVectorEnv } from 'diffrl/node';
import { machine } from './measure.js';

/** Environment steps per second of the Python originals on one core of a machine like those that this was written on. */
const PYTHON: Record<string, number> = {
  ...{ 'HalfCheetah-v5': 33_000, 'Hopper-v5': 13_000, 'Walker2d-v5': 12_000, 'Ant-v5': 5_900, 'Humanoid-v5': 5_500 },
  'InvertedPendulum-v5': 51_000,
};
const NUM_ENVS = 8;

const { values } = parseArgs({
  options: {
    tasks: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    workers: { type: 'string', default: `${Math.min(availableParallelism(), NUM_ENVS)}` },
  },
});
const milliseconds = 1000 * Number(values.seconds);
const tasks = values.tasks?.split(',') ?? mujocoIds().filter((id) => !id.endsWith('-v4'));

/** Actions for `count` environments that are drawn before anything is timed. */
function drawActions({ low, high, size }: MujocoEnv['actionSpace'], count: number): Float32Array[] {
  const rng = Rng.fromSeed(1);
  const draw = (i: number) => rng.uniform(low[i % size]!, high[i % size]!);
  return Array.from({ length: 499 }, () => Float32Array.from({ length: count * size }, (_, i) => draw(i)));
}

/** One control step by nothing but calls of the engine. */
function bareStep({ simulation, task }: MujocoEnv, action: Float32Array): void {
  const { engine, model, data, usesEuler } = simulation;
  simulation.ctrl.set(action);
  const isSuite = task.stepping === suiteStepping;
  const starts = isSuite && usesEuler;
  if (starts) engine.mj_step2(model, data);
  for (let i = starts ? 1 : 0; i < task.frameSkip; i++) engine.mj_step(model, data);
  if (isSuite) engine.mj_step1(model, data);
  else engine.mj_rnePostConstraint(model, data);
}

/** Steps per second of `step` and of the bare engine, episode by episode in turns, resets left out of both. */
async function measureShare(id: MujocoId): Promise<{ step: number; bare: number }> {
  const [{ unwrapped: env }, { unwrapped: twin }] = [await makeMujoco(id), await makeMujoco(id)];
  const actions = drawActions(env.actionSpace, 1);
  const actionAt = (t: number) => actions[t % actions.length]!;
  let [steps, stepTime, bareTime] = [0, 0, 0];
  for (let seed = 0; stepTime + bareTime < 2 * milliseconds; seed++) {
    const isWarmUp = seed < 5;
    env.reset({ seed });
    twin.reset({ seed });
    let length = 0;
    const start = processorTime();
    while (length < 200 && !env.step(actionAt(length)).terminated) length++;
    length = Math.min(length + 1, 200);
    const middle = processorTime();
    for (let t = 0; t < length; t++) bareStep(twin, actionAt(t));
    const end = processorTime();
    if (env.simulation.qpos[0] !== twin.simulation.qpos[0]) throw new Error(`${id}: the two motions differ.`);
    if (isWarmUp) continue;
    steps += length;
    stepTime += middle - start;
    bareTime += end - middle;
  }
  env.close();
  twin.close();
  return { step: (1000 * steps) / stepTime, bare: (1000 * steps) / bareTime };
}

/** Milliseconds that the processor has spent on this process. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function measureOne(id: MujocoId): Promise<number> {
  const env = await makeMujoco(id);
  const actions = drawActions(env.actionSpace, 1);
  await env.reset({ seed: 1 });
  const rate = await measure(processorTime, async (t) => {
    const { terminated, truncated } = await env.step(actions[t % actions.length]!);
    if (terminated || truncated) await env.reset();
  });
  env.close();
  return rate;
}

async function measureVector(env: VectorEnv, clock: () => number): Promise<number> {
  const actions = drawActions(env.actionSpace, env.numEnvs);
  await env.reset({ seed: 1 });
  const rate = await measure(clock, async (t) => void (await env.step(actions[t % actions.length]!)));
  await env.close?.();
  return rate * env.numEnvs;
}

/** Calls of `run` per second, after some that warm up. */
async function measure(clock: () => number, run: (t: number) => Promise<void>): Promise<number> {
  for (let t = 0; t < 300; t++) await run(t);
  const start = clock();
  let calls = 0;
  do for (let i = 0; i < 10; i++) await run(calls++);
  while (clock() - start < milliseconds);
  return (1000 * calls) / (clock() - start);
}

const makeWorkers = (id: MujocoId) =>
  WorkerVectorEnv.create({
    environment: { module: new URL('../src/mujoco/index.ts', import.meta.url), export: 'makeMujoco', args: [id] },
    numEnvs: NUM_ENVS,
    workers: Number(values.workers),
    execArgv: ['--import', new URL('../scripts/registerTsx.mjs', import.meta.url).href],
  });

console.log(`${machine}; environment steps per second`);
const columns = ['one', `${NUM_ENVS} in one thread`, `${NUM_ENVS} in ${values.workers} workers`, 'bare engine'];
console.log(`| task | physics steps a step | ${columns.join(' | ')} | outside MuJoCo | Python original |`);
console.log(`|---|${'--:|'.repeat(7)}`);
const show = (rate: number | undefined) => (rate ? Math.round(rate).toLocaleString('en') : '');
for (const id of tasks as MujocoId[]) {
  const { unwrapped } = await makeMujoco(id);
  unwrapped.close();
  const one = await measureOne(id);
  const { step, bare } = await measureShare(id);
  const together = await measureVector(await SyncVectorEnv.create(NUM_ENVS, () => makeMujoco(id)), processorTime);
  const apart = await measureVector(await makeWorkers(id), () => performance.now());
  const rates = [one, together, apart, bare].map(show);
  const share = `${Math.round(100 * (1 - step / bare))} %`;
  console.log(`| ${id} | ${unwrapped.task.frameSkip} | ${rates.join(' | ')} | ${share} | ${show(PYTHON[id])} |`);
}
