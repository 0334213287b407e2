import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { EnvironmentError, MissingPackageError } from '../errors.js';
import type { Link } from './channel.js';
import { nodeModule } from './nodeModules.js';

export interface PythonOptions {
  /** A Gymnasium id, or `file.py:function` or `module:function` that makes an environment. */
  environment: string;
  /** Keyword arguments of `gymnasium.make` or of the function. */
  kwargs: Record<string, unknown> | undefined;
  numEnvs: number;
  /** The interpreter. */
  python: string;
  /** Gets what the process prints, in pieces. */
  onOutput: ((text: string) => void) | undefined;
}

/** Characters of a process's output that are kept for messages. */
const KEPT_OUTPUT = 4000;
/** Milliseconds that a process has to end by itself. */
const GRACE = 2000;

/** A child process that serves environments over its standard input and output. */
export class PythonLink implements Link {
  readonly peer: string;
  private readonly child: ChildProcess;
  private output = '';
  private ended: ((reason: string) => void) | undefined;
  private hasClosed = false;

  private constructor(child: ChildProcess, options: PythonOptions) {
    this.peer = `python:${options.environment}`;
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-KEPT_OUTPUT);
      options.onOutput?.(text);
    });
    child.on('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      this.ended?.(`the Python process ${how}${this.output ? `; its last output:\n${this.output.trimEnd()}` : '.'}`);
    });
    child.stdin?.on('error', () => {}); // the process has ended, which 'close' tells
  }

  /** @throws MissingPackageError if there is no such interpreter */
  static async start(options: PythonOptions): Promise<PythonLink> {
    const { spawn } = nodeModule('connectEnv', 'node:child_process');
    const { environment, kwargs, numEnvs, python } = options;
    const args = ['--env', environment, '--num', `${numEnvs}`, '--kwargs', JSON.stringify(kwargs ?? {}), '--stdio'];
    const child = spawn(python, [serverFile(), ...args], { stdio: 'pipe', windowsHide: true });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `connectEnv: the Python interpreter '${python}' cannot be started (${cause.code}). Install Python 3.8 or later, or name another one with option 'python' or the variable DIFFRL_PYTHON.`;
        reject(new MissingPackageError(message, { cause }));
      });
    });
    return new PythonLink(child, options);
  }

  listen(data: (bytes: Uint8Array) => void, end: (reason: string) => void): void {
    this.ended = end;
    this.child.stdout?.on('data', (bytes: Buffer) => {
      data(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    });
  }

  send(bytes: Uint8Array): void {
    this.child.stdin?.write(bytes);
  }

  /** The process ends at the end of its input, or is ended. */
  close(): void {
    if (this.hasClosed) return;
    this.hasClosed = true;
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), GRACE);
    timer.unref();
    this.child.once('exit', () => clearTimeout(timer));
  }

  hold(held: boolean): void {
    for (const part of [this.child, this.child.stdin, this.child.stdout, this.child.stderr]) {
      if (held) (part as Socket).ref();
      else (part as Socket).unref();
    }
  }
}

/** Where `diffrl_env.py` is: in the package's folder `python`, above this file. */
export function serverFile(): string {
  const { existsSync } = nodeModule('connectEnv', 'node:fs');
  const { fileURLToPath, pathToFileURL } = nodeModule('connectEnv', 'node:url');
  const here = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
  const places = ['../../python/', '../../../python/'].map((up) => fileURLToPath(new URL(`${up}diffrl_env.py`, here)));
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new EnvironmentError(`connectEnv: ${places.join(' or ')} is missing; the package is not complete.`);
}
