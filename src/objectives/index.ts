export { categoricalObjective, projectCategorical, type Support } from './categorical.js';
export type { BellmanTarget, CriticObjective } from './criticObjective.js';
export { scalarObjective } from './scalar.js';
export { Temperature, type TemperatureOptions } from './temperature.js';
