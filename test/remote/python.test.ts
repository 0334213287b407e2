import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CheckpointError, checkEnv, loadState, MissingPackageError, Rng } from 'diffrl';
import { type ConnectOptions, connectEnv, connectVectorEnv, type RemoteEnv, type RemoteVectorEnv } from 'diffrl/remote';
import { afterEach, describe, expect, it } from 'vitest';
import { environmentSeed } from '../../src/envs/batch.js';
import { environments, python } from './servers.js';

const address = (name: string) => `python:${environments}:${name}`;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});

async function single(name: string, options?: ConnectOptions): Promise<RemoteEnv> {
  const env = await connectEnv(address(name), options);
  open.push(env);
  return env;
}

async function many(name: string, numEnvs: number, processes: number, kwargs = {}): Promise<RemoteVectorEnv> {
  const env = await connectVectorEnv(address(name), { numEnvs, processes, kwargs });
  open.push(env);
  return env;
}

interface Recording {
  start_state: number[];
  actions: number[] | string;
  observation: number[][];
  reward: number[];
}

const pendulum = JSON.parse(readFileSync(new URL('../reference/classic/pendulum.json', import.meta.url), 'utf8'));

describe('an environment in Python', () => {
  it.each(pendulum.trajectories as Recording[])(
    "gives Gymnasium's recorded observations to the last bit, rewards to 1e-13",
    async ({ start_state, actions, observation, reward }) => {
      const env = await single('Pendulum', { kwargs: { start: start_state } });
      await env.reset();
      for (const [t, expected] of observation.entries()) {
        const step = await env.step(Float32Array.of(typeof actions === 'string' ? 0 : actions[t]!));
        expect([...step.observation]).toEqual(expected);
        expect(step.reward).toBeCloseTo(reward[t]!, 13);
      }
    },
  );

  it('keeps the contract of Env, state included', async () => {
    const env = await single('Pendulum', { kwargs: { steps: 30 } });
    expect(env.id).toBe('Pendulum-v1');
    expect(await checkEnv(env, { steps: 40 })).toHaveLength(1); // advice to rescale the actions
    const state = await env.state!();
    const { random, ...rest } = state;
    await expect(loadState(env, rest)).rejects.toThrow(CheckpointError);
    await expect(loadState(env, { ...state, random: { shape: [3], data: random!.data.slice(0, 3) } })).rejects.toThrow(
      /entry env0\/random of the state/,
    );
  });

  it('is stepped in batches, over any number of processes, as it would be alone; states are exchanged', async () => {
    const [one, two] = [await many('Pendulum', 3, 1, { steps: 5 }), await many('Pendulum', 3, 2, { steps: 5 })];
    const alone: RemoteEnv[] = [];
    for (let i = 0; i < 3; i++) alone.push(await single('Pendulum', { kwargs: { steps: 5 } }));
    const starts = [(await one.reset({ seed: 4 })).observations, (await two.reset({ seed: 4 })).observations];
    let each = await Promise.all(alone.map((env, i) => env.reset({ seed: environmentSeed(4, i) })));
    const rng = Rng.fromSeed(1);
    for (let t = 0; t < 12; t++) {
      const expected = each.flatMap(({ observation }) => [...observation]);
      for (const start of starts) expect([...start]).toEqual(expected);
      const actions = rng.uniforms(3, -2, 2);
      const steps = await Promise.all(alone.map((env, i) => env.step(actions.slice(i, i + 1))));
      const [ours, theirs] = [await one.step(actions), await two.step(actions)];
      expect(theirs).toEqual(ours);
      expect([...ours.nextObservations]).toEqual(steps.flatMap(({ observation }) => [...observation]));
      expect([...ours.rewards]).toEqual(steps.map(({ reward }) => Math.fround(reward)));
      expect([...ours.truncated]).toEqual(Array(3).fill(t % 5 === 4 ? 1 : 0));
      each = await Promise.all(steps.map((step, i) => (step.truncated ? alone[i]!.reset() : step)));
      [starts[0], starts[1]] = [ours.observations, theirs.observations];
    }
    await loadState(two, await one.state!());
    const actions = rng.uniforms(3, -2, 2);
    expect(await two.step(actions)).toEqual(await one.step(actions));
  });

  it('has spaces of any kind flattened by the stated rule', async () => {
    const env = await single('Mixed');
    expect([...env.observationSpace.low]).toEqual([...Array(6).fill(0), 0, 0, 0, -1, -1]);
    expect([...env.observationSpace.high]).toEqual([...Array(6).fill(255), 1, 1, 1, Infinity, Infinity]);
    expect([...env.actionSpace.low]).toEqual([-1, -2, ...Array(7).fill(-1)]);
    const { observation, info } = await env.reset({ seed: 9 });
    expect([...observation]).toEqual([1, 2, 3, 4, 5, 6, 0, 1, 0, 0.5, 8]);
    expect(info).toEqual({ seed: 9 });
    const step = await env.step(Float32Array.of(0.5, -1.5, -1, 0.1, -0.5, -0.2, -0.9, 0.3, -0.3));
    expect(step.info).toEqual({ action: { arm: [0.5, -1.5], gear: [1, 1], lamps: [1, 0] } });
    expect([step.reward, step.terminated, step.truncated]).toEqual([1, true, false]);

    const camera = await single('Camera');
    expect([...(await camera.reset()).observation]).toEqual([0, 1, 2, 253, 254, 255]);
    const seen = await camera.step(Float32Array.of(0, 1, 0.5));
    expect(seen.observation[0]).toBe(6);
    expect(seen.info).toEqual({ action: 6, bad: null, many: null });
  });

  it('names what went wrong there and goes on after a reset; what it prints is kept apart', async () => {
    let output = '';
    const env = await single('Mortal', { onOutput: (text) => (output += text) });
    await expect(env.step(Float32Array.of(0))).rejects.toThrow(/call reset first/);
    await env.reset();
    await expect(env.step(Float32Array.of(0, 1))).rejects.toThrow(/action must have 1 numbers/);
    await expect(env.step(Float32Array.of(3))).rejects.toThrow(
      /RuntimeError: out of fuel\n.*environments.py.*\n.*out of fuel/,
    );
    await expect(env.step(Float32Array.of(0))).rejects.toThrow(/call reset first/);
    await env.reset();
    expect((await env.step(Float32Array.of(0))).observation.length).toBe(3);
    expect(output).toContain('a line between the frames');

    const lost = await env.step(Float32Array.of(4));
    expect([lost.truncated, lost.info.lost, lost.reward]).toEqual([true, true, 0]);
    expect(lost.info.reason).toMatch(/ended with code 7; its last output:\n(.*\n)*going down/);
    await env.reset(); // another process
    expect((await env.step(Float32Array.of(0))).truncated).toBe(false);
    const broken = await single('Broken').catch((error) => error);
    expect(broken.message).toMatch(/an environment needs step; Broken has none/);
  });

  it('tells errors of the system that it raises from a lost connection', async () => {
    const env = await single('Robot');
    await env.reset();
    await expect(env.step(Float32Array.of(0))).rejects.toThrow(/TimeoutError: the serial port does not answer/);
    await env.reset();
    await expect(single('missing')).rejects.toThrow(/FileNotFoundError: .*arm.xml/);
  });

  it('is made anew for each of a connection where a class is served, all or none', () => {
    const program = [
      'import sys; sys.path[:0] = sys.argv[1:]; import diffrl_env, environments',
      'print(diffrl_env._Source(environments.Pendulum, 3).open(2, True).num)',
      'class Scarce(environments.Pendulum):',
      '    left, closed = 2, 0',
      '    def __init__(self):',
      '        super().__init__(); Scarce.left -= 1',
      '        if Scarce.left < 0: raise RuntimeError("no third arm")',
      '    def close(self): Scarce.closed += 1',
      'try: diffrl_env._Source(Scarce, 3).open(3, True)',
      'except RuntimeError as error: print(error, Scarce.closed)',
    ].join('\n');
    const folders = ['../../python', '.'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
    expect(execFileSync(python, ['-c', program, ...folders], { encoding: 'utf8' })).toBe('2\nno third arm 2\n');
  });

  it('says what is missing', async () => {
    await expect(connectEnv('python:nothing-here')).rejects.toThrow(
      /Gymnasium is not installed|doesn't exist|not found/,
    );
    await expect(connectEnv('python:x', { python: 'no-such-python' })).rejects.toThrow(MissingPackageError);
    await expect(connectEnv('tcp://localhost')).rejects.toThrow(/address must be 'python:ID'/);
  });

  it('takes no more memory after many steps', async () => {
    const env = await single('Measured');
    const run = async (steps: number) => {
      await env.reset();
      for (let t = 0; t < steps; t++) {
        const { truncated } = await env.step(Float32Array.of(Math.sin(t)));
        if (truncated) await env.reset();
      }
      return (await env.step(Float32Array.of(0))).info.memory as number;
    };
    const steps = Number(process.env.DIFFRL_STEPS ?? 10_000);
    const before = [await run(5000), process.memoryUsage().rss / 1024];
    const after = [await run(steps), process.memoryUsage().rss / 1024];
    console.info(`${steps} steps: Python ${after[0]! - before[0]!} KiB more, Node ${after[1]! - before[1]!} KiB more`);
    expect(after[0]! - before[0]!).toBeLessThan(1024);
    expect(after[1]! - before[1]!).toBeLessThan(48 * 1024);
  });

  it('ends with the process that started it, however that ends', async () => {
    const script = fileURLToPath(new URL('./parent.ts', import.meta.url));
    const tsx = new URL('../../scripts/registerTsx.mjs', import.meta.url).href;
    const parent = spawn(process.execPath, ['--import', tsx, script, address('Measured')], { stdio: 'pipe' });
    const [line] = await once(parent.stdout.setEncoding('utf8'), 'data');
    const child = Number(line);
    expect(isAlive(child)).toBe(true);
    parent.kill('SIGKILL');
    for (let i = 0; i < 100 && isAlive(child); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAlive(child)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

const direct = `
import sys, json, gymnasium, numpy
env = gymnasium.make(sys.argv[1])
rows = [env.reset(seed=7)[0].astype("float32").tobytes().hex()]
for t in range(300):
    action = numpy.sin(0.1 * t * (1 + numpy.arange(env.action_space.shape[0]))).astype("float32")
    observation, reward, terminated, truncated, _ = env.step(action)
    rows.append([observation.astype("float32").tobytes().hex(), float(reward), bool(terminated), bool(truncated)])
    if terminated or truncated:
        rows.append(env.reset()[0].astype("float32").tobytes().hex())
print(json.dumps(rows))`;

/** Whether Python can make the environment; a line says so where it cannot. */
function canMake(id: string): boolean {
  try {
    execFileSync(python, ['-c', `import gymnasium; gymnasium.make("${id}")`], { stdio: 'ignore' });
    return true;
  } catch {
    console.info(`Gymnasium's ${id} cannot be made by ${python} here: not compared.`);
    return false;
  }
}

describe('Gymnasium', () => {
  for (const id of ['Pendulum-v1', 'MountainCarContinuous-v0', 'HalfCheetah-v5', 'Hopper-v5']) {
    it.skipIf(!canMake(id))(`${id} gives what it gives in Python, to the last bit`, async () => {
      const expected = JSON.parse(execFileSync(python, ['-c', direct, id], { encoding: 'utf8' }));
      const env = await connectEnv(`python:${id}`);
      open.push(env);
      const hex = (observation: Float32Array) => Buffer.from(observation.buffer).toString('hex');
      const rows: unknown[] = [hex((await env.reset({ seed: 7 })).observation)];
      for (let t = 0; t < 300; t++) {
        const action = Float32Array.from({ length: env.actionSpace.size }, (_, i) => Math.sin(0.1 * t * (1 + i)));
        const { observation, reward, terminated, truncated } = await env.step(action);
        rows.push([hex(observation), reward, terminated, truncated]);
        if (terminated || truncated) rows.push(hex((await env.reset()).observation));
      }
      expect(rows).toEqual(expected);
    });
  }
});
