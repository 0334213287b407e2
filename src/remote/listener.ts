import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ArgumentError, DiffrlError, requireInteger } from '../errors.js';
import { Channel } from './channel.js';
import { ConnectionLostError } from './errors.js';
import { FRAME_LIMIT } from './frames.js';
import { SocketLink, WebSocketLink } from './links.js';
import { nodeModule, webSocketPackage } from './nodeModules.js';

/** Where to wait for connections. */
export interface ListenOptions {
  /** Address to listen at. Default `127.0.0.1`, which other machines cannot reach; anything else needs a token. */
  host?: string;
  /** Default 5555; 0 takes any free one. */
  port?: number;
  /** A secret that whoever connects must know. Pages need one always, since any page may try. */
  token?: string;
}

/** Connections at the same time. */
const MAX_CONNECTIONS = 64;
const SHORTEST_TOKEN = 8;

/** Waits for plain sockets and WebSockets on one port: those that begin with an HTTP request are WebSockets. */
export class Listener {
  private readonly channels = new Set<Channel>();

  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {}

  /**
   * @param where the public name the user called
   * @param accept gets every connection
   * @throws ArgumentError for a host beyond this machine without a token
   * @throws DiffrlError if the port is taken
   */
  static async open(where: string, options: ListenOptions, accept: (channel: Channel) => void): Promise<Listener> {
    const { host = '127.0.0.1', token } = options;
    const port = requireInteger(where, 'port', options.port ?? 5555, { min: 0, max: 65_535 });
    requireToken(where, host, token);
    const { createServer } = nodeModule(where, 'node:net');
    const upgrade = await webSocketDoor(Boolean(token), (channel) => listener.take(channel, accept));
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('readable', () => {
        const start: Buffer | null = socket.read();
        if (!start) return;
        socket.unshift(start);
        if (start.subarray(0, 4).toString('latin1') === 'GET ') return upgrade(socket);
        socket.setTimeout(0);
        listener.take(new Channel(new SocketLink(socket, peerOf(socket))), accept);
      });
      socket.setTimeout(SILENCE, () => socket.destroy());
    });
    server.maxConnections = MAX_CONNECTIONS;
    const listener = new Listener(server, host);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new DiffrlError(`${where}: cannot listen at ${host}:${port}: ${cause.message}`, { cause })),
      );
      server.listen(port, host, resolve);
    });
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends all connections and listens no more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const channel of this.channels) channel.end(new ConnectionLostError(`${channel.peer}: the server was closed`));
    await closed;
  }

  private take(channel: Channel, accept: (channel: Channel) => void): void {
    this.channels.add(channel);
    void channel.ended.then(() => this.channels.delete(channel));
    accept(channel);
  }
}

/** Milliseconds that a connection may be silent before its first bytes, or before it is a WebSocket, which package `ws` lets be silent. */
const SILENCE = 10_000;

/** Compares in a time that does not depend on where the two differ. */
export function isSameToken(where: string, expected: string | undefined, given: string | undefined): boolean {
  if (expected === undefined) return true;
  const { createHash, timingSafeEqual } = nodeModule(where, 'node:crypto');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(given ?? ''));
}

function requireToken(where: string, host: string, token: string | undefined): void {
  if (token !== undefined && token.length < SHORTEST_TOKEN) {
    throw new ArgumentError(`${where}: token must have at least ${SHORTEST_TOKEN} characters, got ${token.length}.`);
  }
  if (token !== undefined || isLoopback(host)) return;
  throw new ArgumentError(
    `${where}: host '${host}' can be reached from other machines, so a token is needed: pass one, such as that of 'openssl rand -hex 16', and the same to whoever connects.`,
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Turns sockets that begin with an HTTP request into WebSockets. */
async function webSocketDoor(hasToken: boolean, accept: (channel: Channel) => void): Promise<(socket: Socket) => void> {
  const { WebSocketServer } = await webSocketPackage();
  const { createServer } = nodeModule('serveEnv', 'node:http');
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: FRAME_LIMIT + 8 });
  const http = createServer((_, response) => {
    response.writeHead(426, { connection: 'close' }).end('This is an environment; connect by WebSocket.\n');
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.origin !== undefined && !hasToken) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\nPages need a token; start the server with one.\n');
      return;
    }
    const peer = peerOf(request.socket);
    sockets.handleUpgrade(request, socket, head, (opened) => accept(new Channel(new WebSocketLink(opened, peer))));
  });
  return (socket) => void http.emit('connection', socket);
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
