export { decodeCheckpoint, encodeCheckpoint } from './archive.js';
export { checkpointExists, readCheckpoint, writeCheckpoint } from './checkpoint.js';
export type { Checkpoint, Json } from './checkpointFiles.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './safetensors.js';
