import { ConnectionLostError, ProtocolError } from './errors.js';
import { encodeFrame, type Frame, FrameReader, FrameType } from './frames.js';
import { encodeError } from './messages.js';

/** What carries bytes in both directions. */
export interface Link {
  /** Who the other side is, for messages. */
  readonly peer: string;
  /** Called once; `data` and `end` are called from then on. Bytes handed to `data` are not written to again. */
  listen(data: (bytes: Uint8Array) => void, end: (reason: string) => void): void;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Sends what is under way, then ends. */
  close(): void;
  /** Whether the link keeps the process alive. */
  hold(held: boolean): void;
}

/** Frames that may arrive before anybody asks for them: an answer, and an error that ends the connection. */
const MAX_UNREAD = 2;

/** A connection as frames. It ends with the first fault. */
export class Channel {
  /** Resolves when the connection has ended, with the reason. */
  readonly ended: Promise<Error>;
  private readonly reader = new FrameReader();
  private readonly unread: Frame[] = [];
  private waiting: { resolve(frame: Frame): void; reject(reason: Error): void } | undefined;
  private fault: Error | undefined;
  private announceEnd!: (reason: Error) => void;

  constructor(private readonly link: Link) {
    this.ended = new Promise((resolve) => {
      this.announceEnd = resolve;
    });
    link.hold(false);
    link.listen(
      (bytes) => this.take(bytes),
      (reason) => this.end(new ConnectionLostError(`${link.peer}: ${reason}`)),
    );
  }

  get peer(): string {
    return this.link.peer;
  }

  /** Why the connection has ended, if it has. */
  get reason(): Error | undefined {
    return this.fault;
  }

  /** Largest body that is accepted from now on, in bytes. */
  set limit(bytes: number) {
    this.reader.limit = bytes;
  }

  send(type: FrameType, parts?: readonly Uint8Array[]): void {
    if (!this.fault) this.link.send(encodeFrame(type, parts));
  }

  /**
   * The next frame.
   *
   * @param timeout milliseconds after which the connection is ended; for ever by default
   * @throws ConnectionLostError, ProtocolError once the connection has ended
   */
  async receive(timeout?: number): Promise<Frame> {
    const frame = this.unread.shift();
    if (frame) return frame;
    if (this.fault) throw this.fault;
    const timer = timeout === undefined ? undefined : setTimeout(() => this.expire(timeout), timeout);
    this.link.hold(true);
    try {
      return await new Promise<Frame>((resolve, reject) => {
        this.waiting = { resolve, reject };
      });
    } finally {
      clearTimeout(timer);
      this.link.hold(false);
    }
  }

  /** Ends the connection; a `fault` of the protocol is named to the other side first. */
  end(fault: Error): void {
    if (this.fault) return;
    if (fault instanceof ProtocolError) {
      this.send(FrameType.error, encodeError({ name: fault.name, message: fault.message, fatal: true }));
    }
    this.fault = fault;
    this.link.close();
    this.waiting?.reject(fault);
    this.waiting = undefined;
    this.announceEnd(fault);
  }

  private take(bytes: Uint8Array): void {
    if (this.fault) return;
    try {
      for (const frame of this.reader.read(bytes)) this.deliver(frame);
    } catch (error) {
      this.end(named(error, this.peer));
    }
  }

  private deliver(frame: Frame): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) waiting.resolve(frame);
    else this.unread.push(frame);
    if (this.unread.length > MAX_UNREAD) throw new ProtocolError('frames were sent without waiting for answers');
  }

  private expire(timeout: number): void {
    this.end(new ConnectionLostError(`${this.peer}: no answer within ${timeout / 1000} s`));
  }
}

/** A fault of the protocol, with the name of the peer before it. */
export function named(error: unknown, peer: string): Error {
  if (!(error instanceof ProtocolError)) return error as Error;
  return new ProtocolError(`${peer}: ${error.message}`, { cause: error });
}
