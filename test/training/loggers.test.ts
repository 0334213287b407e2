import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkpoints,
  csvLog,
  evaluation,
  evaluationsCsv,
  jsonLinesLog,
  loggedName,
  tensorBoardLog,
  train,
} from 'diffrl';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c, encodeEvent, maskedCrc32c } from '../../src/training/loggers/eventFile.js';
import { Counter, TinyAgent } from './tinyAgent.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** TensorFlow's own definitions, as far as they are used here (event.proto, summary.proto). */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
  message SessionLog { enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; } SessionStatus status = 1; }
  message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
`);
const Event = root.lookupType('Event');

/** A reader of TFRecord files that shares nothing with the writer. */
function readEvents(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const events: { step: number; fileVersion?: string; restarts: boolean; scalars: Record<string, number> }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(slowMaskedCrc(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(slowMaskedCrc(data));
    const event = Event.toObject(Event.decode(data), { longs: Number, enums: String, defaults: false });
    const values = (event.summary?.value ?? []) as { tag: string; simpleValue?: number }[];
    events.push({
      step: event.step ?? 0,
      fileVersion: event.fileVersion,
      restarts: event.sessionLog?.status === 'START',
      scalars: Object.fromEntries(values.map(({ tag, simpleValue }) => [tag, simpleValue ?? 0])),
    });
    at += 16 + length;
  }
  return events;
}

/** Polynomial division bit by bit, most significant bit first, with the reflections written out. */
function slowMaskedCrc(bytes: Uint8Array): number {
  const reflect = (value: bigint, bits: number) =>
    Array.from({ length: bits }, (_, i) => ((value >> BigInt(i)) & 1n) << BigInt(bits - 1 - i)).reduce((a, b) => a | b);
  let rest = 0xffffffffn;
  for (const byte of bytes) {
    rest ^= reflect(BigInt(byte), 8) << 24n;
    for (let bit = 0; bit < 8; bit++) {
      rest <<= 1n;
      if (rest >> 32n) rest ^= 0x11edc6f41n;
    }
  }
  const crc = reflect(rest ^ 0xffffffffn, 32);
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

describe('the event file', () => {
  it('has the checksums of RFC 3720, appendix B.4', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(maskedCrc32c(Uint8Array.of(1, 2, 3))).toBe(slowMaskedCrc(Uint8Array.of(1, 2, 3)));
  });

  it('holds steps beyond 32 bits, float32 values and any name', () => {
    const [event] = readEvents(encodeEvent({ wallTime: 1, step: 2 ** 40, scalars: { 'größe/x': 0.1, nan: NaN } }));
    expect(event).toMatchObject({ step: 2 ** 40, scalars: { 'größe/x': Math.fround(0.1), nan: NaN } });
  });
});

const withoutTime = (row: Record<string, number>) =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('time/')));

it('CSV, JSON lines and TensorBoard say the same, also of a run that was resumed', async () => {
  const logs = (name: string) => [
    evaluation({ env: new Counter(3), every: 30, episodes: 2 }),
    csvLog(join(folder, name, 'progress.csv'), { every: 10 }),
    jsonLinesLog(join(folder, name, 'progress.jsonl'), { every: 10 }),
    tensorBoardLog(join(folder, name), { every: 10 }),
    evaluationsCsv(join(folder, name, 'evaluations.csv')),
  ];
  const make = () => ({ agent: new TinyAgent(new Counter()), env: new Counter() });
  await train({ ...make(), steps: 80, callbacks: logs('whole') });

  const saved = checkpoints({ path: join(folder, 'checkpoint'), every: 40 });
  const dies = {
    onStepEnd: (run: { step: number }) => {
      if (run.step === 65) throw new Error('power cut');
    },
  };
  await expect(train({ ...make(), steps: 80, callbacks: [...logs('cut'), saved, dies] })).rejects.toThrow('power cut');
  await train({ ...make(), steps: 80, resume: join(folder, 'checkpoint'), callbacks: logs('cut') });

  const lines = async (name: string) => {
    const text = await readFile(join(folder, name, 'progress.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
  };
  const whole = await lines('whole');
  expect(whole.map(({ step }) => step)).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  expect((await lines('cut')).map(withoutTime)).toEqual(whole.map(withoutTime));
  const evaluations = await readFile(join(folder, 'cut', 'evaluations.csv'), 'utf8');
  expect(evaluations).toBe('step,return,std,min,max,length,episodes,successRate\n30,6,0,6,6,3,2,\n60,6,0,6,6,3,2,\n');
  expect(await readFile(join(folder, 'whole', 'evaluations.csv'), 'utf8')).toBe(evaluations);

  const [header, ...rows] = (await readFile(join(folder, 'cut', 'progress.csv'), 'utf8')).trimEnd().split('\n');
  expect(header!.split(',')).toEqual(
    expect.arrayContaining(['time/updatesPerSecond', 'evaluation/return', 'agent/loss']),
  );
  expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(whole.map(({ step }) => step));

  const files = (await readdir(join(folder, 'cut'))).filter((name) => name.includes('tfevents')).sort();
  const [first, second] = await Promise.all(
    files.map(async (name) => readEvents(await readFile(join(folder, 'cut', name)))),
  );
  expect(first![0]!.fileVersion).toBe('brain.Event:2');
  expect(second![1]).toMatchObject({ step: 41, restarts: true });
  const shown = [...first!.filter(({ step }) => step < 41), ...second!].filter(
    ({ scalars }) => 'episode/count' in scalars,
  );
  const rounded = (row: Record<string, number>) =>
    Object.fromEntries(Object.entries(withoutTime(row)).map(([name, value]) => [name, Math.fround(value)]));
  expect(shown.map(({ step, scalars }) => rounded({ step, ...scalars }))).toEqual(whole.map(rounded));
});

it('names equal quantities equally', () => {
  expect(['criticLoss', 'valueLoss', 'actorLoss', 'policyLoss'].map(loggedName)).toEqual([
    'loss/critic',
    'loss/critic',
    'loss/actor',
    'loss/actor',
  ]);
  expect([loggedName('surprise'), loggedName('own/name'), loggedName('toString')]).toEqual([
    'agent/surprise',
    'own/name',
    'agent/toString',
  ]);
});
