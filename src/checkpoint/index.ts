export { type Checkpoint, checkpointExists, type Json, readCheckpoint, writeCheckpoint } from './checkpoint.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './safetensors.js';
