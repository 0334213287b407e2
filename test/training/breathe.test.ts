import { TrainingRun } from 'diffrl';
import { describe, expect, it, vi } from 'vitest';
import { Pendulum } from '../../src/envs/classic/pendulum.js';
import { TinyAgent } from './tinyAgent.js';

describe('training', () => {
  it.each(['setImmediate', 'MessageChannel'])('lets timers go on while it runs, by %s', async (means) => {
    if (means === 'MessageChannel') vi.stubGlobal('setImmediate', undefined);
    const env = new Pendulum();
    const run = new TrainingRun({ agent: new TinyAgent(env), env });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const start = performance.now();
    while (performance.now() - start < 300) await run.advance();
    clearInterval(timer);
    vi.unstubAllGlobals();
    console.info(`${ticks} of 30 ticks`);
    expect(ticks).toBeGreaterThan(2);
  });
});
