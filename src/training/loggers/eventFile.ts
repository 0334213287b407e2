import protobuf from 'protobufjs/minimal.js';

/** One entry of a TensorBoard event file. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  wallTime: number;
  step?: number;
  /** The first entry of a file says `brain.Event:2`. */
  fileVersion?: string;
  /** Numbers by tag. */
  scalars?: Record<string, number>;
  /** Says that a run goes on at `step`: TensorBoard forgets what was written of this and later steps before. */
  restarts?: boolean;
}

/** `event` as a record of TensorFlow's TFRecord format: length, its checksum, the protocol buffer, its checksum. */
export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  const message = encodeMessage(event);
  const record = new Uint8Array(message.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc32c(message), true);
  return record;
}

/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) of `bytes`, an unsigned number of 32 bits. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The form in which TFRecord stores checksums: rotated by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let entry = byte;
  for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0x82f63b78 : entry >>> 1;
  return entry;
});

/** tensorflow.Event: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7. */
function encodeMessage({ wallTime, step, fileVersion, scalars, restarts }: TensorBoardEvent): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, DOUBLE)).double(wallTime);
  if (step !== undefined) writer.uint32(tag(2, VARINT)).int64(step);
  if (fileVersion !== undefined) writer.uint32(tag(3, BYTES)).string(fileVersion);
  if (scalars) {
    writer.uint32(tag(5, BYTES)).fork();
    for (const [name, value] of Object.entries(scalars)) {
      // Summary.value = 1; Value.tag = 1, Value.simple_value = 2
      writer.uint32(tag(1, BYTES)).fork().uint32(tag(1, BYTES)).string(name);
      writer.uint32(tag(2, FLOAT)).float(value).ldelim();
    }
    writer.ldelim();
  }
  if (restarts) writer.uint32(tag(7, BYTES)).fork().uint32(tag(1, VARINT)).int32(SESSION_START).ldelim();
  return writer.finish();
}

const [VARINT, DOUBLE, BYTES, FLOAT] = [0, 1, 2, 5];
const SESSION_START = 1;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
