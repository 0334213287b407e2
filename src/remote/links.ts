import type { Socket } from 'node:net';
import type { WebSocket as NodeWebSocket } from 'ws';
import type { Link } from './channel.js';
import { ConnectionLostError } from './errors.js';
import { FRAME_LIMIT } from './frames.js';
import { nodeModule, webSocketPackage } from './nodeModules.js';

/** Seconds without traffic after which a plain socket looks whether its peer is alive. */
const KEEP_ALIVE = 10;

/** A plain socket as a link. */
export class SocketLink implements Link {
  constructor(
    private readonly socket: Socket,
    readonly peer: string,
  ) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 1000 * KEEP_ALIVE);
  }

  listen(data: (bytes: Uint8Array) => void, end: (reason: string) => void): void {
    this.socket.on('data', (bytes: Buffer) => data(plain(bytes)));
    this.socket.on('error', (error) => end(error.message));
    this.socket.on('close', () => end('the connection was closed by the other side'));
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroySoon();
  }

  hold(held: boolean): void {
    if (held) this.socket.ref();
    else this.socket.unref();
  }
}

/** A WebSocket, that of a page or that of package `ws`, as a link. */
export class WebSocketLink implements Link {
  constructor(
    private readonly socket: WebSocket | NodeWebSocket,
    readonly peer: string,
  ) {
    socket.binaryType = 'arraybuffer';
  }

  listen(data: (bytes: Uint8Array) => void, end: (reason: string) => void): void {
    const socket = this.socket as WebSocket;
    socket.onmessage = ({ data: message }: MessageEvent) => {
      if (message instanceof ArrayBuffer) data(new Uint8Array(message));
      else end('it sent text, but frames are binary');
    };
    socket.onerror = (event) => end((event as ErrorEvent).message || 'the WebSocket failed');
    socket.onclose = ({ reason }) => end(reason || 'the connection was closed by the other side');
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket.readyState === OPEN) this.socket.send(bytes);
  }

  close(): void {
    this.socket.close();
  }

  hold(held: boolean): void {
    const socket = (this.socket as { _socket?: Socket })._socket;
    if (held) socket?.ref();
    else socket?.unref();
  }
}

const OPEN = 1;

/** Connects a plain socket. */
export function dialSocket(host: string, port: number, timeout: number): Promise<Link> {
  const peer = `tcp://${host}:${port}`;
  const { connect } = nodeModule('connectEnv', 'node:net');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new ConnectionLostError(`${peer}: ${reason}`));
    };
    socket.once('error', (error) => fail(error.message || String((error as NodeJS.ErrnoException).code)));
    socket.once('timeout', () => fail(`no connection within ${timeout / 1000} s`));
    socket.once('connect', () => {
      socket.removeAllListeners().setTimeout(0);
      resolve(new SocketLink(socket, peer));
    });
  });
}

/** Connects a WebSocket, the page's own where there is one. */
export async function dialWebSocket(url: string, timeout: number): Promise<Link> {
  const socket = isNode() ? await nodeWebSocket(url, timeout) : new WebSocket(url);
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.close();
      reject(new ConnectionLostError(`${url}: ${reason}`));
    };
    const timer = setTimeout(() => fail(`no connection within ${timeout / 1000} s`), timeout);
    socket.onerror = (event: unknown) => fail((event as ErrorEvent).message || 'no connection');
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(new WebSocketLink(socket, url));
    };
  });
}

async function nodeWebSocket(url: string, timeout: number): Promise<NodeWebSocket> {
  const { WebSocket: Implementation } = await webSocketPackage();
  return new Implementation(url, { perMessageDeflate: false, maxPayload: FRAME_LIMIT + 8, handshakeTimeout: timeout });
}

function isNode(): boolean {
  return Boolean(globalThis.process?.versions?.node);
}

function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
