import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bestModel,
  readCheckpoint,
  stopAfter,
  stopAtReturn,
  stopWithoutImprovement,
  type TrainingCallback,
  train,
} from 'diffrl';
import { expect, it } from 'vitest';
import { Counter, TinyAgent } from './tinyAgent.js';

/** Evaluations with these means, every ten steps. */
function evaluations(means: number[]): TrainingCallback {
  return {
    onStep({ step, history }) {
      const mean = means[step / 10 - 1];
      if (mean !== undefined) history.evaluations.push({ step, mean, std: 0, returns: [mean], lengths: [1] });
    },
  };
}

const run = (means: number[], ...callbacks: TrainingCallback[]) =>
  train({
    agent: new TinyAgent(new Counter()),
    env: new Counter(),
    steps: 100,
    callbacks: [evaluations(means), ...callbacks],
  });

it('stopAtReturn ends at the first evaluation that reaches the return, with the reason', async () => {
  const { steps, stopped, aborted } = await run([1, 7, 5, 9], stopAtReturn(7));
  expect([steps, stopped, aborted]).toEqual([20, 'an evaluation reached 7.0, 7 was asked for', false]);
  expect((await run([1, 6], stopAtReturn(7))).stopped).toBeUndefined();
});

it('stopWithoutImprovement counts evaluations since the best one', async () => {
  expect((await run([1, 3, 2, 3, 2, 9], stopWithoutImprovement({ evaluations: 3 }))).steps).toBe(50);
  expect((await run([1, 3, 2, 4, 2, 3, 3], stopWithoutImprovement({ evaluations: 3 }))).steps).toBe(70);
  // An improvement of one is too little, but steps before startAt do not stop it.
  const strict = stopWithoutImprovement({ evaluations: 2, minChange: 1, startAt: 40 });
  expect((await run([1, 2, 2, 2, 2], strict)).steps).toBe(40);
});

it('stopAfter ends after the step in which the time ran out, and the checkpoint is written', async () => {
  const slow: TrainingCallback = { onStep: () => new Promise((resolve) => setTimeout(resolve, 20)) };
  const { steps, stopped } = await run([], slow, stopAfter({ seconds: 0.2 }));
  expect(steps).toBeGreaterThan(1);
  expect(steps).toBeLessThan(15);
  expect(stopped).toBe('0.2 seconds are over');
});

it('bestModel keeps the first of the best agents', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
  await run([1, 8, 5, 8, 2], bestModel(folder));
  const { training } = await readCheckpoint(folder);
  expect(training!.steps!.data[0]).toBe(20);
  await rm(folder, { recursive: true });
});
