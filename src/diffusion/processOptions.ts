import { ArgumentError, show } from '../errors.js';
import { type Option, option } from '../options.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import type { NetworkFactory, Process } from './process.js';

/** A schedule; `defaultText` says what is taken without one. */
export function scheduleOption(doc: string, defaultText: string): Option<NoiseSchedule | undefined> {
  return option<NoiseSchedule>({
    ...{ doc, defaultText, allowed: 'a NoiseSchedule' },
    check: (where, name, value) => {
      if (typeof value === 'object' && value && 'stepSizes' in value && 'betas' in value) return value as NoiseSchedule;
      throw new ArgumentError(
        `${where}: ${name} must be a noise schedule such as cosineSchedule({ steps: 16 }), got ${show(value)}.`,
      );
    },
  });
}

/** A process, which must be given. */
export function processOption(doc: string): Option<Process> {
  const check = (where: string, name: string, value: unknown) => {
    if (typeof value === 'object' && value && 'build' in value && 'schedule' in value) return value as Process;
    throw new ArgumentError(
      `${where}: ${name} must be a process such as ornsteinUhlenbeck({ steps: 8 }), got ${show(value)}.`,
    );
  };
  return { doc, allowed: 'a Process', defaultText: 'none: it must be given', local: false, read: check };
}

/** What makes a network; `defaultText` says which is made without it. */
export function networkOption(doc: string, defaultText: string): Option<NetworkFactory | undefined> {
  return { ...functionOption<NetworkFactory>(doc, '(rng, sizes) => StepNetwork'), defaultText };
}

/** A function of the signature `allowed`. */
export function functionOption<T>(doc: string, allowed: string): Option<T | undefined> {
  return option<T>({
    ...{ doc, allowed },
    check: (where, name, value) => {
      if (typeof value === 'function') return value as T;
      throw new ArgumentError(`${where}: ${name} must be a function ${allowed}, got ${show(value)}.`);
    },
  });
}

/** The schedule given, or `make` of the steps given. @throws ArgumentError for both */
export function chosenSchedule(
  where: string,
  { steps, schedule }: { steps?: number; schedule?: NoiseSchedule },
  make: () => NoiseSchedule,
): NoiseSchedule {
  if (steps !== undefined && schedule) {
    throw new ArgumentError(`${where}: give steps or schedule, not both; a schedule has its own steps.`);
  }
  return schedule ?? make();
}
