import { ArgumentError, figure, heatmap, histogram, line, panels, Rng, ShapeError, scatter } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { niceTicks, tickLabels } from '../../src/plots/axis.js';
import { requireWellFormed } from './wellFormed.js';

/** The points of the path with `stroke`, in pixels of the plot's area. */
const pathOf = (svg: string, stroke: string) => {
  const d = svg.match(new RegExp(`<path d="([^"]*)"[^>]*stroke="${stroke}"`))![1]!;
  return d
    .split(/[ML]/)
    .filter(Boolean)
    .map((point) => point.split(' ').map(Number.parseFloat) as [number, number]);
};
const areaOf = (svg: string) => {
  const [, width, height] = svg.match(/<svg x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"/)!.map(Number);
  return { width: width!, height: height! };
};

describe('niceTicks', () => {
  it('are round and where one expects them', () => {
    expect(niceTicks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks([-3.1, 7.2], 6)).toEqual([-2, 0, 2, 4, 6]);
    expect(niceTicks([0, 0.3], 3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(niceTicks([120_000, 980_000], 4)).toEqual([200_000, 400_000, 600_000, 800_000]);
  });

  it('lie in the range, evenly, and there are neither none nor many of them', () => {
    const end = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        end,
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (low, span, count) => {
          fc.pre(span > Math.abs(low) * 1e-6);
          const ticks = niceTicks([low, low + span], count);
          expect(ticks.length).toBeGreaterThanOrEqual(1);
          expect(ticks.length).toBeLessThanOrEqual(1.6 * count + 1);
          for (const tick of ticks) {
            expect(tick).toBeGreaterThanOrEqual(low - span * 1e-6);
            expect(tick).toBeLessThanOrEqual(low + span * (1 + 1e-6));
          }
          expect(new Set(tickLabels(ticks)).size).toBe(ticks.length);
        },
      ),
    );
  });

  it('have labels with the digits they need', () => {
    expect(tickLabels([0, 0.05, 0.1])).toEqual(['0', '0.05', '0.10']);
    expect(tickLabels([0, 50_000, 100_000])).toEqual(['0', '50k', '100k']);
    expect(tickLabels([0, 500_000, 1_000_000])).toEqual(['0', '0.5M', '1.0M']);
    expect(tickLabels([-2000, 0, 2000])).toEqual(['-2000', '0', '2000']);
    expect(tickLabels([0, 2e-9])).toEqual(['0', '2e-9']);
    expect(tickLabels([1.2e-5, 1.21e-5, 1.3e-5])).toEqual(['1.2e-5', '1.21e-5', '1.3e-5']);
    expect(tickLabels([9.98e12, 1e13, 1.002e13])).toEqual(['9.98e+12', '1e+13', '1.002e+13']);
  });
});

describe('figure', () => {
  it('puts data where the axes say', () => {
    const { svg } = figure([line({ x: [0, 5, 10], y: [-1, 1, 0], color: 'red' })], { x: [0, 10], y: [-1, 1] });
    const { width, height } = areaOf(svg);
    const expected = [
      [0, height],
      [width / 2, 0],
      [width, height / 2],
    ];
    pathOf(svg, 'red').forEach((point, i) => {
      expect(point[0]).toBeCloseTo(expected[i]![0]!, 1);
      expect(point[1]).toBeCloseTo(expected[i]![1]!, 1);
    });
  });

  it('keeps a unit equally long on both axes where asked to', () => {
    const square = line({ x: [0, 1, 1, 0], y: [0, 0, 1, 1], color: 'red' });
    const [a, b, c] = pathOf(figure([square], { equalAspect: true, width: 700, height: 300 }).svg, 'red');
    expect(b![0] - a![0]).toBeCloseTo(b![1] - c![1], 1);
  });

  it('leaves room for its data beside a long legend', () => {
    const layers = Array.from({ length: 16 }, (_, i) =>
      line({
        x: [0, 1],
        y: [0, i],
        label: `an agent, lambda ${i}, and all else that distinguishes it from the others`,
      }),
    );
    expect(figure(layers.slice(0, 2)).height).toBe(400);
    const { svg, height } = figure(layers, { title: 'Pendulum-v1', xLabel: 'step' });
    expect([height, areaOf(svg).height > 200]).toEqual([680, true]);
    expect(() => figure(layers, { height: 340 })).toThrow(
      /height must be at least 378 for this legend, got 340; leave it out/,
    );
  });

  it('escapes whatever text it is given and stays well-formed', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, fc.array(fc.double()), (title, label, values) => {
        const layers = [
          line({ x: values, y: values, label }),
          scatter({ x: values, y: values, label, symbol: 'cross' }),
        ];
        requireWellFormed(figure(layers, { title, xLabel: label, yLabel: title }).svg);
      }),
    );
  });

  it('places numbers of any size, from 5e-324 to 1.8e308, at finite coordinates', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 1, maxLength: 5 }), (values) => {
        const layers = [
          line({ x: values, y: values }),
          histogram({ values }),
          heatmap({ values, columns: 1, x: [0, 1], y: [0, 1] }),
        ];
        for (const layer of layers) expect(figure([layer]).svg).not.toMatch(/NaN|Infinity/);
      }),
    );
  });

  it('survives nothing, one point, and gaps', () => {
    const nothing = figure([line({ x: [], y: [] })]).svg;
    requireWellFormed(nothing);
    expect(nothing).not.toMatch(/NaN|Infinity/);
    const onePoint = figure([line({ x: [3], y: [3], color: 'red' }), scatter({ x: [Number.NaN], y: [1] })]).svg;
    expect(onePoint).toMatch(/d="M[\d.]+ [\d.]+h0"/);
    expect(onePoint).not.toMatch(/NaN|Infinity/);
    const gap = figure([line({ x: [0, 1, 2, 3, 4], y: [0, 1, Number.NaN, 3, 4], color: 'red' })]).svg;
    expect(gap.match(/d="(M[^"]*)" fill="none" stroke="red"/)![1]!.match(/M/g)).toHaveLength(2);
    expect(gap).not.toMatch(/NaN/);
  });

  it('shows a legend of what has a label, and rows of it where it is long', () => {
    const labels = Array.from({ length: 9 }, (_, i) => `algorithm ${i}`);
    const { svg } = figure([...labels.map((label) => line({ x: [0, 1], y: [0, 1], label })), line({ x: [0], y: [0] })]);
    for (const label of labels) expect(svg).toContain(`>${label}</text>`);
    const heights = labels.map((label) => svg.match(new RegExp(`y="([\\d.]+)"[^>]*>${label}<`))![1]);
    expect(new Set(heights).size).toBe(2);
  });

  it('refuses ranges that do not go upwards and sizes without room', () => {
    expect(() => figure([], { x: [1, 1] })).toThrow(
      'figure: x must be two finite numbers that go upwards, got [1, 1].',
    );
    expect(() => figure([], { y: [0, Infinity] })).toThrow(ArgumentError);
    expect(() => figure([], { width: 10 })).toThrow(/width must be a number >= 160/);
    expect(() => line({ x: [1, 2], y: [1] })).toThrow(ShapeError);
    expect(() => line({ x: [1], y: [1], band: { low: [], high: [1] } })).toThrow(/band.low must have 1 numbers/);
  });
});

describe('histogram', () => {
  it('has area 1 over its own extent and the shares within a range otherwise', () => {
    const values = Rng.fromSeed(1).normals(2000);
    const areaUnder = (layer: ReturnType<typeof histogram>, bins: number) => {
      const frame = { width: 1, height: 1, x: (v: number) => 1000 * v, y: (v: number) => 1000 * v, color: 'red' };
      const tops = [...layer.draw(frame).matchAll(/V([\d.-]+)H/g)].map(([, top]) => Number(top) / 1000);
      return (tops.reduce((sum, top) => sum + top, 0) * (layer.x![1] - layer.x![0])) / bins;
    };
    expect(areaUnder(histogram({ values, bins: 30 }), 30)).toBeCloseTo(1, 2);
    const inside = values.filter((value) => value >= -1 && value <= 1).length / 2000;
    expect(areaUnder(histogram({ values, bins: 20, range: [-1, 1] }), 20)).toBeCloseTo(inside, 2);
    expect(() => histogram({ values, range: [1, -1] })).toThrow(/range must go upwards/);
    expect(() => histogram({ values, bins: 0 })).toThrow(ArgumentError);
  });
});

describe('heatmap', () => {
  it('has its first row at the bottom, holes for NaN and a colour bar', () => {
    const layer = heatmap({ values: [0, 1, 2, Number.NaN], columns: 2, x: [0, 2], y: [0, 2], label: 'Q' });
    const { svg } = figure([layer], { equalAspect: true });
    requireWellFormed(svg);
    const cells = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="[\d.]+" fill="(#\w+)"/g)];
    expect(cells).toHaveLength(3);
    expect(Number(cells[0]![2])).toBeGreaterThan(Number(cells[2]![2]));
    expect([cells[0]![3], cells[2]![3]]).toEqual(['#26345c', '#f2dd62']);
    expect(svg).toContain('>Q</text>');
    expect(() => heatmap({ values: [1, 2, 3], columns: 2, x: [0, 1], y: [0, 1] })).toThrow(/whole rows of 2 columns/);
    expect(() => heatmap({ values: [1], columns: 1, x: [1, 0], y: [0, 1] })).toThrow(/x must go upwards/);
  });
});

describe('panels', () => {
  it('place figures row by row, each column as wide as its widest', () => {
    const make = (width: number, height: number) => figure([line({ x: [0, 1], y: [0, 1] })], { width, height });
    const all = panels([make(300, 200), make(400, 250), make(350, 220)], { columns: 2 });
    expect([all.width, all.height]).toEqual([750, 470]);
    requireWellFormed(all.svg);
    expect(
      [...all.content.matchAll(/<svg x="(\d+)" y="(\d+)" width="(?:300|400|350)" height="(?:200|250|220)"/g)].map(
        ([, x, y]) => [x, y],
      ),
    ).toEqual([
      ['0', '0'],
      ['350', '0'],
      ['0', '250'],
    ]);
    expect(() => panels([])).toThrow(ArgumentError);
  });
});
