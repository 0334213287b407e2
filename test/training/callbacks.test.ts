import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpoints, csvLog, evaluation, learningCurve, Pendulum, progressBar, readCheckpoint, train } from 'diffrl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Counter, TinyAgent } from './tinyAgent.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function table(path: string) {
  const [header, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const columns = header!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    expect(cells).toHaveLength(columns.length);
    return Object.fromEntries(columns.map((name, i) => [name, cells[i] === '' ? undefined : Number(cells[i])]));
  });
}

describe('csvLog', () => {
  it('averages what happened between two rows and grows columns as they come', async () => {
    const env = new Counter(4);
    const path = join(folder, 'deep', 'progress.csv');
    const agent = new TinyAgent(env);
    const losses: number[] = [];
    const callbacks = [
      csvLog(path, { every: 10 }),
      evaluation({ env: new Counter(3), every: 30, episodes: 2 }),
      { onStep: (_: unknown, { metrics }: { metrics: Record<string, number> }) => void losses.push(metrics.loss!) },
    ];
    await train({ agent, env, steps: 35, callbacks });
    const rows = await table(path);
    expect(rows.map(({ step }) => step)).toEqual([10, 20, 30, 35]);
    expect(rows.map((row) => row['episode/count'])).toEqual([2, 5, 7, 8]);
    expect(rows.map((row) => [row['episode/return'], row['episode/length']])).toEqual(Array(4).fill([10, 4]));
    expect(rows.map((row) => row['evaluation/return'])).toEqual([undefined, undefined, 6, undefined]);
    expect(rows[1]!['agent/loss']).toBeUndefined();
    expect(rows[2]!['agent/loss']).toBeCloseTo(losses.slice(20, 30).reduce((sum, loss) => sum + loss) / 10, 10);
    expect(rows[3]!['time/seconds']).toBeGreaterThan(0);
    // One update a step after the warm-up of 20 steps; both rates are over the same seconds.
    expect(rows[1]!['time/updatesPerSecond']).toBe(0);
    expect(rows[2]!['time/updatesPerSecond']).toBeCloseTo(rows[2]!['time/environmentStepsPerSecond']!, 6);
  });

  it('of a resumed run is that of an uninterrupted one, whatever was logged after the checkpoint', async () => {
    const log = (name: string) => csvLog(join(folder, name), { every: 10 });
    const saved = checkpoints({ path: folder, every: 40 });
    const make = () => new Pendulum({ maxEpisodeSteps: 7 });
    await train({ agent: new TinyAgent(make()), env: make(), steps: 100, callbacks: [log('whole.csv')] });

    const dies = {
      onStepEnd: (run: { step: number }) => {
        if (run.step === 65) throw new Error('power cut');
      },
    };
    const cut = train({
      agent: new TinyAgent(make()),
      env: make(),
      steps: 100,
      callbacks: [log('cut.csv'), saved, dies],
    });
    await expect(cut).rejects.toThrow('power cut');
    expect((await table(join(folder, 'cut.csv'))).map(({ step }) => step)).toEqual([10, 20, 30, 40, 50, 60, 65]);
    await train({ agent: new TinyAgent(make()), env: make(), steps: 100, resume: folder, callbacks: [log('cut.csv')] });

    const withoutTime = (rows: Record<string, unknown>[]) =>
      rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('time/'))));
    const resumed = await table(join(folder, 'cut.csv'));
    expect(withoutTime(resumed)).toEqual(withoutTime(await table(join(folder, 'whole.csv'))));
    const seconds = resumed.map((row) => row['time/seconds']!);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
  });

  it('starts anew for a new run', async () => {
    const path = join(folder, 'progress.csv');
    for (const steps of [30, 10]) {
      const env = new Counter();
      await train({ agent: new TinyAgent(env), env, steps, callbacks: [csvLog(path, { every: 10 })] });
    }
    expect(await table(path)).toHaveLength(1);
  });
});

describe('progressBar', () => {
  const isTTY = process.stdout.isTTY;
  afterEach(() => {
    process.stdout.isTTY = isTTY;
  });

  async function output(steps: number, isTTY: boolean, signal?: AbortSignal): Promise<string> {
    process.stdout.isTTY = isTTY;
    let text = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += chunk;
      return true;
    });
    vi.spyOn(console, 'log').mockImplementation((line) => {
      text += `${line}\n`;
    });
    const env = new Counter(4);
    const callbacks = [evaluation({ env: new Counter(3), every: 50 }), progressBar()];
    await train({ agent: new TinyAgent(env), env, steps, callbacks, signal });
    vi.restoreAllMocks();
    return text;
  }

  it('prints a line every 5 % where there is no terminal', async () => {
    const lines = (await output(200, false)).trimEnd().split('\n');
    expect(lines).toHaveLength(20);
    expect(lines[4]).toMatch(/^ 25 % {2}50\/200 · return 10.0 · evaluation 6.00 · \d+ steps\/s · \d+:\d\d left$/);
    expect(lines[19]).toMatch(/^100 % {2}200\/200 .* 0:00 left$/);
  });

  it('draws one bar in a terminal', async () => {
    const text = await output(200, true);
    expect(text).toContain('░');
    expect(text).toMatch(/█{24} {1}100 % {2}200\/200 · return 10.0 · evaluation 6.00/);
  });

  it('says that training was aborted', async () => {
    expect(await output(200, false, AbortSignal.abort())).toBe('Training aborted at step 0.\n');
  });
});

describe('checkpoints', () => {
  it('leave one of a run that was aborted before its first step', async () => {
    const env = new Counter(4);
    const callbacks = [checkpoints({ path: folder })];
    await train({ agent: new TinyAgent(env), env, steps: 50, signal: AbortSignal.abort(), callbacks });
    expect((await readCheckpoint(folder)).training!.steps!.data).toEqual(Float64Array.of(0));
    const resumed = await train({ agent: new TinyAgent(env), env, steps: 5, resume: folder });
    expect(resumed.steps).toBe(5);
  });

  it('leave one at the end of a run that had nothing left to do', async () => {
    const env = new Counter(4);
    const [first, second] = [join(folder, 'a'), join(folder, 'b')];
    const run = { agent: new TinyAgent(env), env, steps: 10 };
    await train({ ...run, callbacks: [checkpoints({ path: first, every: 10 })] });
    await train({ ...run, resume: first, callbacks: [checkpoints({ path: second, every: 10 })] });
    expect((await readCheckpoint(second)).training!.steps!.data).toEqual(Float64Array.of(10));
  });
});

describe('learningCurve', () => {
  it('draws the returns of training and evaluations, now and then and at the end', async () => {
    const env = new Counter(4);
    const path = join(folder, 'curve.svg');
    const drawn: string[] = [];
    const spy = { onStepEnd: async () => void drawn.push(await readFile(path, 'utf8').catch(() => '')) };
    const callbacks = [
      evaluation({ env: new Counter(3), every: 20, episodes: 2 }),
      learningCurve(path, { every: 30 }),
      spy,
    ];
    await train({ agent: new TinyAgent(env), env, steps: 50, callbacks });
    expect(drawn[28]).toBe('');
    expect(drawn[29]).toContain('Tiny on Counter');
    const final = await readFile(path, 'utf8');
    expect(final).not.toBe(drawn[49]);
    expect(final.match(/<circle [^>]*r="1.5"/g)).toHaveLength(12);
    for (const text of ['training', 'evaluation', 'environment steps', 'return'])
      expect(final).toContain(`>${text}</text>`);
    expect(final).not.toMatch(/NaN/);
  });
});
