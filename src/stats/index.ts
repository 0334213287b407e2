export { type BootstrapOptions, type Interval, stratifiedBootstrap } from './bootstrap.js';
export { interquartileMean, mean, quantile, std } from './summary.js';
