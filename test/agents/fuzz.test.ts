import * as tf from '@tensorflow/tfjs-core';
import { agentClasses, DiffrlError, type StateDict } from 'diffrl';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { namesOf } from '../../src/options.js';
import { transitions } from './fixtures.js';
import { small, tableOf } from './small.js';

// biome-ignore lint/suspicious/noExplicitAny: the point is to hand over anything
type Anything = any;
const replayed = { batchSize: 4, bufferCapacity: 50 };
const onPolicy = { rolloutSteps: 8 };

/** Options of a small agent. */
const options = (name: string) => ({
  ...small(name),
  ...{ compile: false, seed: 1 },
  ...('replay' in tableOf(name) ? replayed : onPolicy),
});

/** Calls of each agent. `FUZZ_RUNS=1100 npx vitest run test/agents/fuzz` makes 10,000 in all. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);

/** What people hand over by mistake. */
const nonsense = fc.oneof(
  fc.constantFrom<Anything>(undefined, null, true, '', 'abc', '3', Number.NaN, Infinity, -1, 0, 0.5, 1e15, 3),
  fc.constantFrom<Anything>([], {}, [Number.NaN], ['1'], [[1]], { a: 1 }, { kind: 'box' }, () => 1, Symbol('s'), 10n),
  fc.constantFrom<Anything>(new Float32Array(0), new Float32Array(3), Float32Array.of(1, Number.NaN, 2), new Date(0)),
  fc.record({ rewards: fc.constantFrom<Anything>(undefined, null, 5, [1], new Float32Array(2)) }),
);

const text = (state: StateDict) =>
  Object.entries(state)
    .map(
      ([name, { data }]) => `${name}:${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`,
    )
    .join();

/** Entries of a state, one of them replaced by nonsense. */
async function damaged(agent: Anything, value: Anything): Promise<Anything> {
  const state = await agent.state();
  const [first] = Object.keys(state);
  return { ...state, [first as string]: value };
}

const calls: Record<string, (agent: Anything, a: Anything, b: Anything) => unknown> = {
  act: (agent, a, b) => agent.act(a, b),
  'act, options': (agent, a) => agent.act(new Float32Array(3), { explore: false, noise: a }),
  observe: (agent, a, b) => agent.observe(a, b),
  'observe, one column': (agent, a, b) =>
    agent.observe({ ...transitions(0, 2), [b ? 'actions' : 'terminated']: a }, null),
  'observe, decision': (agent, a) => agent.observe(transitions(0, 2), a),
  learn: (agent, a) => agent.learn?.(a === undefined ? null : a),
  prepare: async (agent, a) => (await agent.prepare(a))(),
  'prepare, an entry': async (agent, a) => (await agent.prepare(await damaged(agent, a)))(),
  save: (agent, a) => (typeof a === 'string' && a ? undefined : agent.save(a)),
  restore: (agent, a) => agent.restore(a),
  keep: (agent, a, b) => (typeof a === 'string' && b?.state ? undefined : agent.keep(a, b)),
};

const made: Anything[] = [];
afterAll(() => {
  for (const agent of made) agent.dispose();
});

describe.each(Object.entries(agentClasses as Anything))('%s', (name, Class: Anything) => {
  it('answers any call with a result, or a DiffrlError and no change', { timeout: 120_000 }, async () => {
    const agent = await Class.create(options(name));
    made.push(agent);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(calls)), nonsense, nonsense, async (call, a, b) => {
        const before = text(await agent.state());
        try {
          await calls[call]!(agent, a, b);
        } catch (error) {
          if (!(error instanceof DiffrlError)) throw error;
          expect(text(await agent.state()) === before, `${call}: changed after ${error.message}`).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('is made of any options, or a DiffrlError and nothing left behind', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('env', ...namesOf(Class.options)), nonsense, async (option, value) => {
        if (option === 'compile' && (value === true || typeof value === 'object')) return;
        const before = tf.memory().numTensors;
        try {
          (await Class.create({ ...options(name), [option]: value })).dispose();
        } catch (error) {
          if (!(error instanceof DiffrlError)) throw error;
        }
        expect(tf.memory().numTensors).toBe(before);
      }),
      { numRuns: 150 },
    );
  });
});
