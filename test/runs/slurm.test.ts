import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executeRun } from 'diffrl/node';
import { describe, expect, it } from 'vitest';
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
      const sweep = Sweep.read(join(folder, 'on'), content);
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

      const logs = await readdir(join(folder, 'on', 'slurm'));
      expect(logs.filter((name) => name.endsWith('.log')).sort()).toEqual(['1_0.log', '1_1.log']);
      expect(await readFile(join(folder, 'on', 'slurm', '1_0.log'), 'utf8')).toMatch(
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
