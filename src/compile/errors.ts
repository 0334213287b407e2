import { DiffrlError } from '../errors.js';

/** A function cannot be compiled: it reads tensor values, or uses a kernel that ONNX or this library does not cover. */
export class CompileError extends DiffrlError {
  override name = 'CompileError';
}

/** Runs `body` with stack traces long enough to reach through the layers of tfjs to the caller's line. */
export function withLongStacks<T>(body: () => T): T {
  const holder = Error as { stackTraceLimit?: number };
  const before = holder.stackTraceLimit;
  holder.stackTraceLimit = Math.max(before ?? 0, 60);
  try {
    return body();
  } finally {
    if (before !== undefined) holder.stackTraceLimit = before;
  }
}

/** The line of the caller's own code that led here: the first outside of tfjs and of this folder. */
export function callSite(): string {
  const lines = (new Error().stack ?? '').split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));
  const folder = lines[0]?.match(/[^\s(@]*[\\/](?=[^\\/]+$)/)?.[0] ?? '';
  const outside = lines.find((line) => !line.includes(folder) && !/@tensorflow|[\\/]tfjs|node:/.test(line));
  return outside?.trim().replace(/^at /, '') ?? 'an unknown place';
}
