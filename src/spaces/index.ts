export { ActionScale } from './actionScale.js';
export { Box } from './box.js';
export { Discrete } from './discrete.js';
