import { rollout } from './pageRollout.js';

Object.assign(globalThis, { rollout });
