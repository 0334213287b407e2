import { decodeSafetensors, encodeSafetensors } from '../checkpoint/safetensors.js';
import { show } from '../errors.js';
import type { Commit } from '../state.js';
import type { Channel } from './channel.js';
import { ConnectionLostError, ProtocolError } from './errors.js';
import { FRAME_LIMIT, type Frame, FrameType, frameName } from './frames.js';
import {
  decodeError,
  decodeHello,
  decodeReset,
  decodeStep,
  encodeError,
  encodeStarted,
  encodeStepped,
  encodeWelcome,
  type Hello,
} from './messages.js';
import type { Servant, Served } from './served.js';

/** Milliseconds that whoever connects has to say hello. */
export const HELLO_TIMEOUT = 10_000;

/**
 * The side that has the environments, for one connection: hears the hello, then answers requests until the end.
 * Whatever happens, it resolves, and the environments are released.
 *
 * @param isAllowed whether a token opens the door
 */
export async function serveChannel(
  channel: Channel,
  servant: Servant,
  isAllowed: (token: string | undefined) => boolean,
): Promise<void> {
  try {
    const hello = await hearHello(channel, isAllowed);
    const served = await servant.open(hello).catch((error) => {
      throw refuse(channel, error);
    });
    try {
      await answerAll(channel, served, hello);
    } finally {
      await served.release();
    }
  } catch (error) {
    channel.end(error as Error);
  }
}

async function hearHello(channel: Channel, isAllowed: (token: string | undefined) => boolean): Promise<Hello> {
  const frame = await channel.receive(HELLO_TIMEOUT);
  if (frame.type === FrameType.error) throw new ConnectionLostError(`${channel.peer}: ${decodeError(frame).message}`);
  if (frame.type !== FrameType.hello) throw new ProtocolError(`expected a hello frame, got ${frameName(frame.type)}`);
  const hello = decodeHello(frame);
  if (!isAllowed(hello.token)) throw new ProtocolError(TOKEN_REFUSED);
  return hello;
}

export const TOKEN_REFUSED = 'the token is missing or wrong; pass the one that the server was started with';

async function answerAll(channel: Channel, served: Served, { autoreset }: Hello): Promise<void> {
  channel.limit = FRAME_LIMIT;
  channel.send(FrameType.welcome, encodeWelcome(served.welcome));
  const responder = new Responder(served, autoreset);
  for (;;) {
    const frame = await channel.receive();
    try {
      const [type, parts] = await responder.respond(frame);
      channel.send(type, parts);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      channel.send(FrameType.error, encodeError({ ...namesOf(error), fatal: false }));
    }
  }
}

/** Answers requests, one after the other. */
class Responder {
  private commit: Commit | undefined;

  constructor(
    private readonly served: Served,
    private readonly autoreset: boolean,
  ) {}

  async respond(frame: Frame): Promise<[FrameType, Uint8Array[]]> {
    const { served, autoreset } = this;
    const { welcome } = served;
    switch (frame.type) {
      case FrameType.reset:
        return [FrameType.started, encodeStarted(await served.reset(decodeReset(frame, welcome.numEnvs)), welcome)];
      case FrameType.step: {
        const stepped = await served.step(decodeStep(frame, welcome));
        return [FrameType.stepped, encodeStepped(stepped, welcome, autoreset)];
      }
      case FrameType.getState:
        requireState(served);
        return [FrameType.state, [encodeSafetensors(await served.state())]];
      case FrameType.prepare:
        requireState(served);
        this.commit = await served.prepare(decodeSafetensors(frame.body).state);
        return [FrameType.done, []];
      case FrameType.commit:
        if (!this.commit) throw new ProtocolError('a commit frame must follow a prepare frame');
        await this.commit();
        this.commit = undefined;
        return [FrameType.done, []];
      default:
        throw new ProtocolError(`a ${frameName(frame.type)} frame is out of place here`);
    }
  }
}

function requireState({ welcome }: Served): void {
  if (!welcome.hasState) throw new ProtocolError('these environments have no state to save or put back');
}

/** Tells why nothing is served, and ends the connection. */
function refuse(channel: Channel, error: unknown): Error {
  channel.send(FrameType.error, encodeError({ ...namesOf(error), fatal: true }));
  return error as Error;
}

function namesOf(error: unknown): { name: string; message: string } {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: show(error) };
}
