import { ArgumentError } from '../errors.js';
import { requireOptions } from '../options.js';
import { parseAddress } from './address.js';
import { Channel } from './channel.js';
import { type WaitOptions, waits } from './connectEnv.js';
import { ConnectionLostError, ProtocolError } from './errors.js';
import { FRAME_LIMIT, FrameType, frameName } from './frames.js';
import { dialSocket, dialWebSocket } from './links.js';
import { isSameToken, Listener, type ListenOptions } from './listener.js';
import { Member } from './member.js';
import { decodeOffer, encodeOffer } from './messages.js';
import { RemoteEnv } from './remoteEnv.js';
import { HELLO_TIMEOUT, serveChannel, TOKEN_REFUSED } from './serveChannel.js';
import { requireSource, Servant, type Source } from './served.js';
import { Session } from './session.js';

/** An environment that was offered to somebody who trains. */
export interface Offer {
  /** Resolves when the connection has ended, with the reason. */
  readonly ended: Promise<Error>;
  /** Ends the connection. */
  close(): void;
}

/** Options of {@link offerEnv}. */
export interface OfferOptions {
  /** What {@link acceptEnv} was given. */
  token?: string;
}

/**
 * Offers an environment to somebody who waits with {@link acceptEnv}: the way for what cannot be connected to, such as a
 * page or a robot behind a router. Works in a page.
 *
 * @param address `ws://HOST:PORT`, `wss://HOST` or `tcp://HOST:PORT`
 * @throws ConnectionLostError if nobody waits there
 *
 * @example
 * ```ts
 * const offer = await offerEnv(new Pendulum(), 'ws://localhost:5555', { token: 'correct horse' });
 * console.log(await offer.ended);
 * ```
 */
export async function offerEnv(source: Source, address: string, options: OfferOptions = {}): Promise<Offer> {
  const { token } = requireOptions('offerEnv', options, { token: true });
  const servant = new Servant(requireSource('offerEnv', source), 1);
  const parsed = parseAddress('offerEnv', address);
  if (parsed.kind === 'python') {
    throw new ArgumentError("offerEnv: address must be 'ws://HOST:PORT' or 'tcp://HOST:PORT'.");
  }
  const link =
    parsed.kind === 'tcp'
      ? await dialSocket(parsed.host, parsed.port, HELLO_TIMEOUT)
      : await dialWebSocket(parsed.url, HELLO_TIMEOUT);
  const channel = new Channel(link);
  channel.send(FrameType.offer, encodeOffer(token));
  void serveChannel(channel, servant, () => true);
  return {
    ended: channel.ended,
    close: () => channel.end(new ConnectionLostError(`${channel.peer}: the offer was withdrawn`)),
  };
}

/** Options of {@link acceptEnv}. */
export interface AcceptOptions extends ListenOptions, WaitOptions {}

/**
 * Waits until somebody offers an environment with {@link offerEnv}, and takes the first offer. When the connection is
 * lost, the next offer takes its place. `close` ends the waiting, too.
 *
 * @throws ArgumentError for a host beyond this machine without a token
 * @throws ConnectionLostError if nobody came within `patience`
 *
 * @example
 * ```ts
 * const env = await acceptEnv({ token: 'correct horse' }); // waits for a page or a robot
 * await train({ agent, env, steps: 10_000 });
 * env.close();
 * ```
 */
export async function acceptEnv(options: AcceptOptions = {}): Promise<RemoteEnv> {
  requireOptions('acceptEnv', options, { host: true, port: true, token: true, timeout: true, patience: true });
  const { timeout, patience } = waits('acceptEnv', options);
  const offers = new Offers(options.token);
  const listener = await Listener.open('acceptEnv', options, (channel) => void offers.consider(channel));
  const dial = async () => {
    const channel = await offers.next(patience);
    return Session.open(channel, { numEnvs: 1, autoreset: false }, { timeout, patience, limit: FRAME_LIMIT });
  };
  const close = () => {
    offers.close();
    void listener.close();
  };
  try {
    return new RemoteEnv(await Member.connect(dial, patience, close));
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** Who offers an environment, in order; one may wait while another is in use. */
class Offers {
  private waiting: Channel | undefined;
  private wanted: { take(channel: Channel): void; giveUp(why: string): void } | undefined;

  constructor(private readonly token: string | undefined) {}

  async consider(channel: Channel): Promise<void> {
    try {
      const frame = await channel.receive(HELLO_TIMEOUT);
      if (frame.type !== FrameType.offer) throw new ProtocolError(`expected an offer, got ${frameName(frame.type)}`);
      if (!isSameToken('acceptEnv', this.token, decodeOffer(frame))) throw new ProtocolError(TOKEN_REFUSED);
      if (this.wanted) return this.wanted.take(channel);
      this.waiting?.end(new ConnectionLostError(`${this.waiting.peer}: another offer came later`));
      this.waiting = channel;
    } catch (error) {
      channel.end(error as Error);
    }
  }

  next(patience: number): Promise<Channel> {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting && !waiting.reason) return Promise.resolve(waiting);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.wanted?.giveUp(`nobody came within ${patience / 1000} s`), patience);
      const end = () => {
        clearTimeout(timer);
        this.wanted = undefined;
      };
      this.wanted = {
        take(channel) {
          end();
          resolve(channel);
        },
        giveUp(why) {
          end();
          reject(new ConnectionLostError(`acceptEnv: ${why}.`));
        },
      };
    });
  }

  close(): void {
    this.wanted?.giveUp('it was closed here');
  }
}
