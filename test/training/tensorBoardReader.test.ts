/** TensorBoard's own reader on what tensorBoardLog writes; skipped where Python cannot import it. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpoints, csvLog, Pendulum, SacAgent, tensorBoardLog, train } from 'diffrl';
import { expect, it } from 'vitest';
import { canImport, python } from '../remote/servers.js';

const canRun = canImport('tensorboard');

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

it.skipIf(!canRun)('a run and its continuation are read as one, without steps that were taken back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
  const log = join(folder, 'log.csv');
  const run = async (steps: number, resume?: string) => {
    const env = new Pendulum();
    const agent = await SacAgent.create({ env, batchSize: 8, hidden: [8], warmupSteps: 20, compile: false });
    const logs = [tensorBoardLog(join(folder, 'events'), { every: 50 }), csvLog(log, { every: 50 })];
    const saved = resume ? [] : [checkpoints({ path: join(folder, 'checkpoint'), every: 200 })];
    await train({ agent, env, steps, seed: 1, resume, callbacks: [...logs, ...saved] });
    agent.dispose();
  };
  await run(250);
  await run(400, join(folder, 'checkpoint'));
  const { stdout, stderr } = spawnSync(python, ['-c', READ, join(folder, 'events')], { encoding: 'utf8' });
  const scalars = JSON.parse(stdout || `"${stderr}"`) as Record<string, [number, number][]>;
  const [header, ...rows] = (await readFile(log, 'utf8')).trim().split('\n');
  await rm(folder, { recursive: true });
  const column = header!.split(',').indexOf('loss/critic');
  const logged = rows.map((row) => row.split(',').map(Number)).map((row) => [row[0]!, Math.fround(row[column]!)]);
  expect(scalars['loss/critic']).toEqual(logged);
  expect(logged.map(([step]) => step)).toEqual([50, 100, 150, 200, 250, 300, 350, 400]);
});
