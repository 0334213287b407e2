export type Vector = readonly [x: number, y: number, z: number];

export function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
