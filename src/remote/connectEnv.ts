import { ArgumentError, requireInteger, requireNumber, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { allOrNone } from '../settled.js';
import { type Address, parseAddress } from './address.js';
import { Channel, type Link } from './channel.js';
import { FRAME_LIMIT } from './frames.js';
import { dialSocket, dialWebSocket } from './links.js';
import { Member } from './member.js';
import type { Hello } from './messages.js';
import { nodeModule } from './nodeModules.js';
import { PythonLink } from './pythonProcess.js';
import { RemoteEnv } from './remoteEnv.js';
import { RemoteVectorEnv } from './remoteVectorEnv.js';
import { Session } from './session.js';

/** How long is waited for what is elsewhere. */
export interface WaitOptions {
  /** Milliseconds that a server has for the answer to a reset or a step, after which it counts as lost. Default 30,000. */
  timeout?: number;
  /** Milliseconds that a server has to make its environments, and to come back when it was lost. Default 120,000. */
  patience?: number;
}

/** Options of {@link connectEnv}. */
export interface ConnectOptions extends WaitOptions {
  /** What the server was given as its token; needed by servers that are reached from other machines. */
  token?: string;
  /** `python:` addresses: the interpreter. Default the variable `DIFFRL_PYTHON`, else `python3`. */
  python?: string;
  /** `python:` addresses: keyword arguments of `gymnasium.make`, or of your function. */
  kwargs?: Record<string, unknown>;
  /** `python:` addresses: gets what the process prints, which otherwise is shown only when it fails. */
  onOutput?: (text: string) => void;
}

/** Options of {@link connectVectorEnv}. */
export interface ConnectVectorOptions extends ConnectOptions {
  /** Environments of each address. Default 1 for `python:`, all that a server offers otherwise. */
  numEnvs?: number;
  /** Processes for each `python:` address. Default one an environment, but no more than the machine has cores. */
  processes?: number;
}

const CONNECT = { timeout: true, patience: true, token: true, python: true, kwargs: true, onOutput: true } as const;
const TIMEOUT = 30_000;
const PATIENCE = 120_000;

/**
 * An environment elsewhere. It trains like a local one.
 *
 * | address | what answers |
 * |---|---|
 * | `python:HalfCheetah-v5` | `gymnasium.make` in a Python process that is started, and ended, for it |
 * | `python:robot.py:make` | what function `make` of file `robot.py` (or of a module `robot`, without `.py`) returns |
 * | `tcp://lab:5555` | `python diffrl_env.py --env ID --port 5555`, `diffrl serve-env` or {@link serveEnv} |
 * | `ws://localhost:5555` | the same by WebSocket; works in a page as well |
 *
 * @throws ArgumentError for an address of another form
 * @throws MissingPackageError if there is no such interpreter
 * @throws ConnectionLostError if nothing answers at the address
 * @throws ProtocolError if what answers there speaks something else
 * @throws EnvironmentError if the environment cannot be made, with the reason given by Python
 *
 * @example
 * ```ts
 * const env = await connectEnv('python:HalfCheetah-v5', { kwargs: { ctrl_cost_weight: 0.05 } });
 * const { observation } = await env.reset({ seed: 1 });
 * env.close();
 * ```
 */
export async function connectEnv(address: string, options: ConnectOptions = {}): Promise<RemoteEnv> {
  const parsed = parseAddress('connectEnv', address);
  requireOptions('connectEnv', options, CONNECT);
  const { timeout, patience } = waits('connectEnv', options);
  const hello: Hello = { token: options.token, numEnvs: 1, autoreset: false };
  const dial = () => open(parsed, hello, options, { timeout, patience });
  return new RemoteEnv(await Member.connect(dial, patience));
}

/**
 * The environments of one or several addresses of {@link connectEnv} as one vector environment. Servers step at the same
 * time, each in a process or on a machine of its own.
 *
 * @throws as {@link connectEnv}; what was opened is closed then
 *
 * @example
 * ```ts
 * const many = await connectVectorEnv('python:Humanoid-v5', { numEnvs: 16 });
 * const far = await connectVectorEnv(['tcp://node1:5555', 'tcp://node2:5555'], { token: process.env.TOKEN });
 * ```
 */
export async function connectVectorEnv(
  addresses: string | readonly string[],
  options: ConnectVectorOptions = {},
): Promise<RemoteVectorEnv> {
  const where = 'connectVectorEnv';
  const parsed = [addresses].flat().map((address) => parseAddress(where, address));
  if (!parsed.length) throw new ArgumentError(`${where}: addresses must name at least one server.`);
  requireOptions(where, options, { ...CONNECT, numEnvs: true, processes: true });
  const { timeout, patience } = waits(where, options);
  const dials = parsed.flatMap((address) =>
    shares(where, address, options).map((numEnvs) => {
      const hello: Hello = { token: options.token, numEnvs, autoreset: true };
      return () => open(address, hello, options, { timeout, patience });
    }),
  );
  const members = dials.map((dial) => Member.connect(dial, patience));
  return allOrNone(members, (connected) => new RemoteVectorEnv(connected));
}

/** @throws ArgumentError unless both are numbers of milliseconds */
export function waits(where: string, options: WaitOptions): Required<WaitOptions> {
  return {
    timeout: requireNumber(where, 'timeout', options.timeout ?? TIMEOUT, { above: 0, max: LONGEST_WAIT }),
    patience: requireNumber(where, 'patience', options.patience ?? PATIENCE, { above: 0, max: LONGEST_WAIT }),
  };
}

/** The longest that a timer can wait. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** Numbers of environments of each connection to `address`. */
function shares(where: string, address: Address, options: ConnectVectorOptions): (number | undefined)[] {
  const { numEnvs } = options;
  if (numEnvs !== undefined) requireInteger(where, 'numEnvs', numEnvs, { min: 1 });
  if (address.kind !== 'python') return [numEnvs];
  const count = numEnvs ?? 1;
  const limit = Math.min(count, nodeModule(where, 'node:os').availableParallelism());
  const processes = requireInteger(where, 'processes', options.processes ?? limit, { min: 1, max: count });
  const end = (i: number) => Math.floor((i * count) / processes);
  return Array.from({ length: processes }, (_, i) => end(i + 1) - end(i));
}

async function open(
  address: Address,
  hello: Hello,
  options: ConnectOptions,
  wait: Required<WaitOptions>,
): Promise<Session> {
  const channel = new Channel(await dialAddress(address, hello, options, wait.timeout));
  return Session.open(channel, hello, { ...wait, limit: FRAME_LIMIT });
}

function dialAddress(address: Address, hello: Hello, options: ConnectOptions, timeout: number): Promise<Link> {
  switch (address.kind) {
    case 'python':
      return PythonLink.start({
        environment: address.environment,
        kwargs: options.kwargs,
        numEnvs: hello.numEnvs ?? 1,
        python: interpreter(options.python),
        onOutput: options.onOutput,
      });
    case 'tcp':
      return dialSocket(address.host, address.port, timeout);
    case 'ws':
      return dialWebSocket(address.url, timeout);
  }
}

function interpreter(chosen: string | undefined): string {
  if (chosen === '') throw new ArgumentError(`connectEnv: python must name an interpreter, got ${show(chosen)}.`);
  return chosen ?? globalThis.process?.env.DIFFRL_PYTHON ?? 'python3';
}
