import { ArgumentError, CheckpointError, requireObject, ShapeError, show } from '../errors.js';
import type { StateArray, StateDict, TypedArray } from '../state.js';
import { joinBytes } from './bytes.js';

/** What {@link decodeSafetensors} finds in a file. */
export interface Safetensors {
  state: StateDict;
  /** The file's free text entries. */
  metadata: Record<string, string>;
  /** Entries that were left out, by name, and why. */
  unread: Record<string, string>;
}

/**
 * `state` as the bytes of a safetensors file (github.com/huggingface/safetensors), which Python reads with
 * `safetensors.numpy.load_file`. Types and shapes are kept.
 *
 * @param metadata free text entries to store beside the arrays
 * @throws ShapeError if an array does not fit its shape
 */
export function encodeSafetensors(state: StateDict, metadata: Record<string, string> = {}): Uint8Array {
  requireObject('encodeSafetensors', 'metadata', metadata);
  return joinBytes(safetensorsParts(state, metadata));
}

/** The pieces that {@link encodeSafetensors} joins: the header, then views of the arrays themselves (no copies). */
export function safetensorsParts(state: StateDict, metadata: Record<string, string> = {}): Uint8Array[] {
  requireState(state);
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
 * Reads the bytes of a safetensors file. F64, F32, I32, U32 and U8 arrays are views of `bytes` where its alignment
 * allows it, else copies. Other types are converted where that is exact: F16 and BF16 to float32, I16, U16 and I8 to
 * int32, BOOL to uint8, I64 and U64 to float64 if no number is beyond 2^53. What is left is named in `unread`.
 *
 * @throws ArgumentError unless `bytes` is a Uint8Array (a Buffer is one)
 * @throws CheckpointError saying what is damaged
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  if (!(bytes instanceof Uint8Array)) {
    throw new ArgumentError(
      `decodeSafetensors: bytes must be a Uint8Array, such as what readFile returns, got ${show(bytes)}.`,
    );
  }
  const { header, start } = decodeHeader(bytes);
  const { [METADATA]: metadata = {}, ...entries } = header;
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  let end = 0;
  const byPosition = Object.entries(entries).sort(([, a], [, b]) => comparePositions(a, b));
  const arrays = new Map<string, StateArray>();
  const unread: Record<string, string> = {};
  for (const [name, entry] of byPosition) {
    const { dtype, shape, data_offsets: span } = entry ?? {};
    if (!isShape(shape)) damaged(`'${name}' has no valid shape`);
    const reader = readerOf(dtype);
    if (span?.[0] !== end || !fits(span[1] - end, product(shape), reader)) {
      damaged(`the position of '${name}' does not fit its shape and its neighbours`);
    }
    end = span[1];
    if (end > body.length) damaged(`'${name}' ends at byte ${end} of ${body.length}; the file is cut short`);
    const data = reader?.read(body.subarray(...span));
    if (data) arrays.set(name, { shape, data });
    else unread[name] = reader ? `${dtype} with numbers beyond 2^53` : `${dtype} is not a type that is read`;
  }
  if (end !== body.length) damaged(`${body.length - end} bytes follow the last array`);
  const names = Object.keys(entries).filter((name) => arrays.has(name));
  return { state: Object.fromEntries(names.map((name) => [name, arrays.get(name)!])), metadata, unread };
}

function requireState(state: StateDict): void {
  requireObject('encodeSafetensors', 'state', state);
  for (const [name, array] of Object.entries(state)) {
    requireObject('encodeSafetensors', `'${name}'`, array);
    if (isShape(array.shape) && Object.values(DTYPES).some((Type) => array.data instanceof Type)) continue;
    throw new ArgumentError(
      `encodeSafetensors: '${name}' must be { shape, data } with a ${Object.keys(DTYPES).join(', ')} array, got ${show(array.data)}.`,
    );
  }
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

/** Makes an array of one type of the format from its bytes, or nothing where that would not be exact. */
interface Reader {
  width: number;
  read(bytes: Uint8Array): TypedArray | undefined;
}

const CONVERSIONS: Record<string, Reader> = {
  BOOL: { width: 1, read: (bytes) => bytes },
  I8: {
    width: 1,
    read: (bytes) => Int32Array.from(new Int8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)),
  },
  I16: { width: 2, read: (bytes) => Int32Array.from(elements(bytes, 2, (view, at) => view.getInt16(at, true))) },
  U16: { width: 2, read: (bytes) => Int32Array.from(elements(bytes, 2, (view, at) => view.getUint16(at, true))) },
  F16: {
    width: 2,
    read: (bytes) => Float32Array.from(elements(bytes, 2, (view, at) => halfFloat(view.getUint16(at, true)))),
  },
  BF16: { width: 2, read: brainFloats },
  I64: { width: 8, read: (bytes) => exact(elements(bytes, 8, (view, at) => Number(view.getBigInt64(at, true)))) },
  U64: { width: 8, read: (bytes) => exact(elements(bytes, 8, (view, at) => Number(view.getBigUint64(at, true)))) },
};

function readerOf(dtype: unknown): Reader | undefined {
  const name = String(dtype);
  if (Object.hasOwn(CONVERSIONS, name)) return CONVERSIONS[name];
  if (!Object.hasOwn(DTYPES, name)) return undefined;
  const Type = DTYPES[name] as TypedArrayConstructor;
  return { width: Type.BYTES_PER_ELEMENT, read: (bytes) => view(bytes, Type) };
}

/** Whether `bytes` hold `count` elements; of types that are not known each number of bytes is believed. */
function fits(bytes: number, count: number, reader: Reader | undefined): boolean {
  return reader ? bytes === count * reader.width : bytes >= 0;
}

function elements(bytes: Uint8Array, width: number, read: (view: DataView, at: number) => number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width));
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** The upper halves of float32 numbers. */
function brainFloats(bytes: Uint8Array): Float32Array {
  const bits = Uint32Array.from(elements(bytes, 2, (view, at) => view.getUint16(at, true) * 2 ** 16));
  return new Float32Array(bits.buffer);
}

function exact(numbers: number[]): Float64Array | undefined {
  return numbers.every(Number.isSafeInteger) ? Float64Array.from(numbers) : undefined;
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

function view(bytes: Uint8Array, Type: TypedArrayConstructor): TypedArray {
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.length / Type.BYTES_PER_ELEMENT);
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
