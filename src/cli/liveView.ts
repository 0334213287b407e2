import type { SingleBar } from 'cli-progress';
import type { RunFolder, RunState } from '../runs/folder.js';
import { brief, duration } from './print.js';
import { shown } from './train.js';

/** Milliseconds between two looks at the runs. */
const PULSE = 1000;

/**
 * Shows how far many runs are: a line for each that ends, and the share of all steps, as a bar in a terminal, elsewhere as
 * a line at every tenth.
 */
export function liveView(folders: readonly RunFolder[]) {
  const ended = new Set<RunFolder>();
  let bar: Promise<SingleBar> | undefined;
  let tenth = 0;
  const print = async (line: string) => {
    const drawn = await bar;
    if (drawn) process.stdout.write('\r\x1b[K');
    console.log(line);
    drawn?.render();
  };
  if (process.stdout.isTTY) bar = openBar();

  async function look(): Promise<void> {
    const statuses = await Promise.all(folders.map((folder) => folder.status()));
    const total = statuses.reduce((sum, { steps }) => sum + steps, 0);
    const done = statuses.reduce((sum, { step, steps, state }) => sum + (state === 'finished' ? steps : step), 0);
    const count = (state: RunState) => statuses.filter((status) => status.state === state).length;
    const text = `${count('finished')}/${folders.length} complete, ${count('running')} running${count('failed') ? `, ${count('failed')} failed` : ''}`;
    for (const [i, folder] of folders.entries()) {
      const { state, step, evaluation, seconds, error } = statuses[i]!;
      if ((state !== 'finished' && state !== 'failed') || ended.has(folder)) continue;
      ended.add(folder);
      const result = state === 'failed' ? `FAILED: ${error?.split('\n')[0]}` : `${step} steps in ${duration(seconds)}`;
      await print(`${shown(folder)}: ${result}${evaluation ? `, evaluation ${brief(evaluation.mean)}` : ''}`);
    }
    if (bar) (await bar).update(done / total, { text });
    else if (Math.floor((10 * done) / total) > tenth) {
      tenth = Math.floor((10 * done) / total);
      console.log(`${10 * tenth} % of all steps: ${text}`);
    }
  }

  // One look at a time, and the last one after everything has ended. Those before it may fail: the next one sees more.
  let looking = Promise.resolve();
  const next = () => {
    looking = looking.catch(() => {}).then(look);
    return looking;
  };
  const timer = setInterval(() => next().catch(() => {}), PULSE);
  return {
    async end(): Promise<void> {
      clearInterval(timer);
      try {
        await next();
      } finally {
        (await bar)?.stop();
      }
    },
  };
}

async function openBar(): Promise<SingleBar> {
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    format: ' {bar} {percentage} %  {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    stream: process.stdout,
    gracefulExit: false,
  });
  bar.start(1, 0, { text: '' });
  return bar;
}
