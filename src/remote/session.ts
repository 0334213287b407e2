import { decodeSafetensors, encodeSafetensors } from '../checkpoint/safetensors.js';
import { CheckpointError, EnvironmentError } from '../errors.js';
import type { Commit, StateDict } from '../state.js';
import { type Channel, named } from './channel.js';
import { ConnectionLostError, ProtocolError } from './errors.js';
import { BodyReader, type Frame, FrameType, frameName } from './frames.js';
import {
  decodeError,
  decodeStarted,
  decodeStepped,
  decodeWelcome,
  encodeHello,
  encodeReset,
  encodeStep,
  type Hello,
  type Started,
  type Stepped,
  type Welcome,
} from './messages.js';

/** The acting side of one connection: one request at a time, each with its answer. */
export class Session {
  private constructor(
    private readonly channel: Channel,
    readonly welcome: Welcome,
    private readonly autoreset: boolean,
    private readonly timeout: number,
  ) {}

  /**
   * Says hello and hears what the environments are like.
   *
   * @param limit largest body of a frame that is accepted, in bytes
   * @param patience milliseconds to wait for the welcome, while environments are made
   * @param timeout milliseconds to wait for every other answer
   */
  static async open(
    channel: Channel,
    hello: Hello,
    { limit, patience, timeout }: { limit: number; patience: number; timeout: number },
  ): Promise<Session> {
    channel.limit = limit;
    channel.send(FrameType.hello, encodeHello(hello));
    const welcome = await answer(channel, FrameType.welcome, patience, decodeWelcome);
    if (hello.numEnvs !== undefined && welcome.numEnvs !== hello.numEnvs) {
      throw refused(channel, `asked for ${hello.numEnvs} environments, got ${welcome.numEnvs}`);
    }
    return new Session(channel, welcome, hello.autoreset, timeout);
  }

  get peer(): string {
    return this.channel.peer;
  }

  /** Starts episodes; environments without a seed go on with their stream. */
  reset(seeds: readonly (number | undefined)[]): Promise<Started> {
    return this.ask(FrameType.reset, encodeReset(seeds), FrameType.started, (frame) =>
      decodeStarted(frame, this.welcome),
    );
  }

  step(actions: Float32Array): Promise<Stepped> {
    return this.ask(FrameType.step, encodeStep(actions), FrameType.stepped, (frame) =>
      decodeStepped(frame, this.welcome, this.autoreset),
    );
  }

  state(): Promise<StateDict> {
    return this.ask(FrameType.getState, [], FrameType.state, ({ body }) => decodeSafetensors(body).state);
  }

  /** @throws CheckpointError if the other side finds that the state does not fit */
  async prepare(state: StateDict): Promise<Commit> {
    try {
      await this.order(FrameType.prepare, [encodeSafetensors(state)]);
    } catch (cause) {
      if (this.channel.reason) throw cause;
      throw new CheckpointError((cause as Error).message, { cause });
    }
    return () => this.order(FrameType.commit, []);
  }

  close(): void {
    this.channel.end(new ConnectionLostError(`${this.peer}: it was closed here`));
  }

  private order(type: FrameType, parts: Uint8Array[]): Promise<void> {
    return this.ask(type, parts, FrameType.done, (frame) => new BodyReader(frame).end());
  }

  private ask<T>(type: FrameType, parts: Uint8Array[], expected: FrameType, decode: (frame: Frame) => T): Promise<T> {
    if (this.channel.reason) return Promise.reject(this.channel.reason);
    this.channel.send(type, parts);
    return answer(this.channel, expected, this.timeout, decode);
  }
}

async function answer<T>(
  channel: Channel,
  expected: FrameType,
  timeout: number,
  decode: (frame: Frame) => T,
): Promise<T> {
  const frame = await channel.receive(timeout);
  try {
    if (frame.type === FrameType.error) throw remoteError(channel, frame);
    if (frame.type !== expected) {
      throw new ProtocolError(`expected a ${frameName(expected)} frame, got ${frameName(frame.type)}`);
    }
    return decode(frame);
  } catch (error) {
    if (error instanceof ProtocolError) channel.end(error);
    throw named(error, channel.peer);
  }
}

/** The error that the other side tells of; the connection goes on unless it is fatal. */
function remoteError(channel: Channel, frame: Frame): Error {
  const { name, message, fatal } = decodeError(frame);
  const text = `${channel.peer}: ${name}: ${message}`;
  const error = name === 'ProtocolError' ? new ProtocolError(text) : new EnvironmentError(text);
  if (fatal) channel.end(new ConnectionLostError(text));
  return error;
}

function refused(channel: Channel, what: string): ProtocolError {
  const error = new ProtocolError(`${channel.peer}: ${what}`);
  channel.end(error);
  return error;
}
