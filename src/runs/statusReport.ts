import type { Outcome, TrainingCallback } from '../training/callback.js';
import type { TrainingRun } from '../training/trainingRun.js';
import type { RunFolder, RunState, RunStatus } from './folder.js';

/** Milliseconds between two status files at most. */
const PULSE = 2000;

/** Keeps `status.json` of a run up to date. */
export function statusReport(folder: RunFolder, before: RunStatus, steps: number) {
  const start = performance.now();
  let status: RunStatus = {
    ...before,
    state: 'running',
    steps,
    attempts: before.attempts + 1,
    stopped: undefined,
    error: undefined,
  };
  let [written, stepAtStart] = [start, 0];

  async function write(state: RunState, change: Partial<RunStatus> = {}): Promise<void> {
    written = performance.now();
    status = {
      ...status,
      ...change,
      state,
      seconds: before.seconds + (written - start) / 1000,
      memoryMiB: Math.round(Math.max(before.memoryMiB ?? 0, process.resourceUsage().maxRSS / 1024)),
      updated: new Date().toISOString(),
    };
    await folder.writeStatus(status);
  }

  const callback: TrainingCallback = {
    async onStart(run) {
      stepAtStart = run.step;
      await write('running', progress(run));
    },
    async onStepEnd(run) {
      if (performance.now() - written > PULSE) await write('running', progress(run));
    },
    async onEnd(run, outcome) {
      if (outcome === 'failed') return;
      await write(stateAfter(run, outcome), { ...progress(run), stopped: run.stopped });
    },
  };

  function stateAfter(run: TrainingRun, outcome: Outcome): RunState {
    if (outcome === 'aborted') return 'interrupted';
    return run.step < steps && !run.stopped ? 'paused' : 'finished';
  }

  function progress(run: TrainingRun): Partial<RunStatus> {
    const last = run.history.evaluations.at(-1);
    return {
      step: run.step,
      recentReturn: run.history.recentReturn(),
      stepsPerSecond: (1000 * (run.step - stepAtStart)) / Math.max(performance.now() - start, 1),
      ...(last && { evaluation: { step: last.step, mean: last.mean, std: last.std } }),
    };
  }

  return {
    callback,
    begin: () => write('running'),
    fail: (error: unknown) =>
      write('failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  };
}
