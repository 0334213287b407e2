/**
 * Returns of the agents at equal environment steps, over seeds: on the way, at the end, and speed.
 *
 *     npx tsx bench/returns.ts --env InvertedPendulum-v5 --agents dime,sdac,diffsac --steps 5000 --seeds 0,1,2
 *     npx tsx bench/returns.ts --env HalfCheetah-v5 --agents sdac,dpmd,dime --steps 50000 --seeds 0,1 --envs 5
 *
 *     [--every STEPS]     environment steps between evaluations, default a fifth of all
 *     [--episodes 5]      of each evaluation, without exploration
 *     [--envs 1]          environments side by side; agents with replay update once for each step of all of them
 *     [--jobs 1]          runs at the same time, each a process of its own
 *
 * The agents' settings per task are in `bench/settings.ts`.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { evaluation, mean, Pendulum, progressBar, SyncVectorEnv, std, train } from 'diffrl';
import { type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { useBestBackend } from 'diffrl/node';
import { machine } from './measure.js';
import { agentNames, createAgent } from './settings.js';

interface Run {
  agent: string;
  seed: number;
  /** Mean return of each evaluation. */
  returns: number[];
  stepsPerSecond: number;
}

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: 'dime' },
    steps: { type: 'string', default: '3000' },
    seeds: { type: 'string', default: '0,1,2,3,4' },
    env: { type: 'string', default: 'InvertedPendulum-v5' },
    every: { type: 'string' },
    episodes: { type: 'string', default: '5' },
    envs: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    worker: { type: 'boolean', default: false },
  },
});
const [steps, episodes, envs] = [values.steps, values.episodes, values.envs].map(Number) as [number, number, number];
const every = Number(values.every ?? steps / 5);

const makeEnv = async () => (values.env === 'Pendulum' ? new Pendulum() : makeMujoco(values.env as MujocoId));

/** One run, in this process. */
async function runHere(agentName: string, seed: number): Promise<Run> {
  await useBestBackend();
  const env = envs === 1 ? await makeEnv() : await SyncVectorEnv.create(envs, makeEnv);
  const agent = await createAgent(agentName, values.env, { env, seed });
  const start = performance.now();
  const callbacks = [progressBar(), evaluation({ env: await makeEnv(), every, episodes, seed: 1000 })];
  const { history } = await train({ agent, env, seed, steps, callbacks });
  return {
    agent: agentName,
    seed,
    returns: history.evaluations.map((record) => record.mean),
    stepsPerSecond: steps / ((performance.now() - start) / 1000),
  };
}

/** One run in a process of its own; what it shows on the way goes to the error output. */
function runApart(agent: string, seed: number): Promise<Run> {
  const own = Object.entries({ ...values, agents: agent, seeds: `${seed}`, every: `${every}`, worker: undefined });
  const flags = own.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, `${value}`]));
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--worker', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => {
      if (code !== 0) return reject(new Error(`${agent}, seed ${seed}: the run failed.`));
      const run = JSON.parse(output.trim().split('\n').at(-1)!) as Run;
      console.error(`${agent}, seed ${seed}: ${run.returns.map(Math.round).join(' ')}`);
      resolve(run);
    });
  });
}

function report(runs: Run[]): void {
  const heads = Array.from({ length: Math.floor(steps / every) }, (_, i) => `${((i + 1) * every) / 1000}k`);
  console.log(`\n${values.env}, ${steps} steps in ${envs} environments; ${machine}`);
  console.log(`| agent | seed | ${heads.join(' | ')} | steps/s |`);
  console.log(`|---|---|${heads.map(() => '---|').join('')}---|`);
  const row = (...cells: string[]) => console.log(`| ${cells.join(' | ')} |`);
  for (const agent of new Set(runs.map((run) => run.agent))) {
    const own = runs.filter((run) => run.agent === agent);
    for (const { seed, returns, stepsPerSecond } of own) {
      row(agent, `${seed}`, ...returns.map((value) => value.toFixed(0)), stepsPerSecond.toFixed(1));
    }
    const over = heads.map((_, i) => own.map(({ returns }) => returns[i]!));
    const summary = over.map((column) => `${mean(column).toFixed(0)} ± ${std(column).toFixed(0)}`);
    row(`**${agent}**`, 'mean ± std', ...summary, mean(own.map((run) => run.stepsPerSecond)).toFixed(1));
  }
}

const plan = values.agents.split(',').flatMap((agent) => {
  if (!agentNames.includes(agent)) throw new Error(`--agents may hold ${agentNames.join(', ')}; got '${agent}'.`);
  return values.seeds.split(',').map((seed) => [agent, Number(seed)] as const);
});
if (values.worker) {
  const [agent, seed] = plan[0]!;
  console.log(JSON.stringify(await runHere(agent, seed)));
} else {
  const runs: Run[] = [];
  const queue = [...plan];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) runs.push(await runApart(...next));
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  report(plan.map(([agent, seed]) => runs.find((run) => run.agent === agent && run.seed === seed)!));
}
process.exit(0);
