/**
 * What needs Node.
 *
 * @module diffrl/node
 */

export { BACKEND_PACKAGES, type BackendChoice, type BackendPackage, useBestBackend } from './backend.js';
