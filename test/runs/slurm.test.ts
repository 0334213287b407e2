import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executeRun } from 'diffrl/node';
import { describe, expect, it, vi } from 'vitest';
import { Sweep } from '../../src/runs/sweep/sweep.js';
import { digests } from './digests.js';
import { slurm, startSlurm, until, whyNoSlurm } from './oneNodeSlurm.js';

const reason = whyNoSlurm();
if (reason) console.info(`The test with a real Slurm is skipped: ${reason}.`);

const tiny = `${fileURLToPath(new URL('./tiny.ts', import.meta.url))}#makeTiny`;
const content = {
  agents: [tiny],
  envs: ['Pendulum'],
  envOptions: { maxEpisodeSteps: 20 },
  seeds: '0..1',
  steps: 80_000,
  checkpointEvery: 40_000,
  evaluationEpisodes: 2,
  slurm: { time: '10', memory: '300M', arrayLimit: 1 },
};

describe.skipIf(reason)('a sweep on Slurm', () => {
  it('is queued once; a task that is told its time limit saves, is queued again and ends in the same bytes', {
    retry: 1,
    timeout: 120_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const cluster = await startSlurm(join(folder, 'cluster'));
    try {
      process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL('../../tsconfig.json', import.meta.url)); // for the tasks
      const sweep = Sweep.read(join(folder, 'on "#1" (50%)'), content);
      await sweep.prepare();
      expect(await sweep.submit([])).toEqual({ array: '1', tasks: 2 });
      expect(await sweep.submit([])).toBeUndefined();

      // The first task is at work; the second waits, since the file allows one at a time.
      await until(async () => (await sweep.entries())[0]!.status.state === 'running', 'the first task begins');
      expect((await sweep.entries())[1]!.task).toMatchObject({ state: 'PENDING' });
      slurm('scancel', '-b', '--signal=USR1', '1_0');
      await until(async () => (await sweep.entries())[0]!.status.state === 'interrupted', 'the first task saves');
      await until(() => slurm('squeue', '-h', '-r', '-j', '1', '-o', '%i %r').includes('1_0 BeginTime'), 'requeue');
      expect((await sweep.entries())[0]!.task).toMatchObject({ id: '1_0', state: 'PENDING', reason: 'BeginTime' });
      slurm('scontrol', 'update', 'jobid=1_0', 'StartTime=now');
      await until(async () => (await sweep.entries()).every(({ status }) => status.state === 'finished'), 'the end');

      const logs = await readdir(join(sweep.path, 'slurm'));
      expect(logs.filter((name) => name.endsWith('.log')).sort()).toEqual(['1_0.log', '1_1.log']);
      expect(await readFile(join(sweep.path, 'slurm', '1_0.log'), 'utf8')).toMatch(
        /SIGUSR1: saved at step \d+ of 80000/,
      );
      const alone = Sweep.read(join(folder, 'alone'), content);
      await alone.prepare();
      for (const [i, { folder: run }] of (await alone.entries()).entries()) {
        await executeRun(run);
        const entry = (await sweep.entries())[i]!;
        expect(await digests(entry.folder)).toEqual(await digests(run));
        expect(entry.status.attempts).toBe(i === 0 ? 2 : 1);
      }
    } finally {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a sweep whose Slurm is played', () => {
  /** A sweep that was submitted once, and what to make squeue say. */
  async function submitted(name: string) {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const play = (program: string, script: string) =>
      writeFile(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
    await play('sbatch', 'echo 7');
    const sweep = Sweep.read(join(folder, name), { ...content, steps: 20 });
    await sweep.prepare();
    expect(await sweep.submit([])).toEqual({ array: '7', tasks: 2 });
    const end = () => {
      vi.unstubAllEnvs();
      return rm(folder, { recursive: true });
    };
    return { sweep, squeueFails: (error: string) => play('squeue', `echo '${error}' >&2; exit 1`), end };
  }

  it('is not submitted again because the queue cannot be asked, but once its tasks are gone from it', async () => {
    const { sweep, squeueFails, end } = await submitted('study');
    await squeueFails('slurm_load_jobs error: Unable to contact slurm controller (connect failure)');
    await expect(sweep.submit([])).rejects.toThrow(/squeue .*: slurm_load_jobs error: Unable to contact/);
    await squeueFails('slurm_load_jobs error: Invalid job id specified');
    expect(await sweep.submit([])).toEqual({ array: '7', tasks: 2 });
    await end();
  });

  it('may lie in a folder of any name', async () => {
    const { sweep, end } = await submitted('my "study"\'s #1 (50%)');
    const slurmFolder = join(sweep.path, 'slurm');
    const [script] = (await readdir(slurmFolder)).filter((name) => name.endsWith('.sh'));
    const lines = (await readFile(join(slurmFolder, script!), 'utf8')).split('\n');
    expect(lines).toContain('#SBATCH --job-name="diffrl-my-study-s-1-50-"');
    const logs = join(sweep.path, 'slurm', '%A_%a.log').replace('50%', '50%%').replaceAll('"', '\\"');
    expect(lines).toContain(`#SBATCH --output="${logs}"`);
    await end();
  });
});
