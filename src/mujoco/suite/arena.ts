import { type MjcfElement, plane } from '../mjcf.js';

/** Low walls around a square of 0.6 m; reacher and point_mass have the same. */
export const walls = (): MjcfElement[] => [
  plane('wall_x', { pos: [-0.3, 0, 0.02], zaxis: [1, 0, 0], size: [0.02, 0.3, 0.02] }),
  plane('wall_y', { pos: [0, -0.3, 0.02], zaxis: [0, 1, 0], size: [0.3, 0.02, 0.02] }),
  plane('wall_neg_x', { pos: [0.3, 0, 0.02], zaxis: [-1, 0, 0], size: [0.02, 0.3, 0.02] }),
  plane('wall_neg_y', { pos: [0, 0.3, 0.02], zaxis: [0, -1, 0], size: [0.3, 0.02, 0.02] }),
];
