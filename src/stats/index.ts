export { type BootstrapOptions, type Interval, stratifiedBootstrap } from './bootstrap.js';
export { probabilityOfImprovement } from './improvement.js';
export { interquartileMean, mean, quantile, std } from './summary.js';
