import { ArgumentError, CheckpointError, ShapeError } from '../errors.js';
import type { StateArray, StateDict, TypedArray } from '../state.js';
import { joinBytes } from './bytes.js';

/** What {@link decodeSafetensors} finds in a file. */
export interface Safetensors {
  state: StateDict;
  /** The file's free text entries. */
  metadata: Record<string, string>;
}

/**
 * `state` as the bytes of a safetensors file (github.com/huggingface/safetensors), which Python reads with
 * `safetensors.numpy.load_file`. Types and shapes are kept.
 *
 * @param metadata free text entries to store beside the arrays
 * @throws ShapeError if an array does not fit its shape
 */
export function encodeSafetensors(state: StateDict, metadata: Record<string, string> = {}): Uint8Array {
  return joinBytes(safetensorsParts(state, metadata));
}

/** The pieces that {@link encodeSafetensors} joins: the header, then views of the arrays themselves (no copies). */
export function safetensorsParts(state: StateDict, metadata: Record<string, string> = {}): Uint8Array[] {
  if (Object.hasOwn(state, METADATA)) {
    throw new ArgumentError(`encodeSafetensors: the name '${METADATA}' is reserved by the format; rename the entry.`);
  }
  // Wide elements first, so that every array starts at a multiple of its element size.
  const ordered = Object.entries(state).sort(([, a], [, b]) => elementSize(b) - elementSize(a));
  const spans = new Map<string, [number, number]>();
  let end = 0;
  for (const [name, { data, shape }] of ordered) {
    if (data.length !== product(shape)) {
      throw new ShapeError(`encodeSafetensors: '${name}' has ${data.length} numbers for shape [${shape.join(', ')}].`);
    }
    spans.set(name, [end, end + data.byteLength]);
    end += data.byteLength;
  }
  const entries = Object.entries(state).map(([name, { data, shape }]) => [
    name,
    { dtype: dtypeOf(data), shape, data_offsets: spans.get(name) },
  ]);
  const header = { ...(Object.keys(metadata).length && { [METADATA]: metadata }), ...Object.fromEntries(entries) };
  return [encodeHeader(header), ...ordered.map(([, { data }]) => bytesOf(data))];
}

/**
 * Reads the bytes of a safetensors file with F64, F32, I32, U32 or U8 arrays.
 * Arrays are views of `bytes` where its alignment allows it, else copies.
 *
 * @throws CheckpointError saying what is damaged or not supported
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = decodeHeader(bytes);
  const { [METADATA]: metadata = {}, ...entries } = header;
  const body = bytes.subarray(start);
  let end = 0;
  const byPosition = Object.entries(entries).sort(([, a], [, b]) => comparePositions(a, b));
  const arrays = new Map<string, StateArray>();
  for (const [name, entry] of byPosition) {
    const { dtype, shape, data_offsets: span } = entry ?? {};
    const Type = DTYPES[dtype];
    if (!Type) damaged(`'${name}' has type ${dtype}; supported are ${Object.keys(DTYPES).join(', ')}`);
    if (!isShape(shape)) damaged(`'${name}' has no valid shape`);
    if (span?.[0] !== end || span[1] !== end + product(shape) * Type.BYTES_PER_ELEMENT) {
      damaged(`the position of '${name}' does not fit its shape and its neighbours`);
    }
    end = span[1];
    if (end > body.length) damaged(`'${name}' ends at byte ${end} of ${body.length}; the file is cut short`);
    arrays.set(name, { shape, data: view(body, span, Type) });
  }
  if (end !== body.length) damaged(`${body.length - end} bytes follow the last array`);
  return { state: Object.fromEntries(Object.keys(entries).map((name) => [name, arrays.get(name)!])), metadata };
}

const METADATA = '__metadata__';
const DTYPES: Record<string, TypedArrayConstructor> = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
};

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): TypedArray;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

type Header = Record<string, Entry> & { [METADATA]?: Record<string, string> };

/** The header's length in eight bytes, then its JSON, padded with spaces so that the arrays start at a multiple of 8. */
function encodeHeader(header: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(' '.charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function decodeHeader(bytes: Uint8Array): { header: Header; start: number } {
  if (bytes.length < 8) damaged(`it has ${bytes.length} bytes, fewer than the 8 of its length field`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) damaged(`its header should have ${length} bytes, ${bytes.length - 8} are there`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    damaged('its header is not JSON');
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header)) damaged('its header is not an object');
  return { header: header as Header, start: 8 + length };
}

/** By start, then by end: empty arrays come before the one that starts where they are. */
function comparePositions(a?: Entry, b?: Entry): number {
  const [startA = 0, endA = 0] = a?.data_offsets ?? [];
  const [startB = 0, endB = 0] = b?.data_offsets ?? [];
  return startA - startB || endA - endB;
}

function view(body: Uint8Array, [start, end]: [number, number], Type: TypedArrayConstructor): TypedArray {
  const part = body.subarray(start, end);
  const aligned = part.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? part : part.slice();
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, (end - start) / Type.BYTES_PER_ELEMENT);
}

function dtypeOf(data: TypedArray): string {
  const [name] = Object.entries(DTYPES).find(([, Type]) => data instanceof Type) ?? [];
  if (name) return name;
  throw new ArgumentError(`encodeSafetensors: arrays must be ${Object.keys(DTYPES).join(', ')}, got ${typeof data}.`);
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function elementSize({ data }: StateArray): number {
  return data.BYTES_PER_ELEMENT;
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

function damaged(what: string): never {
  throw new CheckpointError(`decodeSafetensors: the file is damaged or foreign: ${what}.`);
}
