import { describe, expect, test } from 'vitest';
import type { AgentClass } from '../../src/agents/baseAgent.js';
import { dimePresets } from '../../src/agents/dime/dimePresets.js';
import { mergeOptions } from '../../src/agents/optionsJson.js';
import { presetFor, presetLines } from '../../src/agents/presets.js';
import { agentClasses } from '../../src/agents/registry.js';
import { readOptions } from '../../src/options.js';

const BASELINES = ['ppo', 'dppo', 'bro', 'qsm', 'qvpo', 'dacer', 'dipo', 'diffusionql', 'wpo'];
const CASES = [
  ['Pendulum-v1', 'small'],
  ['HalfCheetah-v5', 'small'],
  ['HalfCheetah-v5', 'paper'],
  ['dm_control/humanoid-walk', 'paper'],
] as const;

describe('presets', () => {
  test('every line names agents that there are, and where it comes from', () => {
    for (const { agents, source } of [...presetLines.small, ...presetLines.paper]) {
      expect(source).not.toBe('');
      for (const agent of agents) expect(Object.keys(agentClasses)).toContain(agent);
    }
  });

  test.each(BASELINES)('%s takes what it gets for a small task and as published', (agent) => {
    expect(presetFor(agent, 'Pendulum-v1').lines.length).toBeGreaterThan(0);
    const { options: table } = agentClasses[agent] as unknown as AgentClass;
    for (const [task, name] of CASES) readOptions(agent, presetFor(agent, task, name).options, table);
  });

  test('DIPO has its settings of each environment', () => {
    expect(presetFor('dipo', 'HalfCheetah-v5', 'paper').options).toEqual({
      actionGradientNorm: 0.08,
      actionSteps: 40,
      averageEvery: 2,
    });
    expect(presetFor('dipo', 'Hopper-v5', 'paper').options).toEqual({ maxGradientNorm: 1, actionGradientNorm: 0.3 });
    expect(presetFor('dipo', 'Humanoid-v5', 'paper').options).toEqual({});
  });

  test("DIME's optimisers are the released ones in the paper's settings, whatever the suite", () => {
    for (const task of ['Ant-v5', 'dm_control/dog-run', 'myoHandReachRandom-v0']) {
      const { actorAdam, criticAdam } = presetFor('dime', task, 'paper').options;
      expect({ actorAdam, criticAdam }).toEqual(dimePresets.released);
    }
  });

  test('DACER steps 20 environments for one update', () => {
    const { options, envs } = presetFor('dacer', 'Humanoid-v5', 'paper');
    expect({ options, envs }).toEqual({
      options: { updatesPerTransition: 0.05, explorationNoise: 0.15, warmupSteps: 200_000 },
      envs: 20,
    });
  });

  test('what is set over a preset leaves the rest of its group', () => {
    const { options } = presetFor('sdac', 'HalfCheetah-v5');
    const merged = mergeOptions(options, {
      temperature: { entropyScale: 1.5 },
      diffusion: { network: { hidden: [64] } },
      criticNetwork: { type: 'twinCritic' },
    });
    expect(merged).toMatchObject({
      temperature: { every: 12, entropyScale: 1.5 },
      diffusion: { steps: 10, network: { type: 'stepNetwork', hidden: [64], timeSize: 64 } },
    });
    expect(merged.criticNetwork).toEqual({ type: 'twinCritic' });
  });
});
