import { readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { writeFileAtomically } from '../files/files.js';
import { drawGroups, groupRuns, scoresOf } from '../runs/compare.js';
import { Sweep, type SweepEntry } from '../runs/sweep/sweep.js';
import type { SweepFlags } from './commands/sweep.js';
import { INTERRUPTED, interruption } from './interruption.js';
import { liveView } from './liveView.js';
import { brief, table } from './print.js';
import { readObjectFile } from './values.js';
import { statusTable } from './watch.js';

/** Works through a sweep, or says how far it is. */
export async function sweep(file: string, flags: SweepFlags): Promise<void> {
  const out = flags.out ?? join('sweeps', basename(file, extname(file)));
  const plan = Sweep.read(out, readObjectFile(file));
  if (flags.status) return printStatus(plan);
  if (flags.report) return report(plan);
  await plan.prepare();
  if (flags.retry) await plan.retryFailed();
  if (flags.on === 'slurm') return submit(plan, resolve(file), flags);

  const entries = await plan.entries();
  const done = entries.filter(({ status }) => status.state === 'finished').length;
  console.log(`${entries.length} runs in ${out}${done ? `, ${done} complete already` : ''}`);
  const view = liveView(entries.filter(({ status }) => status.state !== 'finished').map(({ folder }) => folder));
  try {
    await plan.runLocally({ jobs: flags.jobs, signal: interruption });
  } finally {
    await view.end();
  }
  if (!interruption.aborted) return report(plan);
  process.exitCode = INTERRUPTED;
  console.log(`Interrupted; all runs are saved. Go on with: diffrl sweep ${file}`);
}

async function submit(plan: Sweep, file: string, flags: SweepFlags): Promise<void> {
  const submitted = await plan.submit(['sweep', file, '--on', 'slurm', '--out', plan.path]);
  if (submitted) {
    console.log(`Submitted ${submitted.tasks} tasks as array ${submitted.array}; logs: ${join(plan.path, 'slurm')}`);
    console.log(`Look with: diffrl sweep ${file} --status${flags.out ? ` --out ${flags.out}` : ''}`);
    return;
  }
  const open = (await plan.entries()).some(({ task }) => task);
  if (open) console.log('Everything that is due is in the queue already.');
  else await report(plan);
}

async function printStatus(plan: Sweep): Promise<void> {
  const entries = await plan.entries();
  console.log(
    statusTable(
      entries.map(({ folder, status, task }) => ({ folder, status, note: task && `Slurm ${task.id} ${task.state}` })),
    ),
  );
  await printFailures(entries);
}

/** Prints and writes `report.md` and `curves.svg`. */
async function report(plan: Sweep): Promise<void> {
  const entries = await plan.entries();
  const groups = await groupRuns(
    entries.map(({ folder }) => folder).filter((_, i) => entries[i]!.status.state !== 'new'),
  );
  const count = (state: string) => entries.filter(({ status }) => status.state === state).length;
  const states = ['finished', 'paused', 'interrupted', 'running', 'failed', 'new'].filter(count);
  console.log(states.map((state) => `${count(state)} ${state}`).join(', '));
  if (groups.length) {
    const rows = scoresOf(groups).map(({ group, scores, step, iqm }) => {
      const interval = scores.length > 1 ? `[${brief(iqm.low)}, ${brief(iqm.high)}]` : '';
      return [group.task, group.label, String(scores.length), String(step), brief(iqm.estimate), interval];
    });
    const heads = ['task', 'agent', 'runs', 'step', 'IQM', '95 %'];
    console.log(table(heads, rows));
    const lines = [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
    await writeFileAtomically('sweep', join(plan.path, 'report.md'), `${lines.join('\n')}\n`);
    await writeFileAtomically('sweep', join(plan.path, 'curves.svg'), drawGroups(groups).svg);
    console.log(`Written: ${join(plan.path, 'report.md')}, curves.svg`);
  }
  await printFailures(entries);
  if (count('failed') || entries.some(({ status }) => status.error)) process.exitCode = 1;
}

async function printFailures(entries: readonly SweepEntry[]): Promise<void> {
  for (const { run, status } of entries) {
    if (status.state === 'interrupted' && status.error) console.log(`\n${run.name}: ${status.error}`);
  }
  const failed = entries.filter(({ status }) => status.state === 'failed');
  for (const { run, folder, status } of failed) {
    const output = await readFile(folder.file('output.log'), 'utf8').catch(() => '');
    const last = (output || status.error || '').trimEnd().split('\n').slice(-5);
    console.log([`\n${run.name} failed at step ${status.step}:`, ...last.map((line) => `  ${line}`)].join('\n'));
  }
  if (failed.length) console.log('\nTake them up again with --retry.');
}
