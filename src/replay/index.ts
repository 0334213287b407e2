export type { Transitions } from './transitions.js';
