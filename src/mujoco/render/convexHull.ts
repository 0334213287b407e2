/** The corners of the smallest convex polygon around points of a plane, in order (Andrew's monotone chain). */
export function convexHull(points: readonly [x: number, y: number][]): [x: number, y: number][] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const lower = chain(sorted);
  const upper = chain(sorted.reverse());
  return [...lower.slice(0, -1), ...upper.slice(0, -1)];
}

/** One side of the hull: only left turns are kept. */
function chain(points: readonly [x: number, y: number][]): [x: number, y: number][] {
  const kept: [x: number, y: number][] = [];
  for (const [x, y] of points) {
    while (kept.length >= 2) {
      const [a, b] = kept.slice(-2) as [[number, number], [number, number]];
      if ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > 0) break;
      kept.pop();
    }
    kept.push([x, y]);
  }
  return kept;
}
