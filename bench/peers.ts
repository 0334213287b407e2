/**
 * DIME here and in JAX, in turn: acting, two critic updates, and these with an actor update.
 *
 *     npx tsx bench/peers.ts                       all sizes: observation/action/critic width
 *     npx tsx bench/peers.ts 17/6/256 --rounds 40
 *     npx tsx bench/peers.ts 17/6/256 --check      whether both compute the same, in place of times
 *     npx tsx bench/peers.ts --python .venv/bin/python
 *     npx tsx bench/peers.ts --threads 1           both on so many cores (Linux), in place of all
 *
 * Needs a Python with `pip install jax optax`. JAX runs `bench/peers/dime.py` in a process of its own, which waits while this one
 * works. Both are given noise.
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { numbers, selectCompiler } from '../src/agents/program.js';
import { productWork } from '../src/compile/work.js';
import { Rng } from '../src/rng/rng.js';
import type { StateArray, StateDict } from '../src/state.js';
import {
  BATCH,
  createAgent,
  graphOf,
  type Inputs,
  inputsOf,
  type MeasuredAgent,
  PROGRAM_OF,
  STEPS,
  sizeOf,
} from './dimePrograms.js';
import { machine, time } from './measure.js';
import { peakMeter } from './peak.js';

const SIZES = ['17/6/256', '376/17/256', '223/38/2048'];
const PEER = fileURLToPath(new URL('peers/dime.py', import.meta.url));
/** Milliseconds of one burst of calls. */
const BURST = 400;
/** For threads that wait for work to go to sleep. */
const PAUSE = 30;
/** Rounds of updates that are compared, and how far losses (relative) and the movement of parameters (in norm) may differ. */
const [CHECKED, LOSS_TOLERANCE, MOVE_TOLERANCE] = [3, 1e-4, 1e-2];

const TASKS = { act: 'act, 1 observation', critic: 'two critic updates', both: 'and an actor update' } as const;
type Task = keyof typeof TASKS;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '20' },
    check: { type: 'boolean', default: false },
    threads: { type: 'string', default: '0' },
  },
});

const threads = Number(values.threads);

/** Times of calls, and processor time of all of them. */
interface Burst {
  readonly times: number[];
  readonly processor: number;
}

/** The other implementation, as a process that answers a line with a line. */
class Peer {
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcess) {
    this.lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(name: string): Promise<{ peer: Peer; jax: string }> {
    const { observation, action, width } = sizeOf(name);
    const sizes = [observation, action, width, STEPS, BATCH].map(String);
    const command = [...(threads ? ['taskset', '-c', `0-${threads - 1}`] : []), values.python, PEER, ...sizes];
    const peer = new Peer(spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] }));
    return { peer, ...((await peer.answer()) as { jax: string }) };
  }

  async ask<T>(request: object): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    return (await this.answer()) as T;
  }

  async stop(): Promise<void> {
    this.child.stdin!.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  private async answer(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${values.python} ${PEER} has ended; does it have jax and optax?`);
    return JSON.parse(value);
  }
}

async function createOwn(name: string): Promise<MeasuredAgent> {
  return createAgent(sizeOf(name), STEPS, await selectCompiler(threads ? { threads } : true));
}

function tasksOf(agent: MeasuredAgent, inputs: Record<string, Inputs>): Record<Task, () => Promise<void>> {
  const run = async (what: string) => void (await agent.runs[PROGRAM_OF[what]!]!(inputs[what]!));
  const critic = async () => {
    await run('critic update');
    await run('critic update');
  };
  return {
    act: () => run('act, 1 observation'),
    critic,
    both: async () => {
      await critic();
      await run('actor update');
    },
  };
}

async function burst(run: () => Promise<void>, calls: number): Promise<Burst> {
  const before = process.cpuUsage();
  const times: number[] = [];
  for (let i = 0; i < calls; i++) times.push(await time(run));
  const { user, system } = process.cpuUsage(before);
  return { times, processor: (user + system) / 1000 };
}

const pause = () => new Promise((resolve) => void setTimeout(resolve, PAUSE));

/** FLOP in the products of a task of ours. */
function workOf(agent: MeasuredAgent, inputs: Record<string, Inputs>): Record<Task, number> {
  const [act, critic, actor] = ['act, 1 observation', 'critic update', 'actor update'].map((what) =>
    productWork(graphOf(agent.programs[PROGRAM_OF[what]!]!, inputs[what]!).nodes),
  ) as [number, number, number];
  return { act, critic: 2 * critic, both: 2 * critic + actor };
}

async function compareSpeed(name: string): Promise<void> {
  const { peer, jax } = await Peer.start(name);
  const agent = await createOwn(name);
  const inputs = inputsOf(sizeOf(name), STEPS);
  const tasks = tasksOf(agent, inputs);
  const meter = peakMeter(threads);
  const bursts = { act: sides(), critic: sides(), both: sides() };
  for (const task of Object.keys(TASKS) as Task[]) {
    await tasks[task]();
    await peer.ask({ run: task, calls: 1 });
  }
  const load = loadavg()[0]!;
  let speed = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    speed = await meter.measure(0);
    for (const task of Object.keys(TASKS) as Task[]) {
      const calls = Math.max(1, Math.round(BURST / (await time(tasks[task]))));
      const own = async () => void bursts[task].own.push(await burst(tasks[task], calls));
      const other = async () => void bursts[task].jax.push(await peer.ask<Burst>({ run: task, calls }));
      for (const turn of round % 2 ? [own, other] : [other, own]) {
        await pause();
        await turn();
      }
    }
  }
  console.log(`
${name}, K = ${STEPS}, batch ${BATCH}; JAX ${jax}; ${threads || 'all'} threads, ${values.rounds} rounds, load ${load.toFixed(1)} to ${loadavg()[0]!.toFixed(1)}, peak ${speed.toFixed(0)} GFLOP/s
milliseconds: best, median, processor time           here                      JAX          JAX over here (same)     of peak: here, JAX`);
  const work = workOf(agent, inputs);
  for (const task of Object.keys(TASKS) as Task[]) printRow(task, bursts[task], work[task] / speed / 1e6);
  agent.dispose();
  await meter.dispose();
  await peer.stop();
}

function sides(): Record<'own' | 'jax', Burst[]> {
  return { own: [], jax: [] };
}

/** Best, median and processor time of a call. */
function summary(bursts: readonly Burst[]): number[] {
  const times = bursts.flatMap(({ times }) => times).sort((a, b) => a - b);
  const processor = bursts.map((one) => one.processor / one.times.length).sort((a, b) => a - b);
  return [times[0]!, times[Math.floor(times.length / 2)]!, processor[Math.floor(processor.length / 2)]!];
}

function printRow(task: Task, { own, jax }: Record<'own' | 'jax', Burst[]>, ideal: number): void {
  const [here, there] = [summary(own), summary(jax)];
  const numbersOf = (row: readonly number[]) => row.map((x) => x.toPrecision(3).padStart(8)).join('');
  const ratios = here.map((x, i) => (there[i]! / x).toFixed(2).padStart(7)).join('');
  const shares = [here, there].map(([best]) => `${((100 * ideal) / best!).toFixed(0)} %`.padStart(7)).join('');
  console.log(`${TASKS[task].padEnd(34)}${numbersOf(here)}  ${numbersOf(there)}  ${ratios}  ${shares}`);
}

/** The agent's state with numbers in place of zeros and ones, so that every term counts. */
function disturbed(state: StateDict, calls: number): StateDict {
  const rng = Rng.fromSeed(1);
  const change = (name: string, { data, shape }: StateArray): StateArray => {
    if (!(data instanceof Float32Array) || !/^(actor|critic)\//.test(name)) return { data, shape };
    if (name.endsWith('steps')) return { data: Float32Array.of(calls), shape };
    const scale = /kernel\d$/.test(name) && !name.endsWith('trunk/kernel3') ? 0 : 0.1;
    const noise = rng.normals(data.length);
    return {
      data: data.map((x, i) => x + scale * (name.endsWith('variance') ? Math.abs(noise[i]!) : noise[i]!)),
      shape,
    };
  };
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, change(name, value as StateArray)]));
}

function encoded(arrays: Readonly<Record<string, StateArray>>) {
  const encode = ({ data, shape }: StateArray) => ({
    type: data instanceof Float32Array ? 'float32' : 'bool',
    shape,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  });
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, encode(array)]));
}

function decoded(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The norm of the difference over that of `a`. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += a[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** Metrics by update, actions at the start, how far parameters move. */
interface Course {
  readonly actions: Float32Array;
  readonly metrics: Record<string, number>[];
  readonly moved: Record<string, Float32Array>;
}

async function ownCourse(agent: MeasuredAgent, inputs: Record<'critic' | 'actor', Inputs>): Promise<Course> {
  const before = (await agent.state()) as Record<string, StateArray>;
  const [act, , critic, actor] = agent.runs;
  const { actions } = await act!(inputs.actor);
  const metrics: Record<string, number>[] = [];
  for (let i = 0; i < CHECKED; i++) {
    for (const run of [critic!, critic!]) metrics.push(numbers(await run(inputs.critic)));
    metrics.push(numbers(await actor!(inputs.actor)));
  }
  const after = (await agent.state()) as Record<string, StateArray>;
  const trained = Object.keys(after).filter(
    (name) => /^(actor|critic)\//.test(name) && !/(mean|variance|steps)$/.test(name),
  );
  const movement = (name: string) => (after[name]!.data as Float32Array).map((x, i) => x - before[name]!.data[i]!);
  return { actions: actions!, metrics, moved: Object.fromEntries(trained.map((name) => [name, movement(name)])) };
}

async function peerCourse(name: string, state: StateDict, inputs: Record<'critic' | 'actor', Inputs>): Promise<Course> {
  const folder = mkdtempSync(join(tmpdir(), 'diffrl-peers-'));
  const file = join(folder, 'state.json');
  const ownArrays = Object.entries(state).filter(([key]) => /^(actor|critic|temperature)\//.test(key));
  const content = {
    state: encoded(Object.fromEntries(ownArrays) as Record<string, StateArray>),
    inputs: { critic: encoded(inputs.critic), actor: encoded(inputs.actor) },
  };
  writeFileSync(file, JSON.stringify(content));
  const { peer } = await Peer.start(name);
  type Answer = { actions: string; metrics: Record<string, number>[]; moved: Record<string, string> };
  const { actions, metrics, moved } = await peer.ask<Answer>({ check: file, rounds: CHECKED });
  await peer.stop();
  rmSync(folder, { recursive: true });
  const entries = Object.entries(moved).map(([key, text]) => [key, decoded(text)]);
  return { actions: decoded(actions), metrics, moved: Object.fromEntries(entries) };
}

/** Compares both, with batch renormalisation that does not correct yet, and that does. */
async function check(name: string, calls: number): Promise<void> {
  const agent = await createOwn(name);
  const state = disturbed(await agent.state(), calls);
  await agent.loadState(state);
  const all = inputsOf(sizeOf(name), STEPS);
  const critic = all['critic update']!;
  const inputs = { critic, actor: { observations: critic.observations!, noise: all['actor update']!.noise! } };
  const [own, other] = [await ownCourse(agent, inputs), await peerCourse(name, state, inputs)];
  agent.dispose();
  const differences = own.metrics.flatMap((metrics, i) =>
    Object.entries(metrics)
      .filter(([metric]) => metric !== 'gradients')
      .map(([metric, x]) => {
        const y = other.metrics[i]![metric] ?? Number.NaN;
        return { what: `update ${i + 1}: ${metric}`, x, y, by: Math.abs(x - y) / Math.max(1, Math.abs(x)) };
      }),
  );
  const moves = Object.entries(own.moved).map(([key, x]) => ({ what: key, by: distance(x, other.moved[key] ?? []) }));
  console.log(`\n${name}, ${calls} training calls before: losses and other metrics here and in JAX`);
  for (const { what, x, y, by } of differences)
    console.log(
      `  ${what.padEnd(28)}${x.toPrecision(7).padStart(14)}${y.toPrecision(7).padStart(14)}${by.toExponential(1).padStart(10)}`,
    );
  const worst = moves.reduce((a, b) => (a.by >= b.by ? a : b));
  const actions = distance(own.actions, other.actions);
  console.log(
    `  actions differ by ${actions.toExponential(1)}, movements at most by ${worst.by.toExponential(1)} (${worst.what})`,
  );
  const isEqual =
    differences.every(({ by }) => by < LOSS_TOLERANCE) && actions < LOSS_TOLERANCE && worst.by < MOVE_TOLERANCE;
  if (!isEqual) process.exitCode = 1;
  console.log(isEqual ? '  the same' : '  NOT the same');
}

await tf.setBackend('cpu');
console.log(machine);
for (const name of positionals.length > 0 ? positionals : SIZES) {
  if (!values.check) await compareSpeed(name);
  else for (const calls of [0, 200_000]) await check(name, calls);
}
process.exit();
