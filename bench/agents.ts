/**
 * Every agent side by side: what a gradient step and an action cost beside SAC's, and how the memory of an update grows with
 * the steps K of the chain.
 *
 *     npx tsx bench/agents.ts                        all agents, 5 rounds
 *     npx tsx bench/agents.ts --rounds 9 sac,dime    more rounds of some
 *     npx tsx bench/agents.ts --memory               the memory alone, which is counted and needs no quiet machine
 *
 * Observation 17, action 6 (HalfCheetah), batch 256, hidden layers of 256 units, as many as each agent has by default; all else
 * are defaults, K and the number of particles among them. Compared is processor time on one thread, and every agent's turn comes
 * right after one of SAC's, so that a busy machine matters little: "best" is the ratio of the fastest turns, "median" that of the
 * ratios of all rounds. A step of an agent
 * that updates its policy every n-th time is the mean of n; one of an agent that learns from rollouts counts what the rollout's
 * advantages cost. Acting is for one observation.
 *
 * Memory: the most bytes of intermediate results that are needed at once in the operators of any program of an update, in the
 * order of its graph and without reuse in place, at K = 5 and at K = 20. DACER's estimate of the entropy, now and then, is left
 * out as far as can be: it takes 3 samples of 200.
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { Agent } from '../src/agents/agent.js';
import type { OffPolicyAgent } from '../src/agents/offPolicyAgent.js';
import { type Compiler, selectCompiler } from '../src/agents/program.js';
import { agentClasses } from '../src/agents/registry.js';
import type { Node, Value } from '../src/compile/graph.js';
import { dmerlSampler } from '../src/diffusion/dmerl.js';
import { EulerMaruyamaSampler } from '../src/diffusion/eulerMaruyama.js';
import type { OptionTable } from '../src/options.js';
import { Box } from '../src/spaces/box.js';
import { type AnyProgram, graphOf, type Inputs } from './dimePrograms.js';
import { machine, transitions } from './measure.js';

const ROLLOUT = 1024;
const ENVS = 64;
const ACTS = 50;
const [FEW, MANY] = [5, 20];
const WIDTHS = ['hidden', 'actorHidden', 'policyHidden', 'criticHidden', 'valueHidden'];
const SAME: Record<string, unknown> = {
  ...{ batchSize: 256, bufferCapacity: 1000, nStep: 1, criticWidth: 256, actorWidth: 256 },
  ...{ rolloutSteps: ROLLOUT, minibatchSize: 256, epochs: 1 },
};
const env = { observationSpace: Box.uniform(17, -1, 1), actionSpace: Box.uniform(6, -1, 1) };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, memory: { type: 'boolean', default: false } },
});
const names = positionals[0]?.split(',') ?? Object.keys(agentClasses);

const tableOf = (name: string) => (agentClasses[name] as unknown as { options: OptionTable }).options;

/** Options that make the agent `name` as wide as all others, with K steps if it has them. */
function optionsOf(name: string, steps?: number): object {
  const table = tableOf(name);
  const widths = WIDTHS.filter((option) => table[option]).map((option) => {
    const layers: readonly number[] = table[option]!.read('bench', option, undefined);
    return [option, layers.map(() => 256)];
  });
  const same = Object.entries(SAME).filter(([option]) => table[option]);
  return {
    env,
    compile: { threads: 1 },
    ...Object.fromEntries([...widths, ...same]),
    ...(steps && chainOf(name, steps)),
  };
}

/** K as an option of the agent `name`; none if it has no chain. */
function chainOf(name: string, steps: number): object | undefined {
  const table = tableOf(name);
  if (table.diffusionSteps) return { diffusionSteps: steps };
  if (table.diffusion) return { diffusion: { steps } };
  if (!table.sampler) return undefined;
  return { sampler: name === 'dime' ? new EulerMaruyamaSampler({ steps }) : dmerlSampler({ steps }) };
}

/** Something to time, which says how many gradient steps or decisions it made. */
type Turn = () => Promise<{ microseconds: number; steps: number }>;

/** Processor time that this process, its engine's threads included, takes for `run`. */
async function time(run: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** A turn of learning. */
function learner(agent: Agent): Turn {
  if (!('learn' in agent)) return () => rolloutTurn(agent);
  const replaying = agent as unknown as OffPolicyAgent<never>;
  const { policyDelay: steps = 1 } = replaying.options as { policyDelay?: number };
  replaying.observe(transitions(agent, 1000), null);
  return async () => ({
    steps,
    microseconds: await time(async () => {
      for (let i = 0; i < steps; i++) await replaying.learn();
    }),
  });
}

/** Fills a rollout, and times what is learned from it. */
async function rolloutTurn(agent: Agent) {
  for (let seen = 0; seen < ROLLOUT; seen += ENVS) {
    const data = transitions(agent, ENVS);
    const decision = await agent.act(data.observations);
    agent.observe({ ...data, actions: decision.actions }, decision);
  }
  let steps = 0;
  const microseconds = await time(async () => {
    steps = (await agent.update()).gradientSteps!;
  });
  return { microseconds, steps };
}

function actor(agent: Agent): Turn {
  const observation = new Float32Array(17);
  return async () => ({
    steps: ACTS,
    microseconds: await time(async () => {
      for (let i = 0; i < ACTS; i++) await agent.act(observation);
    }),
  });
}

/** Microseconds a step of turns that come one right after the other, as [SAC's, the agent's]. */
async function inTurn(own: Turn, sac: Turn): Promise<[sac: number, own: number]> {
  const perStep = ({ microseconds, steps }: Awaited<ReturnType<Turn>>) => microseconds / steps;
  return [perStep(await sac()), perStep(await own())];
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** `best (median)` of the ratios. */
function ratios(pairs: readonly [sac: number, own: number][]): string {
  const best = Math.min(...pairs.map(([, own]) => own)) / Math.min(...pairs.map(([sac]) => sac));
  return `${best.toPrecision(2)} (${median(pairs.map(([sac, own]) => own / sac)).toPrecision(2)})`;
}

const bytesOf = (value: Value) => value.shape.reduce((a, b) => a * b, 1) * (value.type === 'bool' ? 1 : 4);

/** The most bytes needed at once to compute `outputs` by `nodes`, one after the other. */
function peakBytes(nodes: readonly Node[], outputs: readonly Value[]): number {
  const lastUse = new Map<Value, number>();
  nodes.forEach(({ inputs }, i) => {
    for (const value of inputs) lastUse.set(value, i);
  });
  for (const value of outputs) lastUse.set(value, nodes.length);
  let [held, most] = [0, 0];
  nodes.forEach((node, i) => {
    for (const value of node.outputs) held += bytesOf(value);
    most = Math.max(most, held);
    const done = new Set(
      [...node.inputs, ...node.outputs].filter((value) => value.node && (lastUse.get(value) ?? i) === i),
    );
    for (const value of done) held -= bytesOf(value);
  });
  return most;
}

/** {@link peakBytes} of the largest program that an update of the agent runs. */
async function memoryOf(name: string, steps: number | undefined): Promise<number> {
  const ran = new Map<AnyProgram, Inputs>();
  const compile = await selectCompiler();
  const watching = ((program: AnyProgram, accept?: never) => {
    const run = compile(program, accept);
    const watched = (inputs: Inputs) => {
      ran.set(program, inputs);
      return run(inputs as never);
    };
    return Object.assign(watched, { dispose: () => run.dispose() });
  }) as unknown as Compiler;
  const Class = agentClasses[name]! as { make?: unknown } & (typeof agentClasses)[string];
  Class.make = async (_: unknown, __: unknown, make: (compiler: Compiler) => Agent) => make(watching);
  const fewSamples = tableOf(name).entropySamples ? { entropySamples: 3 } : {};
  const agent = await Class.create({ ...optionsOf(name, steps), ...fewSamples });
  Class.make = undefined;
  delete Class.make;
  const turn = learner(agent);
  if ('learn' in agent) ran.clear();
  await turn();
  const peaks = [...ran].map(([program, inputs]) => {
    const { nodes, outputs } = graphOf(program, inputs);
    return peakBytes(nodes, outputs);
  });
  agent.dispose();
  return Math.max(...peaks);
}

async function memory(name: string): Promise<string> {
  if (!chainOf(name, FEW)) return `${megabytes(await memoryOf(name, undefined))} | no chain`;
  const [few, many] = [await memoryOf(name, FEW), await memoryOf(name, MANY)];
  return `${megabytes(few)} to ${megabytes(many)} | x ${(many / few).toFixed(2)}`;
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toPrecision(3)} MiB`;

async function measured(name: string, rounds: number) {
  const [own, sac] = [
    await agentClasses[name]!.create(optionsOf(name)),
    await agentClasses.sac!.create(optionsOf('sac')),
  ];
  const turns = { update: [learner(own), learner(sac)], act: [actor(own), actor(sac)] } as const;
  const pairs = { update: [] as [number, number][], act: [] as [number, number][] };
  for (let round = -1; round < rounds; round++) {
    for (const what of ['update', 'act'] as const) {
      const pair = await inTurn(...turns[what]);
      if (round >= 0) pairs[what].push(pair); // The first compiles.
    }
  }
  for (const agent of [own, sac]) agent.dispose();
  return `${ratios(pairs.update)} | ${ratios(pairs.act)}`;
}

await tf.setBackend('cpu');
console.log(`${machine}; processor time beside SAC's: best (median)`);
const times = values.memory ? '' : ' update | act |';
console.log(`| agent |${times} memory, K ${FEW} to ${MANY} | growth |`);
for (const name of names) {
  const columns = [...(values.memory ? [] : [await measured(name, Number(values.rounds))]), await memory(name)];
  console.log(`| ${[name, ...columns].join(' | ')} |`);
}
process.exit(0);
