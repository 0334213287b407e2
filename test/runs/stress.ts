import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Rng } from 'diffrl';
import { executeRun } from 'diffrl/node';
import { Sweep } from '../../src/runs/sweep/sweep.js';
import { digests } from './digests.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts the program `diffrl` from its source. @param channels such as `'ipc'`, to send it messages */
export function diffrl(args: readonly string[], cwd: string, ...channels: 'ipc'[]): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const env = {
    ...process.env,
    TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
    VITEST: undefined,
    NODE_OPTIONS: undefined,
  };
  const flags = ['--import', tsx, join(root, 'src/cli/main.ts')];
  return spawn(process.execPath, [...flags, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', ...channels] });
}

/** What it printed and how it ended. */
export async function output(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text };
}

export interface StressReport {
  interruptions: Record<string, number>;
  /** Runs whose files differ from those of the undisturbed sweep, and which. */
  differing: string[];
  runs: number;
  /** Starts of processes for runs. */
  attempts: number;
}

/**
 * A sweep that is left alone (in this process) against the same one of which random processes are interrupted at random
 * times, the sweep's own among them.
 *
 * @param interruptions how many signals are sent, as long as something runs
 */
export async function stress(
  folder: string,
  content: object,
  { interruptions, pause, seed }: { interruptions: number; pause: [number, number]; seed: number },
): Promise<StressReport> {
  const file = join(folder, 'sweep.json');
  await writeFile(file, JSON.stringify(content));
  const alone = Sweep.read(join(folder, 'alone'), content as never);
  await alone.prepare();
  for (const entry of await alone.entries()) await executeRun(entry.folder);

  const disturbed = Sweep.read(join(folder, 'disturbed'), content as never);
  const rng = Rng.fromSeed(seed);
  const sent: Record<string, number> = {};
  const start = () => {
    const child = diffrl(['sweep', file, '--out', disturbed.path], folder);
    child.stdout?.resume();
    child.stderr?.resume();
    return { child, ended: new Promise((resolve) => child.on('close', resolve)) };
  };
  let sweep = start();
  for (let count = 0; count < interruptions; ) {
    await Promise.race([sleep(rng.uniform(...pause)), sweep.ended]);
    const entries = await disturbed.entries();
    if (entries.every(({ status }) => status.state === 'finished')) break;
    if (sweep.child.exitCode !== null || sweep.child.signalCode !== null) sweep = start();
    const running = (await Promise.all(entries.map(({ folder: run }) => workerOf(run.path)))).filter(
      Boolean,
    ) as number[];
    const signal = ['SIGKILL', 'SIGUSR1', 'SIGTERM'][rng.integer(3)] as NodeJS.Signals;
    const hitsSweep = rng.integer(10) === 0;
    const pid = hitsSweep ? sweep.child.pid : running[rng.integer(Math.max(running.length, 1))];
    if (pid === undefined || !kill(pid, signal)) continue;
    const name = hitsSweep ? `${signal} to the sweep` : signal;
    sent[name] = (sent[name] ?? 0) + 1;
    count++;
  }
  await sweep.ended;
  await output(diffrl(['sweep', file, '--out', disturbed.path], folder));

  const entries = await disturbed.entries();
  const differing: string[] = [];
  for (const { run, folder: own, status } of entries) {
    const [got, expected] = await Promise.all([digests(own).catch(() => ({})), digests(alone.folderOf(run))]);
    const files = [...new Set([...Object.keys(got), ...Object.keys(expected)])].filter(
      (name) => (got as Record<string, string>)[name] !== expected[name],
    );
    if (files.length)
      differing.push(`${run.name} (${status.state} at ${status.step}): ${files.join(', ')}; ${status.error ?? ''}`);
  }
  const attempts = entries.reduce((sum, { status }) => sum + status.attempts, 0);
  return { interruptions: sent, differing, runs: entries.length, attempts };
}

async function workerOf(run: string): Promise<number | undefined> {
  const text = await readFile(join(run, '.working'), 'utf8').catch(() => '');
  return Number(text.split(' ')[0]) || undefined;
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
