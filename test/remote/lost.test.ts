import { execFileSync } from 'node:child_process';
import { EnvironmentError, Pendulum, ReplayBuffer, Rng, TrainingRun, type Transitions, type VectorEnv } from 'diffrl';
import { connectEnv, connectVectorEnv, serveEnv } from 'diffrl/remote';
import { afterAll, describe, expect, it } from 'vitest';
import { AugmentedRollout } from '../../src/mdp/rollout.js';
import { TinyAgent } from '../training/tinyAgent.js';
import { type PythonServer, startServer } from './servers.js';

const servers: PythonServer[] = [];
const open: { close(): void }[] = [];
afterAll(async () => {
  for (const env of open) env.close();
  await Promise.all(servers.map((server) => server.kill()));
});

async function server(name: string, options?: Parameters<typeof startServer>[1]): Promise<PythonServer> {
  const started = await startServer(name, options);
  servers.push(started);
  return started;
}

/** The largest distance between a step of Pendulum and what its equations make of the observation and action before it. */
function residual(observation: Float32Array, action: number, next: Float32Array): number {
  const [cos, sin, rate] = observation as unknown as [number, number, number];
  const nextRate = Math.min(Math.max(rate + (15 * sin + 3 * action) * 0.05, -8), 8);
  const angle = Math.atan2(sin, cos) + 0.05 * nextRate;
  const expected = [Math.cos(angle), Math.sin(angle), nextRate];
  return Math.max(...expected.map((value, i) => Math.abs(value - next[i]!)));
}

describe('a server that is lost', () => {
  it('is never the source of a wrong transition, whenever it is killed', async () => {
    const rng = Rng.fromSeed(3);
    const running = [await server('Pendulum', { num: 2 }), await server('Pendulum', { num: 2 })];
    const addresses = running.map(({ port }) => `tcp://127.0.0.1:${port}`);
    const env = await connectVectorEnv(addresses, { patience: 20_000 });
    open.push(env);
    let { observations } = await env.reset({ seed: 1 });
    let lost = 0;
    let kills = 0;
    for (let t = 0; t < 1200 || kills < 4; t++) {
      if (kills < 4 && t % 250 === 125) {
        const i = kills++ % 2;
        const { port } = running[i]!;
        const delay = rng.uniform(0, 5);
        setTimeout(async () => {
          await running[i]!.kill();
          running[i] = await server('Pendulum', { num: 2, port });
        }, delay);
      }
      const actions = rng.uniforms(4, -2, 2);
      const step = await env.step(actions);
      for (let i = 0; i < 4; i++) {
        const row = (array: Float32Array) => array.subarray(3 * i, 3 * i + 3);
        if (step.infos[i]!.lost) {
          lost++;
          expect([step.rewards[i], step.truncated[i], step.terminated[i]]).toEqual([0, 1, 0]);
          expect([...row(step.nextObservations)]).toEqual([...row(observations)]);
        } else {
          expect(residual(row(observations), actions[i]!, row(step.nextObservations))).toBeLessThan(1e-5);
        }
      }
      observations = step.observations;
    }
    expect(lost).toBe(8); // two environments each time
  });

  it('counts as lost when it is too slow, and is waited for no longer than told', async () => {
    const { port, kill } = await server('Mortal');
    const env = await connectEnv(`tcp://127.0.0.1:${port}`, { timeout: 300, patience: 400 });
    open.push(env);
    await env.reset();
    const late = await env.step(Float32Array.of(5));
    expect(late.info).toEqual({ lost: true, reason: expect.stringMatching(/no answer within 0.3 s/) });
    await env.reset();
    expect((await env.step(Float32Array.of(0))).info).toEqual({});
    await kill();
    expect((await env.step(Float32Array.of(0))).info.lost).toBe(true);
    const error = await env.reset().catch((failure) => failure);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error.message).toMatch(/did not come back within 0.4 s: .*ECONNREFUSED/);
  });

  it('goes on with seeds that depend on the number of losses only; a reset that fails leaves no episode', async () => {
    const play = async () => {
      let server = await serveEnv(() => new Pendulum(), { port: 0 });
      const port = Number(new URL(server.address).port);
      const env = await connectEnv(server.address, { patience: 3000 });
      open.push(env);
      await env.reset({ seed: 1 });
      const starts: number[][] = [];
      for (let loss = 0; loss < 2; loss++) {
        await server.close();
        server = await serveEnv(() => new Pendulum(), { port });
        expect((await env.step(Float32Array.of(0))).info.lost).toBe(true);
        starts.push([...(await env.reset()).observation]);
      }
      await server.close();
      await expect(env.reset()).rejects.toThrow(/did not come back within 3 s/);
      await expect(env.step(Float32Array.of(0))).rejects.toThrow(/call reset first/);
      return starts;
    };
    const [first, second] = await Promise.all([play(), play()]);
    expect(second).toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
  }, 60_000);

  it('on the way to an agent: its row is marked, its episode is not counted', async () => {
    const inner = new Pendulum({ maxEpisodeSteps: 5 });
    const flaky: VectorEnv = {
      numEnvs: 2,
      observationSpace: inner.observationSpace,
      actionSpace: inner.actionSpace,
      reset: () => ({ observations: new Float32Array(6), infos: [{}, {}] }),
      step: () => ({
        ...{ observations: new Float32Array(6), nextObservations: new Float32Array(6), rewards: new Float32Array(2) },
        ...{ terminated: new Uint8Array(2), truncated: Uint8Array.of(1, 1), infos: [{ lost: true, reason: '' }, {}] },
      }),
    };
    const agent = new TinyAgent(flaky);
    const seen: unknown[] = [];
    agent.observe = (transitions) => void seen.push((transitions as { lost?: Uint8Array }).lost);
    const run = new TrainingRun({ agent, env: flaky, warmupSteps: 100 });
    const { episodes } = await run.advance();
    expect(seen).toEqual([Uint8Array.of(1, 0)]);
    expect(episodes).toHaveLength(1);
  });

  it('leaves no trace in replay, and cuts the episodes of a rollout before it', () => {
    const buffer = new ReplayBuffer({ capacity: 10, observationSize: 1, actionSize: 1 });
    const rows: Transitions = {
      ...{ observations: Float32Array.of(1, 2, 3), actions: Float32Array.of(1, 2, 3) },
      ...{ rewards: Float32Array.of(1, 2, 3), nextObservations: Float32Array.of(1, 2, 3) },
      ...{ terminated: new Uint8Array(3), truncated: new Uint8Array(3) },
    };
    buffer.add({ ...rows, lost: Uint8Array.of(0, 1, 0) });
    expect(buffer.size).toBe(2);
    const drawn = buffer.sample(50, Rng.fromSeed(0)).rewards;
    expect(new Set(drawn)).toEqual(new Set([1, 3]));

    const rollout = new AugmentedRollout();
    const { actions: _, ...step } = rows;
    const latents = { latents: new Float32Array(6), nextLatents: new Float32Array(3) };
    rollout.add({ ...step, ...latents });
    rollout.add({ ...step, ...latents, terminated: Uint8Array.of(0, 1, 0) });
    rollout.cut();
    expect([...rollout.take().truncated]).toEqual([0, 0, 0, 1, 0, 1]);
  });
});

/** Whether network namespaces can be made here; a line says so where not. */
function canMakeNamespaces(): boolean {
  try {
    execFileSync('ip', ['netns', 'add', 'diffrl-probe'], { stdio: 'ignore' });
    execFileSync('ip', ['netns', 'del', 'diffrl-probe'], { stdio: 'ignore' });
    return true;
  } catch {
    console.info('Network namespaces cannot be made here: two machines are not imitated.');
    return false;
  }
}

describe('servers on machines of their own', () => {
  it.skipIf(!canMakeNamespaces())('step as one vector environment, each behind a network of its own', async () => {
    const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: 'pipe' });
    const machines = [0, 1].map((i) => ({
      name: `diffrl${process.pid}-${i}`,
      link: `df${process.pid % 100000}${i}`,
      net: `10.213.${i}`,
    }));
    try {
      const addresses: string[] = [];
      for (const { name, link, net } of machines) {
        ip(`netns add ${name}`);
        ip(`link add ${link} type veth peer name eth0 netns ${name}`);
        ip(`address add ${net}.1/24 dev ${link}`);
        ip(`link set ${link} up`);
        ip(`-n ${name} address add ${net}.2/24 dev eth0`);
        ip(`-n ${name} link set eth0 up`);
        const args = ['--host', `${net}.2`, '--token', 'correct horse'];
        const { port } = await server('Pendulum', { num: 2, args, inside: name });
        addresses.push(`tcp://${net}.2:${port}`);
      }
      await expect(connectVectorEnv(addresses)).rejects.toThrow(/the token is missing or wrong/);
      const env = await connectVectorEnv(addresses, { token: 'correct horse' });
      open.push(env);
      const twin = await connectVectorEnv(`python:${new URL('./environments.py', import.meta.url).pathname}:Pendulum`, {
        numEnvs: 4,
      });
      open.push(twin);
      expect(await env.reset({ seed: 2 })).toEqual(await twin.reset({ seed: 2 }));
      const actions = Float32Array.of(-1, 0, 1, 2);
      for (let t = 0; t < 20; t++) expect(await env.step(actions)).toEqual(await twin.step(actions));
      env.close();
    } finally {
      await Promise.all(servers.map((started) => started.kill()));
      for (const { name } of machines) execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
    }
  });
});
