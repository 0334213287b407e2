import { isTypedArray, requireInteger } from '../errors.js';
import { ProtocolError } from './errors.js';

/** The kinds of frames, see docs/remote.md. */
export const FrameType = {
  hello: 1,
  welcome: 2,
  reset: 3,
  started: 4,
  step: 5,
  stepped: 6,
  getState: 7,
  state: 8,
  prepare: 9,
  done: 10,
  offer: 11,
  commit: 12,
  error: 15,
} as const;

export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export interface Frame {
  type: FrameType;
  body: Uint8Array<ArrayBuffer>;
}

/** Largest body of a frame before both ends know each other, in bytes. */
export const HANDSHAKE_LIMIT = 2 ** 16;
/** Largest body of a frame by default, in bytes. */
export const FRAME_LIMIT = 2 ** 26;

const HEADER = 8;
const NAMES = new Map(Object.entries(FrameType).map(([name, type]) => [type as number, name]));

/** The name of a kind of frame, for messages. */
export function frameName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

/** Header and body of a frame as one piece. */
export function encodeFrame(type: FrameType, parts: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(HEADER + length);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes[4] = type;
  let at = HEADER;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  /** Largest body that is accepted, in bytes. */
  limit: number;
  private chunks: Uint8Array[] = [];
  private held = 0;
  private needed = HEADER;

  constructor(limit = HANDSHAKE_LIMIT) {
    this.limit = requireInteger('FrameReader', 'limit', limit, { min: 1 });
  }

  /**
   * The frames that `bytes` completes. `bytes` may be used again by the caller only if it was copied.
   *
   * @throws ProtocolError for a frame that is too large or of an unknown kind; nothing more can be read then
   */
  *read(bytes: Uint8Array): Generator<Frame> {
    this.chunks.push(bytes);
    this.held += bytes.length;
    while (this.held >= this.needed) {
      const joined = this.join();
      const view = new DataView(joined.buffer, joined.byteOffset, joined.byteLength);
      const length = view.getUint32(0, true);
      const type = this.checked(view.getUint32(4, true), length);
      this.needed = HEADER + length;
      if (this.held < this.needed) return;
      const body = joined.slice(HEADER, this.needed);
      this.chunks = [joined.subarray(this.needed)];
      this.held -= this.needed;
      this.needed = HEADER;
      yield { type, body };
    }
  }

  private checked(type: number, length: number): FrameType {
    if (!NAMES.has(type)) throw new ProtocolError(`there is no frame of type ${type}`);
    if (length > this.limit) {
      throw new ProtocolError(
        `a frame of ${length} bytes (${frameName(type)}) is larger than the ${this.limit} that are allowed`,
      );
    }
    return type as FrameType;
  }

  private join(): Uint8Array<ArrayBuffer> {
    const [first] = this.chunks;
    if (this.chunks.length === 1) return first as Uint8Array<ArrayBuffer>;
    const joined = new Uint8Array(this.held);
    let at = 0;
    for (const chunk of this.chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.chunks = [joined];
    return joined;
  }
}

/** Takes a body apart, piece by piece; every piece is a copy. */
export class BodyReader {
  private at = 0;

  constructor(private readonly frame: Frame) {}

  floats(count: number): Float32Array {
    return new Float32Array(this.take(4 * count).buffer);
  }

  doubles(count: number): Float64Array {
    return new Float64Array(this.take(8 * count).buffer);
  }

  bytes(count: number): Uint8Array {
    return this.take(count);
  }

  /** All that is left, as JSON; `undefined` if nothing is left. */
  json(): unknown {
    const text = this.take(this.frame.body.length - this.at);
    if (!text.length) return undefined;
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    } catch (cause) {
      throw new ProtocolError(`a ${frameName(this.frame.type)} frame holds text that is not JSON`, { cause });
    }
  }

  /** @throws ProtocolError unless all was read */
  end(): void {
    const left = this.frame.body.length - this.at;
    if (left) throw new ProtocolError(`a ${frameName(this.frame.type)} frame is ${left} bytes too long`);
  }

  private take(count: number): Uint8Array<ArrayBuffer> {
    const end = this.at + count;
    if (end > this.frame.body.length) {
      throw new ProtocolError(
        `a ${frameName(this.frame.type)} frame must have at least ${end} bytes, got ${this.frame.body.length}`,
      );
    }
    const piece = this.frame.body.slice(this.at, end);
    this.at = end;
    return piece;
  }
}

/** The bytes of an array of numbers, without a copy. */
export function bytesOf(array: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function jsonBytes(value: unknown): Uint8Array {
  const asList = (_: string, entry: unknown) => (isTypedArray(entry) ? Array.from(entry) : entry);
  return new TextEncoder().encode(JSON.stringify(value, asList));
}
