import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ArgumentError, DiffrlError, loadState, Pendulum, SyncVectorEnv } from 'diffrl';
import {
  acceptEnv,
  connectEnv,
  connectVectorEnv,
  type EnvServer,
  offerEnv,
  ProtocolError,
  serveEnv,
} from 'diffrl/remote';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { environments, python, serverFile, startServer } from './servers.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const later = <T extends { close(): unknown }>(thing: T): T => {
  cleanups.push(() => thing.close());
  return thing;
};
const serve = async (...args: Parameters<typeof serveEnv>): Promise<EnvServer> =>
  later(await serveEnv(args[0], { port: 0, ...args[1] }));
const asWebSocket = (address: string) => address.replace('tcp', 'ws');

describe('an environment of Node, served', () => {
  it.each(['tcp', 'ws'])('is the same over %s as here, digits of rewards and states included', async (scheme) => {
    const { address } = await serve(() => new Pendulum({ maxEpisodeSteps: 10 }));
    const env = later(await connectEnv(address.replace('tcp', scheme)));
    const local = new Pendulum({ maxEpisodeSteps: 10 });
    expect([env.id, env.observationSpace, env.actionSpace]).toEqual([
      local.id,
      local.observationSpace,
      local.actionSpace,
    ]);
    expect(await env.reset({ seed: 5 })).toEqual(local.reset({ seed: 5 }));
    for (let t = 0; t < 25; t++) {
      const step = local.step(Float32Array.of(Math.sin(t)));
      expect(await env.step(Float32Array.of(Math.sin(t)))).toEqual(step);
      if (step.truncated) expect(await env.reset()).toEqual(local.reset());
    }
    local.step(Float32Array.of(1));
    await loadState(env, local.state());
    expect(await env.state!()).toEqual(local.state());
    expect(await env.step(Float32Array.of(0))).toEqual(local.step(Float32Array.of(0)));
  });

  describe('with a hundred times less patience', () => {
    const { setTimeout } = Socket.prototype;
    beforeEach(() => {
      vi.spyOn(Socket.prototype, 'setTimeout').mockImplementation(function (this: Socket, timeout, ended) {
        return setTimeout.call(this, timeout / 100, ended);
      });
    });
    afterEach(() => vi.restoreAllMocks());

    it.each(['tcp', 'ws'])('may wait for its next step over %s', async (scheme) => {
      const { address } = await serve(() => new Pendulum());
      const env = later(await connectEnv(address.replace('tcp', scheme)));
      await env.reset({ seed: 5 });
      await sleep(300);
      expect((await env.step(Float32Array.of(0))).info.lost).toBeUndefined();
    });

    it.each(['', 'GET '])('leaves a peer that falls silent after "%s"', async (start) => {
      const { address } = await serve(() => new Pendulum());
      const peer = connect(Number(new URL(address).port), '127.0.0.1');
      peer.write(start);
      await once(peer, 'close');
    });
  });

  it('is a vector environment of several servers that equals one of this process', async () => {
    const make = () => new Pendulum({ maxEpisodeSteps: 7 });
    const few = await serve(make, { numEnvs: 1 });
    const more = await serve(await SyncVectorEnv.create(2, make));
    const env = later(await connectVectorEnv([few.address, asWebSocket(few.address)]));
    const local = await SyncVectorEnv.create(2, make);
    const whole = later(await connectVectorEnv(more.address));
    expect(await env.reset({ seed: 3 })).toEqual(await local.reset({ seed: 3 }));
    await whole.reset({ seed: 3 });
    await loadState(whole, await local.state!());
    for (let t = 0; t < 20; t++) {
      const step = await local.step(Float32Array.of(t / 10, -1));
      expect(await env.step(Float32Array.of(t / 10, -1))).toEqual(step);
      expect(await whole.step(Float32Array.of(t / 10, -1))).toEqual(step);
    }
    expect(await env.state!()).toEqual(await local.state!());
    await expect(connectVectorEnv(few.address, { numEnvs: 2 })).rejects.toThrow(/2 environments were asked for, 1 are/);
    await expect(connectVectorEnv(more.address)).rejects.toThrow(/in use by another connection/);
  });

  it('is a Gymnasium-style environment in Python, one or many', async () => {
    const { address } = await serve(() => new Pendulum({ maxEpisodeSteps: 20 }), {
      numEnvs: 2,
      token: 'correct horse',
    });
    const { stdout } = await promisify(execFile)(python, [environments, address, '20', 'correct horse']);
    const found = JSON.parse(stdout);
    const local = new Pendulum({ maxEpisodeSteps: 20 });
    const record: unknown[] = [[...local.reset({ seed: 3 }).observation]];
    for (let t = 0; t < 20; t++) {
      const { observation, reward, terminated, truncated } = local.step(Float32Array.of(Math.sin(t)));
      record.push([[...observation], reward, terminated, truncated]);
    }
    expect(found.single).toEqual(record);
    expect(found.starts).toEqual([1, 2].map((seed) => [...local.reset({ seed }).observation]));
    expect([found.num, found.ended]).toEqual([2, [false, false]]);
    await expect(promisify(execFile)(python, [environments, address, '1'])).rejects.toThrow(
      /token is missing or wrong/,
    );
  });

  it('tells what an environment throws, and its errors do not end the connection', async () => {
    const { address } = await serve(new Pendulum());
    const env = later(await connectEnv(address));
    await expect(connectEnv(address)).rejects.toThrow(/in use by another connection/);
    await env.reset();
    env.close();
    for (;;) {
      const next = await connectEnv(address).catch(() => undefined); // free as soon as the end has arrived
      if (next) {
        later(next);
        break;
      }
    }
    const failing = await serve(() => Promise.reject(new DiffrlError('no parts')));
    await expect(connectEnv(failing.address)).rejects.toThrow(/DiffrlError: no parts/);
  });
});

describe('the door', () => {
  it('is open to this machine only, unless there is a token; pages need one always', async () => {
    await expect(serveEnv(new Pendulum(), { host: '0.0.0.0' })).rejects.toThrow(ArgumentError);
    await expect(serveEnv(new Pendulum(), { host: '0.0.0.0' })).rejects.toThrow(/so a token is needed/);
    await expect(serveEnv(new Pendulum(), { token: 'short' })).rejects.toThrow(/at least 8 characters/);
    const { address } = await serve(() => new Pendulum(), { host: '0.0.0.0', token: 'correct horse' });
    const here = address.replace('0.0.0.0', '127.0.0.1');
    for (const token of [undefined, 'correct h0rse', '']) {
      await expect(connectEnv(here, { token })).rejects.toThrow(ProtocolError);
    }
    later(await connectEnv(here, { token: 'correct horse' }));

    const page = async (to: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(asWebSocket(to), { origin: 'https://example.org' });
        socket.on('open', () => resolve('open'));
        socket.on('error', (error) => resolve(error.message));
        cleanups.push(() => socket.terminate());
      });
    const free = await serve(() => new Pendulum());
    const own = await startServer('Pendulum');
    cleanups.push(own.kill);
    expect(await page(here)).toBe('open');
    expect(await page(free.address)).toMatch(/403/);
    expect(await page(`tcp://127.0.0.1:${own.port}`)).toMatch(/403/);
    await expect(serveEnv(new Pendulum(), { port: own.port })).rejects.toThrow(
      /cannot listen at 127.0.0.1:\d+: .*in use/,
    );
  });

  it('is open to WebSockets in Python, too', async () => {
    const { port, kill } = await startServer('Pendulum', { num: 3 });
    cleanups.push(kill);
    const [tcp, ws] = [
      later(await connectVectorEnv(`tcp://127.0.0.1:${port}`)),
      later(await connectVectorEnv(`ws://127.0.0.1:${port}`)),
    ];
    expect(await ws.reset({ seed: 1 })).toEqual(await tcp.reset({ seed: 1 }));
    for (let t = 0; t < 5; t++) expect(await ws.step(new Float32Array(3))).toEqual(await tcp.step(new Float32Array(3)));
  });
});

describe('an environment that comes by itself', () => {
  it('is taken from the first who offers one, and from the next when that one leaves', async () => {
    const port = 20_000 + (process.pid % 20_000);
    const token = 'correct horse';
    const accepted = acceptEnv({ port, token, patience: 20_000 });
    const address = `ws://127.0.0.1:${port}`;
    const offer = await retry(() => offerEnv(() => new Pendulum(), address, { token }));
    const env = later(await accepted);
    const local = new Pendulum();
    expect(await env.reset({ seed: 2 })).toEqual(local.reset({ seed: 2 }));
    expect(await env.step(Float32Array.of(1))).toEqual(local.step(Float32Array.of(1)));
    const wrong = await offerEnv(() => new Pendulum(), address, { token: 'wrong horse' });
    expect((await wrong.ended).message).toMatch(/closed|token/);

    offer.close();
    expect((await env.step(Float32Array.of(1))).info.lost).toBe(true);
    const args = [
      serverFile,
      '--env',
      `${environments}:Pendulum`,
      '--offer',
      `tcp://127.0.0.1:${port}`,
      '--token',
      token,
    ];
    const robot = promisify(execFile)(python, args);
    expect((await env.reset()).observation.length).toBe(3);
    expect((await env.step(Float32Array.of(1))).info).toEqual({});
    env.close();
    await robot; // ends with the connection
  });

  it('is taken by the next reset if it comes too late for one, and waited for no longer than until close', async () => {
    const port = 20_001 + (process.pid % 20_000);
    const address = `tcp://127.0.0.1:${port}`;
    const accepted = acceptEnv({ port, patience: 5000 });
    const first = await retry(() => offerEnv(() => new Pendulum(), address));
    const env = later(await accepted);
    await env.reset();
    first.close();
    await expect(env.reset()).rejects.toThrow(/nobody came within 5 s/);
    const second = await offerEnv(() => new Pendulum(), address);
    await env.reset();
    second.close();
    const waiting = env.reset();
    const start = performance.now();
    setTimeout(() => env.close(), 300);
    await expect(waiting).rejects.toThrow(/it was closed here/);
    expect(performance.now() - start).toBeLessThan(4000);
  }, 60_000);
});

async function retry<T>(run: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await run();
    } catch (error) {
      if (i === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
