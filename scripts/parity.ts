/**
 * How far the MuJoCo tasks are from the recorded runs of their Python originals: a table with the largest difference of
 * each task and what is allowed. Run: npx tsx scripts/parity.ts [--write]; `--write` puts it into docs/environments.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { measureParity, recordedTasks, tolerancesOf } from '../test/mujoco/parity.js';

const GUIDE = new URL('../docs/environments.md', import.meta.url);
const [BEGIN, END] = ['<!-- parity: npx tsx scripts/parity.ts --write -->', '<!-- parity end -->'];

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const short = (value: number) => (value === 0 ? '0' : value.toExponential(0));
const within = (value: number, tolerance: number) => `${short(value)} (${short(tolerance)})`;

const rows: string[] = [
  '| task | model | states, 20 steps | states, 10-step segments | observation, reward, info | positions, 100 steps |',
  '|---|--:|--:|--:|--:|--:|',
];
let isWithin = true;
for (const task of recordedTasks()) {
  const parity = await measureParity(task);
  const tolerance = tolerancesOf(task.family);
  const kinds = (['model', 'start', 'segments', 'task', 'whole'] as const).filter(
    (kind) => kind === 'model' || task.runs.length > 0,
  );
  isWithin &&= parity.flags === 0 && kinds.every((kind) => parity[kind] < tolerance[kind]);
  const cells = kinds.map((kind) => within(parity[kind], tolerance[kind]));
  rows.push(`| ${[task.id, ...cells, ...Array(5 - cells.length).fill('not recorded')].join(' | ')} |`);
}
const table = rows.join('\n');
console.log(table);

if (values.write) {
  const guide = await readFile(GUIDE, 'utf8');
  const [from, to] = [guide.indexOf(BEGIN), guide.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/environments.md must hold ${BEGIN} and ${END}.`);
  await writeFile(GUIDE, `${guide.slice(0, from + BEGIN.length)}\n\n${table}\n\n${guide.slice(to)}`);
}
if (!isWithin) throw new Error('A difference is above what is allowed.');
