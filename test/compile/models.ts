import * as ort from 'onnxruntime-node';
import protobuf from 'protobufjs/minimal.js';
import type { OnnxRuntime } from '../../src/compile/index.js';

/** What a model file says of itself. */
export interface ModelSummary {
  /** How many operators, and how much work in products. */
  readonly title: string;
  /** Operators by type, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
}

/** ONNX Runtime, and summaries of the models that were loaded into it, in their order. */
export function watchedRuntime(): { runtime: OnnxRuntime; models: ModelSummary[] } {
  const models: ModelSummary[] = [];
  const create = (file: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
    models.push(summary(file));
    return ort.InferenceSession.create(file, options);
  };
  return { runtime: { ...ort, InferenceSession: { create } } as unknown as OnnxRuntime, models };
}

function summary(file: Uint8Array): ModelSummary {
  const graph = fields(fields(file).find(({ field }) => field === 7)!.bytes);
  const counts = new Map<string, number>();
  for (const { bytes } of graph.filter(({ field }) => field === 1)) {
    const operator = text(fields(bytes).find(({ field }) => field === 4)!.bytes);
    counts.set(operator, (counts.get(operator) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return { title: text(graph.find(({ field }) => field === 10)!.bytes), operators: Object.fromEntries(sorted) };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The length-delimited fields of a protocol buffer. */
function fields(bytes: Uint8Array): { field: number; bytes: Uint8Array }[] {
  const reader = protobuf.Reader.create(bytes);
  const found: { field: number; bytes: Uint8Array }[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) found.push({ field: tag >>> 3, bytes: reader.bytes() });
    else reader.skipType(tag & 7);
  }
  return found;
}
