/**
 * SDAC, DPMD and DIME at equal environment steps: returns on the way, last and best return, and speed.
 *
 *     npx tsx bench/halfcheetah.ts [--agents sdac,dpmd,dime] [--steps 50000] [--seeds 0,1] [--env HalfCheetah-v5]
 *                                  [--every 10000] [--episodes 5] [--jobs 1]
 *
 * Every run is a process of its own; `--jobs` of them run at the same time. Returns are means over episodes without exploration.
 */
import { spawn } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Agent } from '../src/agents/agent.js';
import { DimeAgent } from '../src/agents/dime.js';
import { dimePresets } from '../src/agents/dimePresets.js';
import { DpmdAgent } from '../src/agents/dpmd.js';
import { SdacAgent } from '../src/agents/sdac.js';
import { makeMujoco } from '../src/mujoco/index.js';
import { useBestBackend } from '../src/ops/backend.js';
import { mean } from '../src/stats/summary.js';
import { evaluation } from '../src/training/callbacks/evaluation.js';
import { progressBar } from '../src/training/callbacks/progressBar.js';
import { train } from '../src/training/train.js';

type Task = Awaited<ReturnType<typeof makeMujoco>>;

const agents: Record<string, (env: Task, seed: number) => Promise<Agent>> = {
  sdac: (env, seed) => SdacAgent.create({ env, seed }),
  dpmd: (env, seed) => DpmdAgent.create({ env, seed }),
  dime: (env, seed) => DimeAgent.create({ env, seed, ...dimePresets.gym }),
  'dime-256': (env, seed) => DimeAgent.create({ env, seed, ...dimePresets.gym, criticHidden: [256, 256] }),
};

interface Run {
  agent: string;
  seed: number;
  /** Mean return of each evaluation. */
  returns: number[];
  stepsPerSecond: number;
  /** Of the updates alone, milliseconds a step. */
  updateTime: number;
}

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: 'sdac,dpmd,dime' },
    steps: { type: 'string', default: '50000' },
    seeds: { type: 'string', default: '0,1' },
    env: { type: 'string', default: 'HalfCheetah-v5' },
    every: { type: 'string', default: '10000' },
    episodes: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '1' },
    worker: { type: 'boolean', default: false },
  },
});
const [steps, every, episodes] = [values.steps, values.every, values.episodes].map(Number) as [number, number, number];

/** One run, in this process. */
async function runHere(name: string, seed: number): Promise<Run> {
  await useBestBackend(['@tensorflow/tfjs-backend-cpu']);
  const make = () => makeMujoco(values.env as 'HalfCheetah-v5');
  const [env, evaluationEnv] = [await make(), await make()];
  const agent = await agents[name]!(env, seed);
  let updating = 0;
  const update = agent.update.bind(agent);
  agent.update = async () => {
    const start = performance.now();
    const metrics = await update();
    updating += performance.now() - start;
    return metrics;
  };
  const start = performance.now();
  const callbacks = [progressBar(), evaluation({ env: evaluationEnv, every, episodes })];
  const { history } = await train({ agent, env, seed, steps, callbacks });
  return {
    agent: name,
    seed,
    returns: history.evaluations.map((record) => record.mean),
    stepsPerSecond: steps / ((performance.now() - start) / 1000),
    updateTime: updating / (steps - agent.warmupSteps),
  };
}

/** One run in a process of its own; what it shows on the way goes to the error output. */
function runApart(name: string, seed: number): Promise<Run> {
  const flags = ['--worker', '--agents', name, '--seeds', `${seed}`, '--steps', `${steps}`, '--env', values.env];
  const args = [
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    ...flags,
    '--every',
    `${every}`,
    '--episodes',
    `${episodes}`,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    process.stderr.write(`${chunk}`.replace(/^(?=.)/gm, `${name} ${seed}: `));
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => {
      if (code !== 0) return reject(new Error(`${name}, seed ${seed}: the run failed.`));
      resolve(JSON.parse(output.trim().split('\n').at(-1)!) as Run);
    });
  });
}

function report(runs: Run[]): void {
  const checkpoints = Array.from({ length: Math.floor(steps / every) }, (_, i) => `${((i + 1) * every) / 1000}k`);
  console.log(`\n${values.env}, ${steps} steps, one environment; ${availableParallelism()} x ${cpus()[0]?.model}`);
  console.log(`| agent | seed | ${checkpoints.join(' | ')} | best | steps/s | ms of updates a step |`);
  console.log(`|---|---|${checkpoints.map(() => '---|').join('')}---|---|---|`);
  const line = (agent: string, seed: string, returns: number[], best: number, speed: number, time: number) =>
    console.log(
      `| ${agent} | ${seed} | ${returns.map((value) => value.toFixed(0)).join(' | ')} | ${best.toFixed(0)} | ${speed.toFixed(1)} | ${time.toFixed(0)} |`,
    );
  for (const name of new Set(runs.map(({ agent }) => agent))) {
    const own = runs.filter(({ agent }) => agent === name);
    for (const run of own) {
      line(name, `${run.seed}`, run.returns, Math.max(...run.returns), run.stepsPerSecond, run.updateTime);
    }
    const means = checkpoints.map((_, i) => mean(own.map(({ returns }) => returns[i]!)));
    const best = mean(own.map(({ returns }) => Math.max(...returns)));
    const [speed, time] = [mean(own.map((run) => run.stepsPerSecond)), mean(own.map((run) => run.updateTime))];
    line(`**${name}**`, 'mean', means, best, speed, time);
  }
}

const plan = values.agents.split(',').flatMap((name) => {
  if (!agents[name]) throw new Error(`--agents may hold ${Object.keys(agents).join(', ')}, got ${name}.`);
  return values.seeds.split(',').map((seed) => [name, Number(seed)] as const);
});
if (values.worker) {
  const [name, seed] = plan[0]!;
  console.log(JSON.stringify(await runHere(name, seed)));
} else {
  const runs: Run[] = [];
  const queue = [...plan];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) runs.push(await runApart(...next));
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  report(plan.map(([name, seed]) => runs.find((run) => run.agent === name && run.seed === seed)!));
}
process.exit(0);
