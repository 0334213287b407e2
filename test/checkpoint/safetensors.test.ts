import { CheckpointError, decodeSafetensors, encodeSafetensors, type StateDict } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Written by the Python package safetensors 0.8.0 from the arrays of {@link arrays}. */
const golden = Buffer.from(
  [
    '88010000000000007b225f5f6d657461646174615f5f223a7b226279223a22707974686f6e227d2c227374657073223a7b22',
    '6474797065223a22463634222c227368617065223a5b315d2c22646174615f6f666673657473223a5b302c385d7d2c226372',
    '697469632f62696173223a7b226474797065223a22463332222c227368617065223a5b322c315d2c22646174615f6f666673',
    '657473223a5b382c31365d7d2c22656d707479223a7b226474797065223a22463332222c227368617065223a5b302c345d2c',
    '22646174615f6f666673657473223a5b31362c31365d7d2c22726e67223a7b226474797065223a22553332222c2273686170',
    '65223a5b335d2c22646174615f6f666673657473223a5b31362c32385d7d2c22726f7773223a7b226474797065223a224933',
    '32222c227368617065223a5b5d2c22646174615f6f666673657473223a5b32382c33325d7d2c22666c616773223a7b226474',
    '797065223a225538222c227368617065223a5b335d2c22646174615f6f666673657473223a5b33322c33355d7d7d20202020',
    '3333333380842e410000c03f000000c00000000007000000fffffffffbffffff0001ff',
  ].join(''),
  'hex',
);
const arrays: StateDict = {
  steps: { shape: [1], data: Float64Array.of(1e6 + 0.1) },
  'critic/bias': { shape: [2, 1], data: Float32Array.of(1.5, -2) },
  empty: { shape: [0, 4], data: new Float32Array(0) },
  rng: { shape: [3], data: Uint32Array.of(0, 7, 4294967295) },
  rows: { shape: [], data: Int32Array.of(-5) },
  flags: { shape: [3], data: Uint8Array.of(0, 1, 255) },
};

describe('safetensors', () => {
  it('reads what Python wrote', () => {
    expect(decodeSafetensors(golden)).toEqual({ state: arrays, metadata: { by: 'python' }, unread: {} });
  });

  it('writes byte for byte what Python writes', () => {
    expect(Buffer.from(encodeSafetensors(arrays, { by: 'python' })).equals(golden)).toBe(true);
  });

  it('gives back every state, in its order, from any position in memory', () => {
    const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });
    const array = shape.chain((shape) => {
      const size = shape.reduce((all, n) => all * n, 1);
      const bytes = (width: number) => fc.uint8Array({ minLength: size * width, maxLength: size * width });
      return fc.oneof(
        bytes(8).map((b) => ({ shape, data: new Float64Array(b.slice().buffer) })),
        bytes(4).map((b) => ({ shape, data: new Float32Array(b.slice().buffer) })),
        bytes(4).map((b) => ({ shape, data: new Int32Array(b.slice().buffer) })),
        bytes(4).map((b) => ({ shape, data: new Uint32Array(b.slice().buffer) })),
        bytes(1).map((data) => ({ shape, data })),
      );
    });
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text !== '__metadata__');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, array)), fc.nat({ max: 9 }), (entries, offset) => {
        const state: StateDict = Object.fromEntries(entries);
        const bytes = encodeSafetensors(state);
        const moved = new Uint8Array(bytes.length + offset).subarray(offset);
        moved.set(bytes);
        const decoded = decodeSafetensors(moved);
        expect(decoded.metadata).toEqual({});
        expect(Object.entries(decoded.state)).toEqual(Object.entries(state));
      }),
    );
  });

  it('refuses every cut and survives every changed byte of the header', () => {
    for (let length = 0; length < golden.length; length++) {
      expect(() => decodeSafetensors(golden.subarray(0, length))).toThrow(CheckpointError);
    }
    fc.assert(
      fc.property(fc.nat({ max: golden.length - 36 }), fc.nat({ max: 255 }), (position, value) => {
        const changed = Uint8Array.from(golden);
        changed[position] = value;
        try {
          decodeSafetensors(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('says what it cannot write or read', () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ w: { shape: [2], data } })).toThrow("'w' has 3 numbers for shape [2]");
    expect(() => encodeSafetensors({ __metadata__: { shape: [3], data } })).toThrow(/reserved/);
    const eighths = Buffer.from(golden.toString('latin1').replace('"U8"', '"F8"'), 'latin1');
    const { state, unread } = decodeSafetensors(eighths);
    expect(unread).toEqual({ flags: 'F8 is not a type that is read' });
    expect(Object.keys(state)).toEqual(Object.keys(arrays).filter((name) => name !== 'flags'));
    expect(() => decodeSafetensors('golden' as never)).toThrow(
      "bytes must be a Uint8Array, such as what readFile returns, got 'golden'",
    );
  });

  it('reads a Buffer wherever its arrays begin, as readFile and sockets give them', () => {
    for (const offset of [0, 1, 2, 3, 4, 7]) {
      const moved = Buffer.alloc(golden.length + offset).subarray(offset);
      golden.copy(moved);
      expect(decodeSafetensors(moved).state).toEqual(arrays);
    }
  });

  it.each([
    [
      'F16',
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1, 0x8000, 0x7c00, 0x7e00),
      Float32Array.of(1, -2, 65504, 2 ** -24, -0, Infinity, Number.NaN),
    ],
    ['BF16', Uint16Array.of(0x3f80, 0xbf80, 0x4049, 0xff80), Float32Array.of(1, -1, 3.140625, -Infinity)],
    ['BOOL', Uint8Array.of(0, 1), Uint8Array.of(0, 1)],
    ['I8', Int8Array.of(-128, 127), Int32Array.of(-128, 127)],
    ['I16', Int16Array.of(-32768, 7), Int32Array.of(-32768, 7)],
    ['U16', Uint16Array.of(65535, 7), Int32Array.of(65535, 7)],
    ['I64', BigInt64Array.of(-7n, 9007199254740991n), Float64Array.of(-7, 9007199254740991)],
    ['U64', BigUint64Array.of(7n), Float64Array.of(7)],
  ])('converts %s, which is exact', (dtype, data, expected) => {
    expect(decodeSafetensors(foreign(dtype, data)).state.x).toEqual({ shape: [expected.length], data: expected });
  });

  it('names numbers that float64 cannot hold and reads the rest', () => {
    const { state, unread } = decodeSafetensors(foreign('I64', BigInt64Array.of(2n ** 53n)));
    expect(unread).toEqual({ x: 'I64 with numbers beyond 2^53' });
    expect(state.w!.data).toEqual(Float32Array.of(0.5));
  });
});

/** A file with an array `w` of float32 and behind it `x` of any type, at an odd position if `w` makes it so. */
function foreign(dtype: string, data: { length: number; byteLength: number; buffer: ArrayBufferLike }): Uint8Array {
  const end = 4 + data.byteLength;
  const header = JSON.stringify({
    w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    x: { dtype, shape: [data.length], data_offsets: [4, end] },
  });
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(new Uint8Array(Float32Array.of(0.5).buffer), 8 + header.length);
  bytes.set(new Uint8Array(data.buffer), 12 + header.length);
  return bytes;
}
