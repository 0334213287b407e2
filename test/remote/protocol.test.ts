import { connect, createServer, type Socket } from 'node:net';
import { Box, DiffrlError, Pendulum } from 'diffrl';
import { connectEnv, ProtocolError, serveEnv } from 'diffrl/remote';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BodyReader, encodeFrame, type Frame, FrameReader, FrameType, jsonBytes } from '../../src/remote/frames.js';
import * as messages from '../../src/remote/messages.js';
import { type PythonServer, startServer } from './servers.js';

const welcome: messages.Welcome = {
  ...{ id: 'Any', numEnvs: 3, observationType: 'float32', hasState: false },
  observationSpace: new Box([-Infinity, 0], [Infinity, 1]),
  actionSpace: Box.uniform(2, -1, 1),
};

const frameOf = (type: FrameType, parts: Uint8Array[]): Frame => {
  const [frame] = new FrameReader(2 ** 20).read(encodeFrame(type, parts));
  return frame!;
};

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const bodies = fc.array(fc.tuple(fc.constantFrom(...Object.values(FrameType)), fc.uint8Array({ maxLength: 40 })));
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(([type, body]) => encodeFrame(type, [body])));
        const reader = new FrameReader(64);
        const got: [FrameType, Uint8Array][] = [];
        for (let at = 0, i = 0; at < bytes.length; at += cuts[i++ % cuts.length]!) {
          const piece = Uint8Array.from(bytes.subarray(at, at + cuts[i % cuts.length]!));
          for (const { type, body } of reader.read(piece)) got.push([type, body]);
        }
        expect(got).toEqual(sent.map(([type, body]) => [type, Uint8Array.from(body)]));
      }),
    );
  });

  it('carry messages without loss', () => {
    const finite = fc.float({ noNaN: true });
    const list = (length: number) => fc.array(finite, { minLength: length, maxLength: length });
    const flags = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(list(6), list(6), list(3), flags, fc.boolean(), (next, starts, rewards, bits, autoreset) => {
        const observations = Float32Array.from(next, (value, i) => (autoreset && bits[i >> 1] ? starts[i]! : value));
        const stepped: messages.Stepped = {
          ...{ rewards: Float64Array.from(rewards), observations, nextObservations: Float32Array.from(next) },
          ...{ terminated: Uint8Array.from(bits, (b) => b & 1), truncated: Uint8Array.from(bits, (b) => b >> 1) },
          infos: bits.map((b) => (b ? { b } : {})),
        };
        const frame = frameOf(FrameType.stepped, messages.encodeStepped(stepped, welcome, autoreset));
        expect(messages.decodeStepped(frame, welcome, autoreset)).toEqual(stepped);
      }),
    );
    expect(messages.decodeWelcome(frameOf(FrameType.welcome, messages.encodeWelcome(welcome)))).toEqual(welcome);
  });

  it('of any content are understood or a ProtocolError, never anything else', () => {
    const decoders: ((frame: Frame) => unknown)[] = [
      messages.decodeHello,
      messages.decodeOffer,
      messages.decodeWelcome,
      messages.decodeError,
      (frame) => messages.decodeReset(frame, 3),
      (frame) => messages.decodeStarted(frame, welcome),
      (frame) => messages.decodeStep(frame, welcome),
      (frame) => messages.decodeStepped(frame, welcome, true),
    ];
    const json = fc.oneof(
      fc.json(),
      fc
        .record({
          numEnvs: fc.jsonValue(),
          observationSpace: fc.jsonValue(),
          token: fc.jsonValue(),
          hasState: fc.boolean(),
        })
        .map((value) =>
          JSON.stringify({ ...messages.PROTOCOL, observationType: 'float32', autoreset: true, ...value }),
        ),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      json.map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        for (const decode of decoders) {
          try {
            decode({ type: FrameType.hello, body: Uint8Array.from(bytes) });
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
    );
  });
});

/** Sends bytes and hears what comes back until the connection has ended. */
function talk(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    const parts: Buffer[] = [];
    const timer = setTimeout(() => reject(new Error('the connection did not end')), 15_000);
    socket.on('data', (part) => parts.push(part));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(parts).toString('latin1'));
    });
  });
}

describe('malformed frames', () => {
  const ports: Record<string, number> = {};
  let own: PythonServer;
  let server: Awaited<ReturnType<typeof serveEnv>>;
  beforeAll(async () => {
    own = await startServer('Pendulum');
    server = await serveEnv(() => new Pendulum(), { port: 0 });
    ports.Python = own.port;
    ports.Node = Number(server.address.split(':').at(-1));
  });
  afterAll(async () => {
    await own.kill();
    await server.close();
  });

  const hello = (more = {}) =>
    encodeFrame(FrameType.hello, [jsonBytes({ ...messages.PROTOCOL, autoreset: false, ...more })]);
  const header = (length: number, type: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, length, true);
    bytes[4] = type;
    return bytes;
  };
  const cases: [string, Uint8Array[], RegExp][] = [
    ['a type that is not known', [header(0, 99)], /ProtocolError.*no frame of type 99/],
    ['a length beyond the limit', [header(2 ** 31, 1)], /ProtocolError.*larger than the 65536/],
    ['a length beyond the limit, later', [hello(), header(2 ** 31, 5)], /ProtocolError.*larger than the \d+ that/],
    ['no JSON', [encodeFrame(FrameType.hello, [new Uint8Array(9)])], /ProtocolError.*not JSON/],
    ['deep JSON', [encodeFrame(FrameType.hello, [new TextEncoder().encode('['.repeat(60_000))])], /ProtocolError/],
    ['another protocol', [hello({ protocol: 'x' })], /ProtocolError.*protocol must be/],
    ['another version', [hello({ version: 2 })], /ProtocolError.*version 2/],
    ['a wrong number', [hello({ numEnvs: -1 })], /ProtocolError.*numEnvs/],
    ['a step before the hello', [encodeFrame(FrameType.step, [new Uint8Array(4)])], /ProtocolError.*expected a hello/],
    ['a frame out of place', [hello(), encodeFrame(FrameType.welcome)], /ProtocolError.*out of place/],
    ['a reset that is short', [hello(), encodeFrame(FrameType.reset, [new Uint8Array(7)])], /ProtocolError.*8 bytes/],
    [
      'a seed below 0',
      [hello(), encodeFrame(FrameType.reset, [new Uint8Array(Float64Array.of(-1).buffer)])],
      /ProtocolError.*seeds/,
    ],
    [
      'actions that are NaN',
      [hello(), encodeFrame(FrameType.step, [new Uint8Array(Float32Array.of(Number.NaN).buffer)])],
      /ProtocolError.*finite/,
    ],
    [
      'a state that is damaged',
      [hello(), encodeFrame(FrameType.prepare, [new Uint8Array(20).fill(255)])],
      /ProtocolError|CheckpointError/,
    ],
    ['a commit of nothing', [hello(), encodeFrame(FrameType.commit)], /ProtocolError.*must follow a prepare/],
  ];
  it.each(['Node', 'Python'])('end the connection with a named error: %s', async (end) => {
    for (const [, parts, expected] of cases) expect(await talk(ports[end]!, Buffer.concat(parts))).toMatch(expected);
  });

  it.each(['Node', 'Python'])('of any kind end the connection and leave the server at work: %s', async (end) => {
    const frame = fc
      .tuple(fc.constantFrom(...Object.values(FrameType)), fc.uint8Array({ maxLength: 50 }))
      .map(([type, body]) => Buffer.from(encodeFrame(type, [body])));
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      frame,
    );
    const mutated = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
      const bytes = Buffer.from(hello());
      bytes[at % bytes.length]! ^= change;
      return bytes;
    });
    const sent = fc.oneof(
      noise,
      fc.tuple(fc.constant(Buffer.from(hello())), noise).map((parts) => Buffer.concat(parts)),
      mutated,
    );
    await fc.assert(
      fc.asyncProperty(sent, async (bytes) => {
        const answer = await talk(ports[end]!, bytes);
        expect(answer).not.toMatch(/TypeError|RangeError|IndexError|struct.error|AttributeError/);
      }),
      { numRuns: 60 },
    );
    const env = await connectEnv(`tcp://127.0.0.1:${ports[end]}`);
    expect((await env.reset()).observation.length).toBe(3);
    env.close();
  });

  it('from a server are errors of the library, not of the runtime', async () => {
    let answer = new Uint8Array(0);
    const sockets = new Set<Socket>();
    const fake = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const { port } = fake.address() as { port: number };
    const frame = fc
      .tuple(
        fc.constantFrom(...Object.values(FrameType)),
        fc.oneof(
          fc.uint8Array({ maxLength: 50 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
      )
      .map(([type, body]) => encodeFrame(type, [body]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(frame, fc.uint8Array({ maxLength: 50 })), async (bytes) => {
        answer = Uint8Array.from(bytes);
        const error = await connectEnv(`tcp://127.0.0.1:${port}`, { patience: 2000 }).catch((failure) => failure);
        expect(error).toBeInstanceOf(DiffrlError);
      }),
      { numRuns: 60 },
    );
    for (const socket of sockets) socket.destroy();
    fake.close();
  });
});

it('a body that is read to its end must be at its end', () => {
  const reader = new BodyReader(frameOf(FrameType.done, [new Uint8Array(1)]));
  expect(() => reader.end()).toThrow(/1 bytes too long/);
});
