import { nodeModule } from './nodeModules.js';
import { isAlive, startOf } from './processes.js';

/** How the owner of a mark shows that it is alive, in milliseconds. */
export interface SignsOfLife {
  /** Between two of them. */
  pulse: number;
  /** After how many without one an owner on another machine counts as dead. */
  lifetime: number;
}

/**
 * Makes the file `path`, which marks something as this process's own, and keeps it young until the function returned is called.
 *
 * The mark of an owner that is gone is taken over, by one of those who try: the next mark is made beside it, which only one can
 * do, and put in its place. An owner on this machine is gone when its process is, one elsewhere when it gives no sign of life,
 * and a task of Slurm when it was queued again and is this process.
 *
 * @returns `undefined` if somebody else has it
 */
export async function takeMark(
  where: string,
  path: string,
  { pulse, lifetime }: SignsOfLife,
): Promise<(() => Promise<void>) | undefined> {
  const { rm, utimes } = nodeModule(where, 'node:fs/promises');
  const token = `${copy}-${count++}`;
  const text = signature(where, token);
  held.add(token);
  try {
    if (!(await take(where, path, text, lifetime))) return forget(token);
  } catch (error) {
    forget(token);
    throw error;
  }
  const isOwn = () => says(where, path, text).catch(() => false);
  const heart = setInterval(async () => {
    const now = new Date();
    if (await isOwn()) await utimes(path, now, now).catch(() => {});
  }, pulse);
  heart.unref?.();
  return async () => {
    clearInterval(heart);
    if (await isOwn()) await rm(path, { force: true }).catch(() => {});
    forget(token);
  };
}

/** Who has the mark `path`, in words, if somebody has it. */
export async function ownerOf(
  where: string,
  path: string,
  { lifetime }: Pick<SignsOfLife, 'lifetime'>,
): Promise<string | undefined> {
  const mark = await look(where, path);
  if (!mark || !isHeld(where, path, mark, lifetime)) return undefined;
  return mark.isSigned ? `process ${mark.pid} on ${mark.host}` : 'a process that is just starting';
}

/** Milliseconds in which a mark that was made must be signed. */
const SIGNING = 5000;
/** Milliseconds between two looks at a mark that somebody else is taking over. */
const PATIENCE = 10;

/** Threads share a process, so each copy of this module has a name of its own ... */
const copy = Math.random().toString(36).slice(2);
let count = 0;
/** ... and knows which of its marks it has, */
const held = new Set<string>();
/** and which it made and could not sign. Without a signature, others' marks are about to get one. */
const begun = new Set<string>();

function forget(token: string): undefined {
  held.delete(token);
}

async function take(where: string, path: string, text: string, lifetime: number): Promise<boolean> {
  for (;;) {
    if (await sign(where, path, text)) return true;
    const found = await look(where, path);
    if (found?.text === text) return true;
    if (found && isHeld(where, path, found, lifetime)) return false;
    if (found) await replace(where, path, found.text, text, lifetime);
  }
}

/** Puts the mark `text` in the place of that of somebody who is `gone`, unless somebody else is doing so. */
async function replace(where: string, path: string, gone: string, text: string, lifetime: number): Promise<void> {
  const { rename, rm } = nodeModule(where, 'node:fs/promises');
  const next = `${path}.next`;
  if (await sign(where, next, text)) {
    if (await says(where, path, gone)) await rename(next, path).catch(ignoreMissing);
    else await rm(next, { force: true });
    return;
  }
  const other = await look(where, next);
  if (other && !isHeld(where, next, other, lifetime)) await rm(next, { force: true });
  else await new Promise((resolve) => setTimeout(resolve, PATIENCE));
}

/** Makes the mark; `false` if there is one, or if somebody was faster because signing it took too long. */
async function sign(where: string, path: string, text: string): Promise<boolean> {
  try {
    const file = await nodeModule(where, 'node:fs/promises').open(path, 'wx');
    begun.add(path);
    try {
      await file.writeFile(text);
      begun.delete(path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  return says(where, path, text);
}

interface Mark {
  text: string;
  /** Whether all of it is there. */
  isSigned: boolean;
  /** Milliseconds since the last sign of life. */
  age: number;
  pid: number;
  host?: string;
  token?: string;
  /** When the process started, see {@link startOf}. */
  started?: string;
  task?: string;
  restarts?: number;
}

function signature(where: string, token: string): string {
  const { pid } = globalThis.process;
  const { task, restarts } = slurmTask();
  return `${pid} ${nodeModule(where, 'node:os').hostname()} ${token} ${startOf(where, pid) ?? '-'} ${task} ${restarts}\n`;
}

async function look(where: string, path: string): Promise<Mark | undefined> {
  const { readFile, stat } = nodeModule(where, 'node:fs/promises');
  try {
    const { mtimeMs } = await stat(path);
    const text = await readFile(path, 'utf8');
    const [pid, host, token, started, task, restarts] = text.trim().split(' ');
    const rest = { host, token, started, task, restarts: Number(restarts) };
    return { text, isSigned: text.endsWith('\n'), age: Date.now() - mtimeMs, pid: Number(pid), ...rest };
  } catch (error) {
    return ignoreMissing(error as NodeJS.ErrnoException);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function says(where: string, path: string, text: string): Promise<boolean> {
  return (await look(where, path))?.text === text;
}

function isHeld(where: string, path: string, mark: Mark, lifetime: number): boolean {
  const { isSigned, age, pid, host, token, started, task, restarts } = mark;
  if (!isSigned) return !begun.has(path) && age < SIGNING;
  if (token?.startsWith(`${copy}-`)) return held.has(token);
  const own = slurmTask();
  if (own.task !== '-' && task === own.task && Number(restarts) < own.restarts) return false;
  if (host !== nodeModule(where, 'node:os').hostname()) return age < lifetime;
  return isAlive(pid) && (!started || started === '-' || (startOf(where, pid) ?? started) === started);
}

function slurmTask(): { task: string; restarts: number } {
  const {
    SLURM_ARRAY_JOB_ID: array,
    SLURM_ARRAY_TASK_ID: index,
    SLURM_JOB_ID: job = '-',
    SLURM_RESTART_COUNT: restarts = '0',
  } = globalThis.process.env;
  return { task: array ? `${array}_${index}` : job, restarts: Number(restarts) };
}
