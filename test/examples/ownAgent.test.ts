import { readFileSync } from 'node:fs';
import { Pendulum, Td3Agent, train } from 'diffrl';
import { expect, it } from 'vitest';
import { OwnTd3 } from '../../examples/ownAgent.js';

it('TD3 from public names only learns what the library has it learn, number for number', async () => {
  const shared = { seed: 3, compile: false, batchSize: 8, warmupSteps: 4 } as const;
  const learned = async (agent: OwnTd3 | Td3Agent) => {
    await train({ agent, env: new Pendulum(), steps: 12 });
    const state = await agent.state();
    agent.dispose();
    return state;
  };
  const own = await learned(await OwnTd3.create({ env: new Pendulum(), ...shared }));
  expect(own).toEqual(await learned(await Td3Agent.create({ env: new Pendulum(), ...shared })));
});

it('is shorter than the agent of before its base, 104 lines', () => {
  const text = readFileSync(new URL('../../examples/ownAgent.ts', import.meta.url), 'utf8');
  const [, agent = ''] = /^(const options = \{[\s\S]*)^if \(/m.exec(text) ?? [];
  const lines = agent.split('\n').filter((line) => line.trim()).length;
  console.info(`${lines} lines of TD3`);
  expect(lines).toBeLessThan(90);
});
