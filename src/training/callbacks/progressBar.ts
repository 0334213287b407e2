import type { SingleBar } from 'cli-progress';
import type { Outcome, TrainingCallback } from '../callback.js';
import type { TrainingRun } from '../trainingRun.js';

/**
 * Shows how far training is, the mean return of the last ten episodes, the last evaluation, steps per second and the
 * time left: as a bar in a terminal, elsewhere as a line every 5 %.
 */
export function progressBar(): TrainingCallback {
  let pace: Pace;
  let display: Display | undefined;
  return {
    async onStart(run, steps) {
      pace = new Pace(run.step);
      display = globalThis.process?.stdout?.isTTY ? await openBar(run.step, steps) : openLines(run.step, steps);
    },
    onStep(run) {
      pace.note(run.step);
      display?.update(run.step, (steps) => describe(run, steps, pace));
    },
    onEnd(run, outcome) {
      display?.end(run.step, outcome);
    },
  };
}

interface Display {
  /** `text` describes a run of so many steps; it is called only when something is drawn. */
  update(step: number, text: (steps: number) => string): void;
  end(step: number, outcome: Outcome): void;
}

async function openBar(start: number, steps: number): Promise<Display> {
  const { default: progress } = await import('cli-progress');
  const bar: SingleBar = new progress.SingleBar({
    format: ' {bar} {percentage} %  {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    stream: process.stdout,
    gracefulExit: false, // its handler would swallow the first Ctrl-C
  });
  bar.start(steps, start, { text: '' });
  return {
    update: (step, text) => bar.update(Math.min(step, steps), { text: text(steps) }),
    end: () => bar.stop(),
  };
}

function openLines(start: number, steps: number): Display {
  const twentieth = (step: number) => Math.floor((20 * step) / steps);
  let shown = twentieth(start);
  return {
    update(step, text) {
      if (twentieth(step) === shown) return;
      shown = twentieth(step);
      console.log(`${String(5 * Math.min(shown, 20)).padStart(3)} %  ${text(steps)}`);
    },
    end(step, outcome) {
      if (outcome !== 'finished') console.log(`Training ${outcome} at step ${step}.`);
    },
  };
}

function describe(run: TrainingRun, steps: number, pace: Pace): string {
  const recent = run.history.recentReturn();
  const evaluated = run.history.evaluations.at(-1)?.mean;
  return [
    `${run.step.toLocaleString('en')}/${steps.toLocaleString('en')}`,
    recent !== undefined && `return ${brief(recent)}`,
    evaluated !== undefined && `evaluation ${brief(evaluated)}`,
    `${brief(pace.speed)} steps/s`,
    `${duration((steps - run.step) / pace.speed)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Steps per second over the last half minute. */
class Pace {
  private readonly samples: { time: number; step: number }[];

  constructor(step: number) {
    this.samples = [{ time: performance.now(), step }];
  }

  note(step: number): void {
    const time = performance.now();
    const previous = this.samples.at(-2)?.time ?? Number.NEGATIVE_INFINITY;
    if (this.samples.length > 1 && time - previous < 1000) this.samples.pop();
    this.samples.push({ time, step });
    if (this.samples.length > 31) this.samples.shift();
  }

  get speed(): number {
    const [first, last] = [this.samples[0]!, this.samples.at(-1)!];
    return (1000 * (last.step - first.step)) / Math.max(last.time - first.time, 1);
  }
}

/** Three or four digits that matter. */
function brief(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor) as [
    number,
    number,
    number,
  ];
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  return hours ? `${hours}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${minutes}:${twoDigits(rest)}`;
}
