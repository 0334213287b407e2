/**
 * What needs Node.
 *
 * @module diffrl/node
 */

export { useBestBackend } from '../ops/backend.js';
