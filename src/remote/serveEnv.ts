import { requireInteger } from '../errors.js';
import { requireOptions } from '../options.js';
import { isSameToken, Listener, type ListenOptions } from './listener.js';
import { serveChannel } from './serveChannel.js';
import { requireSource, Servant, type Source } from './served.js';

/** Options of {@link serveEnv}. */
export interface ServeOptions extends ListenOptions {
  /** How many environments a connection can have of a function that makes one. Default 1. */
  numEnvs?: number;
}

/** Environments that others can connect to. */
export interface EnvServer {
  /** What to hand to {@link connectEnv}, such as `tcp://127.0.0.1:5555`. */
  readonly address: string;
  /** Ends all connections and closes the environments that were made for them. */
  close(): Promise<void>;
}

/**
 * Serves an environment to other processes and machines: to {@link connectEnv}, and to Python's
 * `diffrl_env.connect('tcp://127.0.0.1:5555')`, which returns a Gymnasium environment.
 *
 * A function is called for every connection (as often as it asks for environments); an environment itself serves one
 * connection at a time. Plain sockets and WebSockets share the port. Nothing is encrypted: across networks that you do
 * not trust, use a tunnel.
 *
 * @throws ArgumentError for a host beyond this machine without a token
 * @throws DiffrlError if the port is taken
 *
 * @example
 * ```ts
 * const server = await serveEnv(() => makeMujoco('HalfCheetah-v5'), { numEnvs: 8 });
 * console.log(server.address); // tcp://127.0.0.1:5555
 * ```
 */
export async function serveEnv(source: Source, options: ServeOptions = {}): Promise<EnvServer> {
  requireOptions('serveEnv', options, { host: true, port: true, token: true, numEnvs: true });
  const numEnvs = requireInteger('serveEnv', 'numEnvs', options.numEnvs ?? 1, { min: 1 });
  const servant = new Servant(requireSource('serveEnv', source), numEnvs);
  const isAllowed = (token: string | undefined) => isSameToken('serveEnv', options.token, token);
  const running = new Set<Promise<void>>();
  const listener = await Listener.open('serveEnv', options, (channel) => {
    const done = serveChannel(channel, servant, isAllowed).finally(() => running.delete(done));
    running.add(done);
  });
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  return {
    address: `tcp://${host}:${listener.port}`,
    close: async () => {
      await listener.close();
      await Promise.all(running);
    },
  };
}
