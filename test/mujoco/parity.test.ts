import { readFileSync } from 'node:fs';
import { mujocoIds } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { measureParity, recordedTasks, tolerancesOf } from './parity.js';

const tasks = recordedTasks();

it('the guide has every recorded task in its table, and names the others', () => {
  const guide = readFileSync(new URL('../../docs/environments.md', import.meta.url), 'utf8');
  const recorded = new Set<string>(tasks.map(({ id }) => id));
  const known = new Set<string>(mujocoIds());
  expect([...recorded].filter((id) => !known.has(id))).toEqual([]);
  const unrecorded = guide.slice(guide.indexOf('were not recorded:'));
  for (const id of mujocoIds()) {
    if (recorded.has(id)) expect(guide).toContain(`\n| ${id} |`);
    else expect(unrecorded).toContain(`\`${id.replace('dm_control/', '')}\``);
  }
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
