/**
 * What it costs that an environment is elsewhere, in four tables:
 *
 * - a round trip over each kind of connection, for an environment that does nothing (6 numbers out, 20 back);
 * - steps per second of a task in Python itself, through `python:` and in this process: HalfCheetah-v5 where Gymnasium and
 *   MuJoCo can be imported, Pendulum (test/remote/environments.py) otherwise;
 * - what a link of a given latency and bandwidth allows, calculated;
 * - the same with delays that are added on this machine, measured.
 *
 *     npx tsx bench/remote.ts [--seconds 1]
 *
 * Everything is measured in turns, the fastest of several, since other programs disturb.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Env, Pendulum, SyncVectorEnv, type VectorEnv } from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';
import { connectVectorEnv } from 'diffrl/remote';
import { machine } from './measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' } } });
const milliseconds = 1000 * Number(values.seconds);
const TURNS = 5;
const python = process.env.DIFFRL_PYTHON ?? 'python3';
const file = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const environments = file('test/remote/environments.py');
const cleanups: (() => void)[] = [];

/** A Python server as a process of its own; its port. */
async function startPython(name: string, num: number): Promise<number> {
  const args = [file('python/diffrl_env.py'), '--env', `${environments}:${name}`, '--port', '0', '--num', `${num}`];
  return portOf(spawn(python, args, { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** A server of Node as a process of its own; its port. */
async function startNode(num: number): Promise<number> {
  const code = `import('${file('src/remote/index.ts')}').then(async ({ serveEnv }) => {
    const { Box } = await import('${file('src/index.ts')}');
    const observation = new Float32Array(20);
    const result = { observation, reward: 0, terminated: false, truncated: false, info: {} };
    const make = () => ({ observationSpace: Box.uniform(20), actionSpace: Box.uniform(6, -1, 1), reset: () => result, step: () => result });
    console.log((await serveEnv(make, { port: 0, numEnvs: ${num} })).address);
  })`;
  const tsx = new URL('../scripts/registerTsx.mjs', import.meta.url).href;
  return portOf(spawn(process.execPath, ['--import', tsx, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function portOf(child: ReturnType<typeof spawn>): Promise<number> {
  cleanups.push(() => child.kill());
  const [line] = await once(child.stdout!.setEncoding('utf8'), 'data');
  return Number(/:(\d+)\s*$/.exec(line)![1]);
}

/** A door to `port` on this machine that lets everything through after `delay` milliseconds, each way; its port. */
async function delayed(port: number, delay: number): Promise<number> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes) => setTimeout(() => to.write(bytes), delay));
      from.on('close', () => to.destroy()).on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return (server.address() as { port: number }).port;
}

const opened: VectorEnv[] = [];
async function open(address: string, numEnvs: number): Promise<VectorEnv> {
  const env = await connectVectorEnv(address, { numEnvs, processes: 1 });
  opened.push(env);
  await env.reset({ seed: 1 });
  return env;
}

/** Calls of `step` per second of each, in turns. */
async function rates(envs: readonly VectorEnv[]): Promise<number[]> {
  const best = envs.map(() => 0);
  const run = async (env: VectorEnv, time: number) => {
    const actions = new Float32Array(env.numEnvs * env.actionSpace.size).fill(0.1);
    const start = performance.now();
    let calls = 0;
    do for (let i = 0; i < 5; i++, calls++) await env.step(actions);
    while (performance.now() - start < time);
    return (1000 * calls) / (performance.now() - start);
  };
  for (const env of envs) await run(env, milliseconds / TURNS);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, env] of envs.entries()) best[i] = Math.max(best[i]!, await run(env, milliseconds / TURNS));
  }
  return best;
}

const table = (title: string, columns: string[], rows: (string | number)[][]) => {
  const text = (cell: string | number) => (typeof cell === 'number' ? Math.round(cell).toLocaleString('en') : cell);
  console.log(`\n${title}\n\n| ${columns.join(' | ')} |\n|---|${'--:|'.repeat(columns.length - 1)}`);
  for (const row of rows) console.log(`| ${row.map(text).join(' | ')} |`);
};

async function roundTrips(): Promise<void> {
  const rows: (string | number)[][] = [];
  const counts = [1, 8, 64];
  const measured: number[][] = [];
  let names: string[] = [];
  for (const count of counts) {
    const [own, node] = [await startPython('Nothing', count), await startNode(count)];
    const places: [string, string][] = [
      ['Python, child process (pipe)', `python:${environments}:Nothing`],
      ['Python, plain socket', `tcp://127.0.0.1:${own}`],
      ['Python, WebSocket', `ws://127.0.0.1:${own}`],
      ['Node, plain socket', `tcp://127.0.0.1:${node}`],
      ['Node, WebSocket', `ws://127.0.0.1:${node}`],
    ];
    names = places.map(([name]) => name);
    const envs = [];
    for (const [, address] of places) envs.push(await open(address, count));
    measured.push((await rates(envs)).map((rate) => 1e6 / rate));
  }
  names.forEach((name, i) => rows.push([name, ...measured.map((column) => column[i]!)]));
  table('Microseconds of one step of N environments that do nothing', ['', ...counts.map((n) => `N = ${n}`)], rows);
}

/** Steps per second of a loop in Python itself. */
function inPython(code: string): number {
  return Number(execFileSync(python, ['-c', code], { encoding: 'utf8' }));
}

const loop = `
import time
def rate(env, action, seconds=${milliseconds / 1000}):
    env.reset(seed=1)
    best = 0
    for _ in range(${TURNS}):
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < seconds / ${TURNS}:
            for _ in range(5):
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated: env.reset()
            steps += 5
        best = max(best, steps / (time.perf_counter() - start))
    return best
`;

async function tasks(): Promise<void> {
  const hasGymnasium = canImport('gymnasium, mujoco');
  const id = hasGymnasium ? 'HalfCheetah-v5' : 'Pendulum-v1';
  if (!hasGymnasium)
    console.log(`\nGymnasium with MuJoCo cannot be imported by ${python}: Pendulum instead of HalfCheetah.`);
  const make: () => Env | Promise<Env> = hasGymnasium ? () => makeMujoco('HalfCheetah-v5') : () => new Pendulum();
  const bare = hasGymnasium
    ? `${loop}\nimport gymnasium, numpy\nprint(rate(gymnasium.make("${id}"), numpy.zeros(6, "float32")))`
    : `${loop}\nimport sys\nsys.path.insert(0, "${file('test/remote')}")\nimport environments\nprint(rate(environments.Pendulum(), [0.1]))`;
  const address = hasGymnasium ? `python:${id}` : `python:${environments}:Pendulum`;
  const [local, remote, eight] = [await SyncVectorEnv.create(1, make), await open(address, 1), await open(address, 8)];
  await local.reset({ seed: 1 });
  const here = inPython(bare);
  const [ours, theirs, together] = await rates([local, remote, eight]);
  table(
    `${id}: environment steps per second`,
    ['', 'steps/s', 'of Python itself'],
    [
      ['in Python itself', here, '1'],
      ['through python:, one environment', theirs!, (theirs! / here).toFixed(2)],
      ['through python:, 8 in one process', 8 * together!, ((8 * together!) / here).toFixed(2)],
      ['in this process (TypeScript, WASM)', ours!, (ours! / here).toFixed(2)],
    ],
  );
}

function canImport(modules: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Bytes of a step of N environments and of its answer; see docs/remote.md. */
const bytesOf = (count: number, observation: number, action: number) =>
  8 + 4 * count * action + 8 + count * (1 + 8 + 4 * observation);

async function links(): Promise<void> {
  const counts = [1, 8, 64];
  const [observation, action] = [348, 17]; // Humanoid-v5
  const rows = [];
  for (const [latency, bandwidth, name] of [
    [0.1, 1e9, 'one rack, 0.1 ms, 1 Gbit/s'],
    [1, 1e9, 'one building, 1 ms, 1 Gbit/s'],
    [5, 1e8, 'one city, 5 ms, 100 Mbit/s'],
    [40, 1e8, 'one continent, 40 ms, 100 Mbit/s'],
  ] as const) {
    const rate = (n: number) => (1000 * n) / (latency + (8000 * bytesOf(n, observation, action)) / bandwidth);
    rows.push([name, ...counts.map(rate)]);
  }
  table(
    'Environment steps per second that a link (round trip, bandwidth) allows at most, Humanoid-v5: N / (latency + bytes / bandwidth)',
    ['', ...counts.map((n) => `N = ${n}`)],
    rows,
  );
}

async function delays(): Promise<void> {
  const counts = [1, 8, 64];
  const rows: (string | number)[][] = [];
  const ports = await Promise.all(counts.map((count) => startPython('Nothing', count)));
  const bare: number[] = [];
  for (const [i, port] of ports.entries())
    bare.push((await rates([await open(`tcp://127.0.0.1:${port}`, counts[i]!)]))[0]!);
  for (const delay of [1, 5, 20]) {
    const cells: string[] = [];
    for (const [i, port] of ports.entries()) {
      const env = await open(`tcp://127.0.0.1:${await delayed(port, delay)}`, counts[i]!);
      const [calls] = await rates([env]);
      const calculated = 1000 / (2 * delay + 1000 / bare[i]!);
      cells.push(`${Math.round(counts[i]! * calls!)} of ${Math.round(counts[i]! * calculated)}`);
    }
    rows.push([`${2 * delay} ms`, ...cells]);
  }
  table(
    'Environment steps per second with a round trip that is longer by so much, measured of calculated: N / (delay + round trip without it)',
    ['', ...counts.map((n) => `N = ${n}`)],
    rows,
  );
}

console.log(machine);
try {
  await roundTrips();
  await tasks();
  await links();
  await delays();
} finally {
  for (const env of opened) await env.close?.();
  for (const cleanup of cleanups) cleanup();
}
