import { type Agent, EnvironmentError, evaluate, MultiGoal, Pendulum } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { loadState } from '../../src/state.js';
import { TrainingHistory } from '../../src/training/history.js';
import { Counter, Several, TinyAgent } from './tinyAgent.js';

describe('evaluate', () => {
  it('sums rewards over whole episodes, with the spread of a sample', async () => {
    const env = new Counter(4);
    const result = await evaluate({ agent: new TinyAgent(env), env, episodes: 3 });
    expect(result).toEqual({ returns: [10, 10, 10], lengths: [4, 4, 4], mean: 10, std: 0 });
    expect(env.seeds.slice(0, 3)).toEqual([expect.any(Number), undefined, undefined]);

    const pendulum = new Pendulum({ maxEpisodeSteps: 20 });
    const { returns, mean, std } = await evaluate({ agent: new TinyAgent(pendulum), env: pendulum, episodes: 2 });
    expect(mean).toBeCloseTo((returns[0]! + returns[1]!) / 2, 10);
    expect(std).toBeCloseTo(Math.abs(returns[0]! - returns[1]!) / Math.SQRT2, 10);
  });

  it('counts the episodes that succeeded at some step, where the environment says so', async () => {
    class Lucky extends Counter {
      private episode = 0;
      override reset(options?: { seed?: number }) {
        this.episode++;
        return super.reset(options);
      }
      override step(action: Float32Array) {
        const result = super.step(action);
        const info = { success: this.episode === 2 && result.reward === 2 ? 1 : false };
        return { ...result, info: this.episode > 3 ? {} : info };
      }
    }
    const env = new Lucky(4);
    const agent = new TinyAgent(env);
    const three = await evaluate({ agent, env, episodes: 3 });
    expect(three.successes).toEqual([false, true, false]);
    expect(three.successRate).toBeCloseTo(1 / 3, 12);
    const unknown = await evaluate({ agent, env, episodes: 1 });
    expect(unknown).not.toHaveProperty('successRate');

    const [history, restored] = [new TrainingHistory(), new TrainingHistory()];
    history.evaluations.push({ step: 10, ...three }, { step: 20, ...unknown });
    await loadState(restored, history.state());
    expect(restored.evaluations).toEqual(history.evaluations);
  });

  it('repeats itself under one seed and asks for actions without exploration', async () => {
    const env = new Pendulum({ maxEpisodeSteps: 20 });
    const agent: Agent = new TinyAgent(env);
    const explored: unknown[] = [];
    const act = agent.act.bind(agent);
    agent.act = (observations, options) => {
      explored.push(options?.explore);
      return act(observations, options);
    };
    const first = await evaluate({ agent, env, episodes: 2, seed: 3 });
    expect(await evaluate({ agent, env, episodes: 2, seed: 3 })).toEqual(first);
    expect(await evaluate({ agent, env, episodes: 2, seed: 4 })).not.toEqual(first);
    expect(new Set(explored)).toEqual(new Set([false]));
  });

  it('shares episodes out between environments beforehand, so that short ones are not preferred', async () => {
    // One environment ends every 2 steps, the other every 20: whoever counts what ends first gets nine short episodes.
    const env = new Several([new MultiGoal({ maxEpisodeSteps: 2 }), new MultiGoal({ maxEpisodeSteps: 20 })]);
    const { lengths } = await evaluate({ agent: new TinyAgent(env), env, episodes: 9 });
    expect(lengths).toHaveLength(9);
    expect(lengths.filter((length) => length === 2)).toHaveLength(4);
    expect(lengths.filter((length) => length === 20)).toHaveLength(5);
  });

  it('does not wait for an episode without end', async () => {
    const env = new Pendulum({ maxEpisodeSteps: Infinity });
    const evaluation = evaluate({ agent: new TinyAgent(env), env, episodes: 1, maxEpisodeSteps: 50 });
    await expect(evaluation).rejects.toThrow(EnvironmentError);
    await expect(evaluation).rejects.toThrow(/did not end within 50 steps; wrap the environment in a time limit/);
    const never = evaluate({ agent: new TinyAgent(env), env, maxEpisodeSteps: Number.NaN });
    await expect(never).rejects.toThrow(/maxEpisodeSteps must be an integer >= 1, got NaN/);
  });

  it('names the environment that fails, and refuses to run no episode', async () => {
    const env = new Counter();
    env.step = () => {
      throw new Error('gone');
    };
    await expect(evaluate({ agent: new TinyAgent(env), env })).rejects.toThrow(
      'evaluate: Counter.step threw at step 1: gone',
    );
    await expect(evaluate({ agent: new TinyAgent(env), env, episodes: 0 })).rejects.toThrow(
      /episodes must be an integer >= 1/,
    );
  });
});
