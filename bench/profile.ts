/**
 * Where the time of an update goes, operator by operator: DIME's critic and actor updates under ONNX Runtime's profiler.
 *
 *     npx tsx bench/profile.ts                         17/6/256, on the processor
 *     npx tsx bench/profile.ts 223/38/2048             observation/action/critic width
 *     npx tsx bench/profile.ts 17/6/256 --device gpu
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DimeAgent } from '../src/agents/dime/dimeAgent.js';
import type { Device } from '../src/compile/index.js';
import { EulerMaruyamaSampler } from '../src/diffusion/eulerMaruyama.js';
import { Box } from '../src/spaces/box.js';
import { machine, time, transitions } from './measure.js';

const RUNS = 10;
const BATCH = 256;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { device: { type: 'string' } } });
const [observation, action, width] = (positionals[0] ?? '17/6/256').split('/').map(Number) as [number, number, number];
const device = (values.device ?? 'cpu') as Device;
const env = { observationSpace: Box.uniform(observation, -1, 1), actionSpace: Box.uniform(action, -1, 1) };
const drawn = transitions(env, BATCH);
const batch = { ...drawn, terminated: new Float32Array(BATCH), truncated: new Float32Array(BATCH) };

/** One entry of the profiler's file. */
interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Milliseconds per update by operator, with the number of operators, the slowest first. */
function byOperator(events: readonly Event[]): [operator: string, milliseconds: number, count: number][] {
  const sums = new Map<string, { time: number; count: number }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const { time, count } = sums.get(args!.op_name!) ?? { time: 0, count: 0 };
    sums.set(args!.op_name!, { time: time + dur, count: count + 1 });
  }
  const calls = RUNS + 1;
  return [...sums]
    .map(([name, sum]) => [name, sum.time / calls / 1000, sum.count / calls] as const)
    .map(([...row]) => row)
    .sort((a, b) => b[1] - a[1]);
}

async function profile(what: string, policyDelay: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'diffrl-profile-'));
  const sessionOptions = { enableProfiling: true, profileFilePrefix: join(folder, 'run') };
  const agent = await DimeAgent.create({
    ...{ env, policyDelay, criticHidden: [width, width], bufferCapacity: BATCH },
    ...{ sampler: new EulerMaruyamaSampler({ steps: 16 }), compile: { device, sessionOptions } },
  });
  await agent.learn(batch);
  let total = 0;
  for (let i = 0; i < RUNS; i++) total += await time(() => agent.learn(batch));
  agent.dispose();
  await new Promise((resolve) => void setTimeout(resolve, 500)); // The files are written when the sessions are gone.
  const files = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Event[]);
  rmSync(folder, { recursive: true });
  const rows = byOperator(files.flat());
  const inside = rows.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  console.log(
    `\n${what}: ${(total / RUNS).toFixed(1)} ms, ${inside.toFixed(1)} ms of it in operators (profiled, so slower)`,
  );
  for (const [name, milliseconds, count] of rows.slice(0, 12)) {
    const share = `${((100 * milliseconds) / inside).toFixed(0)} %`;
    console.log(
      `  ${name.padEnd(20)}${share.padStart(6)}${milliseconds.toFixed(2).padStart(9)} ms${count.toFixed(0).padStart(7)}`,
    );
  }
}

console.log(
  `${machine}, ${device}; ${observation}/${action}/${width}, K = 16, batch ${BATCH}; share, time and operators per update`,
);
await profile('critic update', 1e6);
await profile('critic and actor update', 1);
process.exit(0);
