/**
 * What DIME's updates are made of, and what a change to that costs or saves.
 *
 *     npx tsx bench/graphs.ts                         operators of both updates, by what wrote them and by type
 *     npx tsx bench/graphs.ts --save before           keeps the graphs, with inputs, in a temporary folder
 *     npx tsx bench/graphs.ts --race before,after     runs kept graphs in turn for a minute: processor time and time of each
 *     npx tsx bench/graphs.ts 223/38/2048 ...         other sizes: observation/action/critic width
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { SHORT_SPINNING } from '../src/compile/engine.js';
import { withLongStacks } from '../src/compile/errors.js';
import type { Node, Value } from '../src/compile/graph.js';
import { encodeModel } from '../src/compile/onnx.js';
import { Recorder } from '../src/compile/recorder.js';
import { createAgent, graphOf, idle, inputsOf, PROGRAM_OF, STEPS, sizeOf } from './dimePrograms.js';
import { machine, time } from './measure.js';

const UPDATES = ['critic update', 'actor update'];
const ROUNDS_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'string' }, race: { type: 'string' }, threads: { type: 'string' } },
});
const sizes = positionals[0] ?? '17/6/256';
const folder = join(tmpdir(), 'diffrl-graphs', sizes.replaceAll('/', '-'));
const fileOf = (name: string, update: string) => join(folder, `${name} ${update}`);

/** What called for each value: the function of this library, or the kernel whose gradient tfjs computes. */
const origins = new WeakMap<Value, string>();

function noteOrigins(): void {
  const record = Recorder.prototype.kernel;
  Recorder.prototype.kernel = function (this: Recorder, ...args) {
    const { nodes } = this.builder.graph;
    const before = nodes.length;
    const result = record.apply(this, args);
    const origin = nodes.length > before ? withLongStacks(caller) : '';
    for (const { outputs } of nodes.slice(before)) for (const value of outputs) origins.set(value, origin);
    return result;
  };
}

function caller(): string {
  const lines = (new Error().stack ?? '').split('\n');
  const gradient = lines.map((line) => line.match(/gradients[\\/](\w+)_grad/)?.[1]).find(Boolean);
  const own = lines.find((line) => /[\\/]src[\\/]/.test(line) && !/[\\/]src[\\/]compile[\\/]|tfjs/.test(line));
  const [, name, file] = own?.match(/at (?:(?:Object|Array)\.)?(\S+) .*[\\/]src[\\/](\S+?):\d+/) ?? [];
  if (gradient && file === 'ops/gradients.ts') return `gradient of ${gradient}`;
  return own ? `${file ?? own.match(/src[\\/](\S+?):\d+/)?.[1]} ${name ?? ''}` : 'elsewhere';
}

function countBy(nodes: readonly Node[], keyOf: (node: Node) => string): [key: string, nodes: Node[]][] {
  const groups = new Map<string, Node[]>();
  for (const node of nodes) groups.set(keyOf(node), [...(groups.get(keyOf(node)) ?? []), node]);
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

function print(update: string, nodes: readonly Node[]): void {
  const types = (some: readonly Node[]) =>
    countBy(some, ({ operator }) => operator).map(([operator, { length }]) => `${operator} ${length}`);
  console.log(`\n${update}: ${nodes.length} operators\n  ${types(nodes).join(', ')}`);
  for (const [origin, some] of countBy(nodes, ({ outputs }) => origins.get(outputs[0]!) ?? 'passes of compile')) {
    console.log(`  ${String(some.length).padStart(5)}  ${origin.padEnd(52)} ${types(some).slice(0, 6).join(', ')}`);
  }
}

/** The updates' graphs, with the numbers of every input. */
function graphs() {
  noteOrigins();
  const agent = createAgent(sizeOf(sizes), STEPS, idle);
  return UPDATES.map((update) => {
    const inputs = inputsOf(sizeOf(sizes), STEPS)[update]!;
    const { traced, outputs, nodes } = graphOf(agent.programs[PROGRAM_OF[update]!]!, inputs);
    const numbers = new Map<Value, ArrayLike<number>>(traced.reads.map((r) => [r.value, r.variable.dataSync()]));
    for (const [i, { data }] of Object.values(inputs).entries()) numbers.set(traced.inputs[i]!, data);
    const used = [...new Set(nodes.flatMap((node) => node.inputs))].filter((value) => value.input !== undefined);
    const named = new Set(outputs.filter((value) => value.node));
    const model = encodeModel({
      name: update,
      nodes,
      inputs: used.map((value) => [value.input!, value]),
      outputs: [...named].map((value) => [`y${value.id}`, value]),
    });
    const feeds = used.map((value) => ({
      name: value.input!,
      type: value.type as 'float32' | 'bool',
      shape: value.shape,
      data: Array.from(numbers.get(value)!),
    }));
    return { update, nodes, model, feeds };
  });
}

async function load(name: string, update: string) {
  const intraOpNumThreads = Number(values.threads ?? 1);
  const session = await InferenceSession.create(readFileSync(`${fileOf(name, update)}.onnx`), {
    intraOpNumThreads,
    logSeverityLevel: 3,
    extra: SHORT_SPINNING,
  });
  const entries = JSON.parse(readFileSync(`${fileOf(name, update)}.json`, 'utf8')) as ReturnType<
    typeof graphs
  >[number]['feeds'];
  const tensors = entries.map(({ name, type, shape, data }) => {
    const numbers = type === 'bool' ? Uint8Array.from(data) : Float32Array.from(data);
    return [name, new Tensor(type, numbers as never, shape)] as const;
  });
  const feeds = Object.fromEntries(tensors);
  for (let i = 0; i < 3; i++) await session.run(feeds);
  return { name, run: () => session.run(feeds), times: [] as number[], cpu: [] as number[] };
}

async function race(names: readonly string[]): Promise<void> {
  console.log(`${machine}, ${values.threads ?? 1} threads; milliseconds: processor time, time (tenth of all, median)`);
  for (const update of UPDATES) {
    const racers = await Promise.all(names.map((name) => load(name, update)));
    for (const end = performance.now() + ROUNDS_MS; performance.now() < end; ) {
      for (const racer of racers.toSorted(() => Math.random() - 0.5)) {
        const before = process.cpuUsage();
        racer.times.push(await time(racer.run));
        const { user, system } = process.cpuUsage(before);
        racer.cpu.push((user + system) / 1000);
      }
    }
    for (const { name, times, cpu } of racers) {
      const at = (list: number[], share: number) => list.toSorted((a, b) => a - b)[Math.floor(share * list.length)]!;
      const columns = [at(cpu, 0.1), at(cpu, 0.5), at(times, 0.1), at(times, 0.5)].map((x) => x.toFixed(2).padStart(9));
      console.log(`${update.padEnd(14)} ${name.padEnd(16)}${columns.join('')}   ${times.length} runs`);
    }
  }
}

await tf.setBackend('cpu');
if (values.race) await race(values.race.split(','));
else {
  for (const { update, nodes, model, feeds } of graphs()) {
    print(update, nodes);
    if (!values.save) continue;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${fileOf(values.save, update)}.onnx`, model);
    writeFileSync(`${fileOf(values.save, update)}.json`, JSON.stringify(feeds));
  }
}
process.exit(0);
