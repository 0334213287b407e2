import protobuf from 'protobufjs/minimal.js';
import type { Json } from '../checkpoint/checkpointFiles.js';
import { ArgumentError } from '../errors.js';
import type { Box } from '../spaces/box.js';

/** What a policy file tells of itself, in the ONNX model's metadata under the key `diffrl`, as JSON. */
export interface PolicyMetadata {
  /** The agent that it comes from, such as `DIME`. */
  agent: string;
  /** Observations in a call. */
  rows: number;
  /** Shape of the input `noise`, standard normal numbers. */
  noiseShape: readonly number[];
  /** Bounds of observations as the model takes them, `null` where there are none. */
  observationSpace: Bounds;
  /** Bounds of actions as the model gives them. */
  actionSpace: Bounds;
  /** A name for each number of an observation. */
  observationNames?: readonly string[] | undefined;
  /** The normaliser that is part of the model's graph, told for information: (x - mean) / std, clipped to ±10. */
  observationNormaliser?: { mean: readonly number[]; std: readonly number[] } | undefined;
  /** The id of the task. */
  task?: string | undefined;
  /** The task's MuJoCo model. */
  mjcf?: string | undefined;
  /** Whatever else the exporter wanted to be known. */
  settings?: { [key: string]: Json | undefined } | undefined;
}

/** `null` stands for infinity. */
export interface Bounds {
  low: readonly (number | null)[];
  high: readonly (number | null)[];
}

export function boundsOf({ low, high }: Box): Bounds {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return { low: Array.from(low, finite), high: Array.from(high, finite) };
}

/** `model`, an ONNX file, with an entry in its metadata. */
export function withMetadata(model: Uint8Array, metadata: PolicyMetadata): Uint8Array {
  // Fields of a protobuf message may stand in any order, so an entry is added by writing it behind the others.
  const entry = protobuf.Writer.create();
  entry.uint32(ENTRIES).fork().uint32(KEY).string(NAME).uint32(VALUE).string(JSON.stringify(metadata)).ldelim();
  const added = entry.finish();
  const bytes = new Uint8Array(model.length + added.length);
  bytes.set(model);
  bytes.set(added, model.length);
  return bytes;
}

/**
 * What a policy file tells of itself.
 *
 * @throws ArgumentError if it is no ONNX file written by `exportOnnx`
 */
export function readPolicyMetadata(file: Uint8Array): PolicyMetadata {
  try {
    const reader = protobuf.Reader.create(file);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag !== ENTRIES) reader.skipType(tag & 7);
      else {
        const text = entryOf(reader);
        if (text !== undefined) return JSON.parse(text);
      }
    }
  } catch (cause) {
    throw new ArgumentError('loadPolicy: the file is no ONNX model, or it is damaged.', { cause });
  }
  throw new ArgumentError('loadPolicy: the file does not come from exportOnnx; its metadata have no entry `diffrl`.');
}

/** Length-delimited field 14 of a ModelProto, its metadata; fields 1 and 2 of an entry. */
const [ENTRIES, KEY, VALUE] = [(14 << 3) | 2, (1 << 3) | 2, (2 << 3) | 2];
const NAME = 'diffrl';

/** The text of the entry at hand, if it is ours. */
function entryOf(reader: protobuf.Reader): string | undefined {
  const end = reader.uint32() + reader.pos;
  const entry: Record<number, string> = {};
  while (reader.pos < end) entry[reader.uint32()] = reader.string();
  return entry[KEY] === NAME ? entry[VALUE] : undefined;
}
