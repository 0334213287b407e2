/** The program that a worker of {@link WorkerVectorEnv} runs. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Queue } from '../compile/queue.js';
import { resetBatch, stepBatch } from '../envs/batch.js';
import type { Env } from '../envs/env.js';
import { hasState } from '../envs/hasState.js';
import { type Commit, prefixed, type StateDict, type Stateful, substate } from '../state.js';
import {
  type SharedArrays,
  sharedArrays,
  type WorkerReady,
  type WorkerRequest,
  type WorkerSetup,
} from './vectorProtocol.js';

const HERE = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;

if (parentPort) serve(parentPort, workerData as WorkerSetup);

/** Makes the environments, says what they are like, then answers one request after the other. */
async function serve(port: MessagePort, setup: WorkerSetup): Promise<void> {
  const { first, count } = setup;
  let envs: Env[] = [];
  let shared: SharedArrays | undefined;
  let commit: Commit | undefined;
  const answer = async (run: () => unknown) => {
    try {
      port.postMessage({ value: await run() });
    } catch (error) {
      port.postMessage({ fault: error instanceof Error ? error.message : String(error) });
    }
  };
  const handle = (request: WorkerRequest) => {
    switch (request.kind) {
      case 'memory': {
        const [{ observationSpace, actionSpace }] = envs as [Env];
        const sizes = { observation: observationSpace.size, action: actionSpace.size };
        shared = sharedArrays(request.buffer, request.numEnvs, sizes, first, count);
        return;
      }
      case 'reset':
        return resetBatch(envs, shared!.observations, first, request.seed);
      case 'step':
        return stepBatch(envs, shared!.actions, shared!, first);
      case 'state':
        return gather(envs, first);
      case 'prepare':
        return prepare(envs, first, request.state).then((prepared) => {
          commit = prepared;
        });
      case 'commit':
        return commit?.();
      case 'close':
        return Promise.all(envs.map((env) => env.close?.()));
    }
  };
  await answer(async () => {
    envs = await make(setup);
    return describe(envs);
  });
  const queue = new Queue();
  port.on('message', (request: WorkerRequest) => queue.run(() => answer(() => handle(request))));
}

async function make({ module, export: name, args, count }: WorkerSetup): Promise<Env[]> {
  const factory = (await load(module))[name];
  if (typeof factory !== 'function') throw new Error(`module '${module}' exports no function '${name}'`);
  return Promise.all(Array.from({ length: count }, (): Promise<Env> => factory(...args)));
}

/** A package is looked for beside this one, then in the folder that the process was started in. */
function load(module: string): Promise<Record<string, unknown>> {
  if (isTypeScript(module) && !isTypeScript(HERE)) return loadTypeScript(module);
  return import(module).catch((error) => {
    const isPackage = !/^(\w+:|[./])/.test(module);
    if (!isPackage || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const here = createRequire(join(process.cwd(), 'index.js'));
    return import(pathToFileURL(here.resolve(module)).href);
  });
}

/** By tsx, if the project has it: its hooks do not reach workers by themselves. Else by Node, which may be able to. */
async function loadTypeScript(module: string): Promise<Record<string, unknown>> {
  const tsx = await findTsx(module);
  if (tsx) return tsx.tsImport(module, HERE);
  return import(module).catch((error) => {
    if (error.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    throw new Error(`'${module}' is TypeScript: install tsx, or name the JavaScript that is built of it`);
  });
}

async function findTsx(module: string): Promise<typeof import('tsx/esm/api') | undefined> {
  const from = [module, pathToFileURL(join(process.cwd(), 'index.js')).href];
  for (const place of from) {
    try {
      const found = createRequire(place).resolve('tsx/esm');
      return await import(new URL('./api/index.mjs', pathToFileURL(found)).href);
    } catch {
      // look elsewhere
    }
  }
  return undefined;
}

function isTypeScript(path: string): boolean {
  return /\.[cm]?tsx?$/.test(path);
}

function describe(envs: readonly Env[]): WorkerReady {
  const [{ id, observationSpace, actionSpace }] = envs as [Env];
  return {
    id,
    observationSpace: { low: observationSpace.low, high: observationSpace.high },
    actionSpace: { low: actionSpace.low, high: actionSpace.high },
    keeps: envs.every(hasState) ? 'state' : envs.every(({ memory }) => memory) ? 'memory' : undefined,
  };
}

/** What of each environment is saved. */
function kept(envs: readonly Env[]): readonly Stateful[] {
  return envs.every(hasState) ? envs : envs.map(({ memory }) => memory!);
}

async function gather(envs: readonly Env[], first: number): Promise<StateDict> {
  const states = await Promise.all(kept(envs).map((part) => part.state()));
  return Object.assign({}, ...states.map((state, i) => prefixed(`env${first + i}`, state)));
}

async function prepare(envs: readonly Env[], first: number, state: StateDict): Promise<Commit> {
  const commits = await Promise.all(kept(envs).map((part, i) => part.prepare(substate(state, `env${first + i}`))));
  return async () => {
    for (const commit of commits) await commit();
  };
}
