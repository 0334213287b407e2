import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointExists, readCheckpoint } from '../checkpoint/checkpoint.js';
import { CheckpointError } from '../errors.js';
import type { StateDict } from '../state.js';
import { type ExecuteOptions, executeRun } from './execute.js';
import { type RunConfig, RunFolder } from './folder.js';
import { versions } from './here.js';
import { evaluationsOf } from './results.js';

/** What came of repeating a run. */
export interface Verification {
  /** Step up to which it was repeated. */
  step: number;
  /** Arrays of the checkpoint, and those whose bytes differ. */
  arrays: number;
  differing: string[];
  /** Evaluations that both made, and the digits to which their returns agree (17: all). */
  evaluations: number;
  digits: number;
  /** What is not as it was, and may explain a difference. */
  changes: string[];
}

/**
 * Repeats the run in the folder `path` from its `config.json` up to its latest checkpoint, and compares the two.
 *
 * @returns `undefined` if it was interrupted
 * @throws CheckpointError if there is no checkpoint to compare with
 */
export async function verifyRun(path: string, options: ExecuteOptions = {}): Promise<Verification | undefined> {
  const original = RunFolder.open(path);
  if (!(await checkpointExists(original.latest))) {
    throw new CheckpointError(`verify: '${original.path}' has no checkpoint to compare with.`);
  }
  const saved = await readCheckpoint(original.latest);
  const step = saved.training?.steps?.data[0] as number;
  const config = await original.config();
  const parent = await mkdtemp(join(tmpdir(), 'diffrl-verify-'));
  try {
    const copy = await RunFolder.createAt(join(parent, 'run'), config.settings, config);
    const status = await executeRun(copy, { ...options, until: step, steps: Math.max(step, config.settings.steps) });
    if (status.state === 'interrupted') return undefined;
    const repeated = await readCheckpoint(copy.latest);
    const differing = differences({ ...saved.state, ...saved.training }, { ...repeated.state, ...repeated.training });
    const [before, after] = [await evaluationsOf(original), await evaluationsOf(copy)];
    const pairs = before.flatMap((row) => {
      const other = after.find((candidate) => candidate.step === row.step);
      return other ? [[row.return, other.return] as const] : [];
    });
    return {
      step,
      arrays: Object.keys(saved.state).length + Object.keys(saved.training ?? {}).length,
      differing,
      evaluations: pairs.length,
      digits: Math.min(ALL_DIGITS, ...pairs.map(([a, b]) => digitsOf(a, b))),
      changes: changesSince(config, (await copy.config()).machine),
    };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** Decimal digits that always tell two different numbers apart. */
const ALL_DIGITS = 17;

function differences(a: StateDict, b: StateDict): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const bytes = (state: StateDict, name: string) => {
    const data = state[name]?.data;
    return data && Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  };
  return names.filter((name) => {
    const [first, second] = [bytes(a, name), bytes(b, name)];
    return !first || !second || !first.equals(second);
  });
}

function digitsOf(a: number, b: number): number {
  if (a === b) return ALL_DIGITS;
  return Math.max(0, Math.floor(-Math.log10(Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)))));
}

function changesSince({ versions: before, machine, settings }: RunConfig, here: RunConfig['machine']): string[] {
  const now = versions();
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (name) => before[name] !== now[name],
  );
  const changed = names.map((name) => `${name} ${before[name] ?? 'none'} is ${now[name] ?? 'none'} now`);
  if (machine.cpu !== here.cpu) changed.push(`the processor was a ${machine.cpu}, it is a ${here.cpu} now`);
  const countsCores = settings.threads === 0; // else the engine has the same number of threads anywhere
  if (countsCores && machine.cores !== here.cores) changed.push(`${machine.cores} cores are ${here.cores} now`);
  return changed;
}
