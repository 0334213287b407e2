import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  Box,
  DimeAgent,
  EulerMaruyamaSampler,
  Microscope,
  microscope,
  microscopeFigure,
  Rng,
  SdacAgent,
  ShapeError,
} from 'diffrl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { densityOn, modesOf } from '../../src/plots/actionDensity.js';
import { requireWellFormed } from './wellFormed.js';

const env = { observationSpace: Box.uniform(3), actionSpace: Box.uniform(2, -1, 1) };
const observation = Float32Array.of(0.3, -1, 0.5);

let agent: DimeAgent;
beforeAll(async () => {
  agent = await DimeAgent.create({ env, sampler: new EulerMaruyamaSampler({ steps: 4 }), criticHidden: [16] });
});
afterAll(() => agent.dispose());

describe('microscope', () => {
  it('tells of the chain as it is: actions at its end, log-ratios, the entropy bound', async () => {
    const before = await agent.state();
    const tensors = tf.memory().numTensors;
    const picture = await microscope(agent, observation, { samples: 400, resolution: 21 });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(await agent.state()).toEqual(before);
    const { steps, states, actions, logRatios, entropyBound } = picture;
    expect(steps).toBe(4);
    const end = states.subarray(4 * 400 * 2);
    actions.forEach((action, i) => void expect(action).toBeCloseTo(Math.tanh(end[i]!), 5));
    // An untrained chain stays in its prior, N(0, 2.5^2), whose tanh has an entropy of about -0.7 nats a dimension.
    const spread = Math.sqrt(end.reduce((sum, x) => sum + x * x, 0) / end.length);
    expect(spread).toBeGreaterThan(2.2);
    expect(spread).toBeLessThan(2.8);
    const logDet = (x: number) => Math.log1p(-(Math.tanh(x) ** 2) + 1e-12);
    const exact =
      Math.log(2 * Math.PI * Math.E * 2.5 ** 2) + (2 * Array.from(end, logDet).reduce((a, b) => a + b)) / end.length;
    expect(Math.abs(entropyBound!.mean - exact)).toBeLessThan(4 * entropyBound!.error + 0.1);
    expect(logRatios).toHaveLength(4 * 400);
    expect(microscopeFigure(picture).svg).toContain('entropy ≥');
    requireWellFormed(microscopeFigure(picture, { title: 'DIME' }).svg);
  });

  it("gives the critic's landscape around the heaviest mode", async () => {
    const { landscape, modes } = await microscope(agent, observation, { samples: 50, resolution: 5, dimensions: [1] });
    expect(landscape!.values).toHaveLength(5);
    const action = tf.tensor2d([modes[0]!.action[0]!, 0.5], [1, 2]);
    const value = agent.actionValue(tf.tensor2d(observation, [1, 3]), action);
    expect(landscape!.values[3]).toBeCloseTo((await value.data())[0]!, 4);
    tf.dispose([action, value]);
  });

  it('looks into chains without densities, and says what cannot be looked at', async () => {
    const sdac = await SdacAgent.create({ env });
    const lens = await Microscope.create(sdac, { samples: 20, resolution: 7 });
    const picture = await lens.look(observation);
    expect(picture.entropyBound).toBeUndefined();
    expect(picture.actions).toEqual(picture.states.subarray(picture.steps * 40));
    expect(await lens.look(observation)).toEqual(picture);
    await expect(lens.look(observation, { dimensions: [0, 2] })).rejects.toThrow(/dimensions must be one or two/);
    await expect(lens.look(new Float32Array(2))).rejects.toThrow(ShapeError);
    lens.dispose();
    sdac.dispose();
    await expect(Microscope.create({ name: 'Tiny' } as never)).rejects.toThrow(ArgumentError);
  });
});

describe('the density of actions', () => {
  const clouds = (rng: Rng, centres: number[][], counts: number[]) =>
    Float32Array.from(
      centres.flatMap((centre, c) =>
        Array.from({ length: counts[c]! }, () => centre.map((x) => x + rng.normal(0, 0.06))).flat(),
      ),
    );

  it('is one: it sums to 1, in one dimension and in two', () => {
    const actions = clouds(Rng.fromSeed(1), [[0.2, -0.3]], [300]);
    const one = densityOn(actions, 2, [1], 41);
    expect(one.values.reduce((a, b) => a + b) * (2 / 40)).toBeCloseTo(1, 2);
    const two = densityOn(actions, 2, [0, 1], 41);
    expect(two.values.reduce((a, b) => a + b) * (2 / 40) ** 2).toBeCloseTo(1, 2);
  });

  it('finds modes where actions gather, with their shares', () => {
    const centres = [
      [-0.6, 0.5],
      [0.6, 0.5],
      [0, -0.6],
    ];
    const actions = clouds(Rng.fromSeed(2), centres, [200, 100, 100]);
    const modes = modesOf(actions, 2, densityOn(actions, 2, [0, 1], 33));
    expect(modes).toHaveLength(3);
    expect(modes[0]!.share).toBeCloseTo(0.5, 2);
    expect(modes[0]!.action[0]).toBeCloseTo(-0.6, 1);
    expect(modes[0]!.action[1]).toBeCloseTo(0.5, 1);
  });
});
