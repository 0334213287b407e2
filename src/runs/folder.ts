import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonObject } from '../agents/optionsJson.js';
import { CheckpointError } from '../errors.js';
import { requirePath } from '../files/fileErrors.js';
import { writeFileAtomically } from '../files/files.js';
import { makeFolder } from '../files/folders.js';
import { isClaimed } from './claim.js';
import { versions } from './here.js';
import { type CompleteSettings, completeSettings, type RunSettings } from './settings.js';

/** What `config.json` holds. */
export interface RunConfig {
  format: 'diffrl-run';
  /** As given, with defaults. */
  settings: CompleteSettings;
  /** What came of it: the run computes from this, whatever presets say later. */
  resolved: {
    /** The agent's options: the preset's, and what was given over them. */
    options: JsonObject;
    /** All options of the agent, defaults included, and its spaces. */
    agent?: JsonObject;
    envs: number;
    /** Where the preset's options come from. */
    sources: string[];
  };
  task: { id: string; observationSize: number; actionSize: number };
  versions: Record<string, string>;
  machine: { platform: string; cpu: string; cores: number; memoryGiB: number };
  /** Of the repository that the command was given in, if it is one; `-changed` where files differed from it. */
  commit?: string;
  command: string[];
  created: string;
}

/** `'paused'`: at the step it was told to wait at. */
export type RunState = 'new' | 'running' | 'paused' | 'interrupted' | 'finished' | 'failed';

/** What `status.json` holds. */
export interface RunStatus {
  state: RunState;
  step: number;
  steps: number;
  /** Seconds of all processes that worked on it. */
  seconds: number;
  /** How often a process began to work on it. */
  attempts: number;
  updated: string;
  /** Of the last evaluation. */
  evaluation?: { step: number; mean: number; std: number };
  /** Mean return of the last ten episodes of training. */
  recentReturn?: number;
  stepsPerSecond?: number;
  /** Why it ended before its last step. */
  stopped?: string;
  /** Why it failed. */
  error?: string;
  /** Largest resident memory of its process so far, MiB. */
  memoryMiB?: number;
}

/** The folder of one run and the files in it. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** `runs/<env>__<agent>__<seed>__<time>`, made with its `config.json`. */
  static async create(parent: string, settings: RunSettings, details: RunDetails): Promise<RunFolder> {
    const complete = completeSettings(settings);
    const name = [details.task.id, settings.agent, complete.seed, timestamp()].map(fileName).join('__');
    return RunFolder.createAt(await claimName(parent, name), complete, details);
  }

  /** The folder `path`, made with its `config.json`. */
  static async createAt(path: string, settings: CompleteSettings, details: RunDetails): Promise<RunFolder> {
    const folder = new RunFolder(path);
    const config: RunConfig = {
      format: 'diffrl-run',
      settings,
      ...details,
      versions: versions(),
      machine: machine(),
      ...commit(),
      command: process.argv.slice(2),
      created: new Date().toISOString(),
    };
    await makeFolder('createRun', folder.path);
    await writeJson(folder.file('config.json'), config);
    return folder;
  }

  /** @throws CheckpointError unless `path` is the folder of a run */
  static open(path: string): RunFolder {
    requirePath('RunFolder.open', path);
    if (isRun(path)) return new RunFolder(path);
    const found = existsSync(join(path, 'config.json'))
      ? 'its config.json is of something else'
      : 'it has no config.json';
    throw new CheckpointError(`'${path}' is not the folder of a run: ${found}.`);
  }

  get latest(): string {
    return this.file('latest');
  }

  get best(): string {
    return this.file('best');
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  async config(): Promise<RunConfig> {
    return JSON.parse(await readFile(this.file('config.json'), 'utf8'));
  }

  /** `state: 'new'` before the first attempt, `'interrupted'` after a process that died without a word. */
  async status(): Promise<RunStatus> {
    const text = await readFile(this.file('status.json'), 'utf8').catch(() => undefined);
    if (text) {
      const status: RunStatus = JSON.parse(text);
      const isAbandoned = status.state === 'running' && !(await isClaimed(this.path));
      return isAbandoned ? { ...status, state: 'interrupted' } : status;
    }
    const { settings, created } = await this.config();
    return { state: 'new', step: 0, steps: settings.steps, seconds: 0, attempts: 0, updated: created };
  }

  async writeStatus(status: RunStatus): Promise<void> {
    await writeJson(this.file('status.json'), status);
  }
}

/** Settings that make the run of `config` again, without presets, which may have changed. */
export function settledBy({ settings, resolved }: RunConfig): CompleteSettings {
  return { ...settings, preset: 'none', options: resolved.options, envs: resolved.envs };
}

/** What {@link RunFolder.create} needs besides the settings. */
export type RunDetails = Pick<RunConfig, 'resolved' | 'task'>;

/** The runs in `path`, which is a run's folder itself or has runs in it, at any depth; sorted by path. */
export async function findRuns(path: string): Promise<RunFolder[]> {
  requirePath('findRuns', path);
  if (isRun(path)) return [new RunFolder(path)];
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  const found = await Promise.all(folders.sort().map(findRuns));
  return found.flat();
}

/** Other programs have files of this name too. */
function isRun(path: string): boolean {
  try {
    const config: RunConfig | null = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
    return config?.format === 'diffrl-run';
  } catch {
    return false;
  }
}

export async function writeJson(path: string, content: unknown): Promise<void> {
  await writeFileAtomically('RunFolder', path, `${JSON.stringify(content, null, 2)}\n`);
}

/** Letters, digits and what is harmless in names of files; of a module its function or file. */
export function fileName(value: string | number): string {
  const [path, exported] = String(value).split('#') as [string, string?];
  const name = exported ?? (/\.[cm]?[jt]s$/.test(path) ? path.replace(/^.*[/\\]|\.\w+$/g, '') : path);
  return name.replace(/[^\w.-]+/g, '-');
}

function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
}

/** Makes a folder that nobody else has made, under the name or with a number after it. */
async function claimName(parent: string, name: string): Promise<string> {
  await makeFolder('createRun', parent);
  for (let i = 1; ; i++) {
    const path = join(parent, i === 1 ? name : `${name}-${i}`);
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function machine(): RunConfig['machine'] {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const cpu = cpus()[0]?.model.trim() || process.arch;
  return { platform: `${process.platform} ${process.arch}`, cpu, cores: availableParallelism(), memoryGiB: gibibytes };
}

function commit(): { commit?: string } {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return { commit: git('rev-parse', 'HEAD') + (isChanged ? '-changed' : '') };
  } catch {
    return {};
  }
}
