import { type Figure, figure, histogram, line, panels, scatter } from 'diffrl';
import { marginal } from './target.js';

const RANGE = [-8, 8] as const;
const COLORS = ['#7d8590', '#2f7fd1', '#2e9e5b', '#9a5fd0', '#d9730d', '#d64550'];
const SHOWN = 1000;

/** Every method's points, `[count * 2]`, over histograms of their coordinates with the exact density as a line. */
export function picture(results: readonly [name: string, points: Float32Array][]): Figure {
  const clouds = results.map(([title, points], i) => {
    const shown = points.subarray(0, 2 * SHOWN);
    const layer = scatter({ ...coordinates(shown), radius: 1.3, opacity: 0.45, color: COLORS[i] });
    return figure([layer], { title, x: RANGE, y: RANGE, yLabel: 'x2', width: 270, height: 284, equalAspect: true });
  });
  const exact = line({ x: GRID, y: GRID.map(marginal), color: '#7d8590', width: 1.5 });
  const bars = (['x', 'y'] as const).flatMap((axis, number) =>
    results.map(([, points], i) => {
      const layer = histogram({ values: coordinates(points)[axis], bins: 64, range: RANGE, color: COLORS[i] });
      const labels = { xLabel: `x${number + 1}`, yLabel: 'density' };
      return figure([layer, exact], { ...labels, x: RANGE, y: [0, 0.4], width: 270, height: 180 });
    }),
  );
  return panels([...clouds, ...bars], { columns: results.length, title: '0.8 N([3, 3], I) + 0.2 N([-3, -3], I)' });
}

const GRID = Array.from({ length: 161 }, (_, i) => -8 + i / 10);

function coordinates(points: Float32Array): { x: Float32Array; y: Float32Array } {
  return { x: points.filter((_, i) => i % 2 === 0), y: points.filter((_, i) => i % 2 === 1) };
}
