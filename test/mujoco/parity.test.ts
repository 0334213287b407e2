import { readFileSync } from 'node:fs';
import { mujocoIds } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { measureParity, recordedTasks, tolerancesOf } from './parity.js';

const tasks = recordedTasks();

it('every task was recorded and stands in the table of the guide', () => {
  expect(tasks.map(({ id }) => id).sort()).toEqual(mujocoIds().sort());
  const guide = readFileSync(new URL('../../docs/environments.md', import.meta.url), 'utf8');
  for (const id of mujocoIds()) expect(guide).toContain(`\n| ${id} |`);
});

describe('recorded runs', () => {
  it.each(tasks)('are repeated by $id', async (task) => {
    const { model, figure, start, segments, task: values, whole, flags } = await measureParity(task);
    const tolerance = tolerancesOf(task.family);
    expect(model, figure).toBeLessThan(tolerance.model);
    expect(start, 'states of 20 steps').toBeLessThan(tolerance.start);
    expect(segments, 'states in ten-step segments').toBeLessThan(tolerance.segments);
    expect(values, 'observations, rewards, info').toBeLessThan(tolerance.task);
    expect(whole, 'positions over 100 steps').toBeLessThan(tolerance.whole);
    expect(flags, 'steps with another termination or contact count').toBe(0);
  });
});
