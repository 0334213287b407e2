import { Box, ClipAction, type Env, RescaleAction, TimeLimit, Wrapper } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Gives its action back as observation. */
class Echo implements Env {
  readonly id = 'Echo';
  readonly observationSpace = Box.uniform(2);
  readonly actionSpace = new Box([-2, 1], [4, 5]);
  steps = 0;

  reset() {
    return { observation: new Float32Array(2), info: {} };
  }

  step(action: Float32Array) {
    this.steps++;
    return { observation: action.slice(), reward: 0, terminated: false, truncated: false, info: {} };
  }
}

describe('RescaleAction', () => {
  it('maps its ends to the ends and its middle to the middle', async () => {
    const env = new RescaleAction(new Echo());
    expect(env.actionSpace).toEqual(new Box([-1, -1], [1, 1]));
    expect((await env.step(Float32Array.of(-1, 1))).observation).toEqual(Float32Array.of(-2, 5));
    expect((await env.step(Float32Array.of(0, 0))).observation).toEqual(Float32Array.of(1, 3));
  });

  it('keeps every allowed action allowed', () =>
    fc.assert(
      fc.property(fc.float({ min: -1, max: 1, noNaN: true }), fc.float({ min: -1, max: 1, noNaN: true }), (a, b) => {
        const echo = new Echo();
        const { observation } = new RescaleAction(echo).step(Float32Array.of(a, b)) as ReturnType<Echo['step']>;
        return echo.actionSpace.contains(observation);
      }),
    ));

  it('refuses wrong ranges, unbounded actions and wrong actions', () => {
    const echo = new Echo();
    expect(() => new RescaleAction(echo, 1, 1)).toThrow(/high must be a number .*> 1/);
    expect(() => new RescaleAction(new ClipAction(echo))).toThrow(/must be bounded/);
    expect(() => new RescaleAction(echo).step(Float32Array.of(0))).toThrow(/action must have 2 numbers/);
    expect(() => new RescaleAction(echo).step(Float32Array.of(0, Number.NaN))).toThrow(/action\[1\] is NaN/);
    expect(echo.steps).toBe(0);
  });
});

describe('ClipAction', () => {
  it('moves actions into the box', async () => {
    const { observation } = await new ClipAction(new Echo()).step(Float32Array.of(9, 0));
    expect(observation).toEqual(Float32Array.of(4, 1));
  });

  it('lets agents see the bounds where it is told to', async () => {
    const env = new ClipAction(new Echo(), { keepBounds: true });
    expect(env.actionSpace).toEqual(new Echo().actionSpace);
    expect(new ClipAction(new Echo()).actionSpace.isBounded).toBe(false);
    expect((await env.step(Float32Array.of(9, 0))).observation).toEqual(Float32Array.of(4, 1));
    expect(() => new ClipAction(new Echo(), { keepBounds: 1 } as never)).toThrow(
      /keepBounds must be one of true, false/,
    );
  });
});

describe('TimeLimit', () => {
  it('cuts at the limit, also for environments that answer later', async () => {
    class Slow extends Echo {
      override step(action: Float32Array) {
        return Promise.resolve(super.step(action)) as never;
      }
    }
    for (const inner of [new Echo(), new Slow()]) {
      const env = new TimeLimit(inner, 2);
      for (let episode = 0; episode < 2; episode++) {
        await env.reset();
        expect((await env.step(new Float32Array(2))).truncated).toBe(false);
        expect((await env.step(new Float32Array(2))).truncated).toBe(true);
      }
    }
  });

  it('refuses limits that are no whole number >= 1', () => {
    expect(() => new TimeLimit(new Echo(), 0)).toThrow(/maxEpisodeSteps must be an integer >= 1, got 0/);
  });
});

describe('Wrapper', () => {
  it('has a state only if the environment has one, and finds the innermost environment', () => {
    const echo = new Echo();
    const env = new TimeLimit(new Wrapper(echo), 5);
    expect(env.state).toBeUndefined();
    expect(env.unwrapped).toBe(echo);
    expect(env.id).toBe('Echo');
  });
});
