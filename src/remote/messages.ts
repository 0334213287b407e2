import type { Info } from '../envs/env.js';
import { DiffrlError, requireInteger, show } from '../errors.js';
import { Box } from '../spaces/box.js';
import { ProtocolError } from './errors.js';
import { BodyReader, bytesOf, type Frame, frameName, jsonBytes } from './frames.js';

/** What both ends must name in their first frame. */
export const PROTOCOL = { protocol: 'diffrl-env', version: 1 } as const;

/** What the side that acts wants of the side that has the environments. */
export interface Hello {
  token?: string;
  /** How many environments; all there are by default. */
  numEnvs?: number;
  /** Whether an episode that ends is followed by a reset in the same step. */
  autoreset: boolean;
}

/** What the environments are like. */
export interface Welcome {
  id: string | undefined;
  numEnvs: number;
  observationSpace: Box;
  actionSpace: Box;
  /** How observations travel; bytes are for images. */
  observationType: 'float32' | 'uint8';
  hasState: boolean;
}

/** Starts of episodes. */
export interface Started {
  /** `[N * observationSize]` */
  observations: Float32Array;
  infos: Info[];
}

/** One step of N environments. */
export interface Stepped {
  /** `[N]` */
  rewards: Float64Array;
  /** `[N]`, 1 where the task itself ended. */
  terminated: Uint8Array;
  /** `[N]`, 1 where the episode was cut. */
  truncated: Uint8Array;
  /** `[N * observationSize]`, true successors. */
  nextObservations: Float32Array;
  /** `[N * observationSize]`: the successors, or starts of new episodes where one ended and was reset. */
  observations: Float32Array;
  infos: Info[];
}

/** Largest number of environments behind one connection. */
const MAX_ENVS = 65_536;
const TERMINATED = 1;
const TRUNCATED = 2;

export function encodeHello({ token, numEnvs, autoreset }: Hello): Uint8Array[] {
  return [jsonBytes({ ...PROTOCOL, token, numEnvs, autoreset })];
}

/** @throws ProtocolError unless it is the hello of a version that this end speaks */
export function decodeHello(frame: Frame): Hello {
  const { token, numEnvs, autoreset } = protocolObject(frame);
  return {
    ...(token !== undefined && { token: text(frame, 'token', token) }),
    ...(numEnvs !== undefined && { numEnvs: count(frame, 'numEnvs', numEnvs) }),
    autoreset: flag(frame, 'autoreset', autoreset),
  };
}

export function encodeOffer(token: string | undefined): Uint8Array[] {
  return [jsonBytes({ ...PROTOCOL, token })];
}

/** The token of an offer, if it has one. */
export function decodeOffer(frame: Frame): string | undefined {
  const { token } = protocolObject(frame);
  return token === undefined ? undefined : text(frame, 'token', token);
}

export function encodeWelcome(welcome: Welcome): Uint8Array[] {
  const spaces = { observationSpace: boxJson(welcome.observationSpace), actionSpace: boxJson(welcome.actionSpace) };
  return [jsonBytes({ ...PROTOCOL, ...welcome, ...spaces })];
}

export function decodeWelcome(frame: Frame): Welcome {
  const { id, numEnvs, observationSpace, actionSpace, observationType, hasState } = protocolObject(frame);
  if (observationType !== 'float32' && observationType !== 'uint8') {
    throw fault(frame, `observationType must be 'float32' or 'uint8', got ${show(observationType)}`);
  }
  return {
    id: id === undefined || id === null ? undefined : text(frame, 'id', id),
    numEnvs: count(frame, 'numEnvs', numEnvs),
    observationSpace: boxOf(frame, 'observationSpace', observationSpace),
    actionSpace: boxOf(frame, 'actionSpace', actionSpace),
    observationType,
    hasState: flag(frame, 'hasState', hasState),
  };
}

/** NaN stands for an environment that goes on with its stream. */
export function encodeReset(seeds: readonly (number | undefined)[]): Uint8Array[] {
  return [bytesOf(Float64Array.from(seeds, (seed) => seed ?? Number.NaN))];
}

export function decodeReset(frame: Frame, numEnvs: number): (number | undefined)[] {
  const reader = new BodyReader(frame);
  const seeds = Array.from(reader.doubles(numEnvs), (seed) => {
    if (Number.isNaN(seed)) return undefined;
    if (Number.isSafeInteger(seed) && seed >= 0) return seed;
    throw fault(frame, `seeds must be integers in [0, 2^53) or NaN, got ${seed}`);
  });
  reader.end();
  return seeds;
}

export function encodeStarted({ observations, infos }: Started, welcome: Welcome): Uint8Array[] {
  return [packed(observations, welcome), infoBytes(infos)];
}

export function decodeStarted(frame: Frame, welcome: Welcome): Started {
  const reader = new BodyReader(frame);
  const observations = unpack(reader, welcome.numEnvs, welcome);
  return { observations, infos: infosOf(frame, reader, welcome.numEnvs) };
}

export function encodeStep(actions: Float32Array): Uint8Array[] {
  return [bytesOf(actions)];
}

export function decodeStep(frame: Frame, { numEnvs, actionSpace }: Welcome): Float32Array {
  const reader = new BodyReader(frame);
  const actions = reader.floats(numEnvs * actionSpace.size);
  reader.end();
  const bad = actions.findIndex((action) => !Number.isFinite(action));
  if (bad >= 0) throw fault(frame, `actions must be finite, got ${actions[bad]}`);
  return actions;
}

export function encodeStepped(stepped: Stepped, welcome: Welcome, autoreset: boolean): Uint8Array[] {
  const { rewards, terminated, truncated, nextObservations, observations, infos } = stepped;
  const { size } = welcome.observationSpace;
  const flags = terminated.map((ended, i) => TERMINATED * ended + TRUNCATED * truncated[i]!);
  const starts = autoreset ? endedRows(flags).map((i) => observations.subarray(i * size, (i + 1) * size)) : [];
  const parts = [nextObservations, ...starts].map((rows) => packed(rows, welcome));
  return [flags, bytesOf(rewards), ...parts, infoBytes(infos)];
}

export function decodeStepped(frame: Frame, welcome: Welcome, autoreset: boolean): Stepped {
  const { numEnvs } = welcome;
  const { size } = welcome.observationSpace;
  const reader = new BodyReader(frame);
  const flags = reader.bytes(numEnvs);
  if (flags.some((bits) => bits > (TERMINATED | TRUNCATED))) throw fault(frame, 'flags must be 0, 1, 2 or 3');
  const rewards = reader.doubles(numEnvs);
  const nextObservations = unpack(reader, numEnvs, welcome);
  const observations = nextObservations.slice();
  const ended = autoreset ? endedRows(flags) : [];
  const starts = unpack(reader, ended.length, welcome);
  ended.forEach((i, row) => observations.set(starts.subarray(row * size, (row + 1) * size), i * size));
  return {
    rewards,
    terminated: flags.map((bits) => bits & TERMINATED),
    truncated: flags.map((bits) => (bits & TRUNCATED) / TRUNCATED),
    nextObservations,
    observations,
    infos: infosOf(frame, reader, numEnvs),
  };
}

/** What went wrong on the other side. After a `fatal` error the connection ends. */
export interface RemoteFault {
  name: string;
  message: string;
  fatal: boolean;
}

export function encodeError(fault: RemoteFault): Uint8Array[] {
  return [jsonBytes({ ...fault, message: fault.message.slice(0, MAX_MESSAGE) })];
}

export function decodeError(frame: Frame): RemoteFault {
  const { name, message, fatal } = objectOf(frame);
  return {
    name: text(frame, 'name', name),
    message: text(frame, 'message', message),
    fatal: flag(frame, 'fatal', fatal),
  };
}

const MAX_MESSAGE = 16_384;

function endedRows(flags: Uint8Array): number[] {
  return Array.from(flags.keys()).filter((i) => flags[i]);
}

function packed(rows: Float32Array, { observationType }: Welcome): Uint8Array {
  return observationType === 'uint8' ? Uint8Array.from(rows) : bytesOf(rows);
}

function unpack(reader: BodyReader, rows: number, { observationType, observationSpace }: Welcome): Float32Array {
  const numbers = rows * observationSpace.size;
  return observationType === 'uint8' ? Float32Array.from(reader.bytes(numbers)) : reader.floats(numbers);
}

/** Infos as JSON, nothing at all where all are empty. */
function infoBytes(infos: readonly Info[]): Uint8Array {
  const isEmpty = infos.every((info) => Object.keys(info).length === 0);
  return isEmpty ? new Uint8Array(0) : jsonBytes(infos);
}

function infosOf(frame: Frame, reader: BodyReader, numEnvs: number): Info[] {
  const infos = reader.json();
  if (infos === undefined) return Array.from({ length: numEnvs }, () => ({}));
  if (Array.isArray(infos) && infos.length === numEnvs && infos.every(isObject)) return infos;
  throw fault(frame, `infos must be a list of ${numEnvs} objects`);
}

function boxJson({ size, low, high }: Box): unknown {
  const short = (bounds: Float32Array) => {
    const numbers = Array.from(bounds, (bound) => (Number.isFinite(bound) ? bound : String(bound)));
    return numbers.every((bound) => bound === numbers[0]) ? numbers[0] : numbers;
  };
  return { size, low: short(low), high: short(high) };
}

function boxOf(frame: Frame, name: string, value: unknown): Box {
  if (!isObject(value)) throw fault(frame, `${name} must be an object, got ${show(value)}`);
  const size = count(frame, `${name}.size`, value.size, MAX_SIZE);
  const bounds = (side: 'low' | 'high') => {
    const given = value[side];
    const numbers = Array.isArray(given) ? given.map(Number) : new Array(size).fill(Number(given));
    if (numbers.length === size && !numbers.some(Number.isNaN)) return numbers;
    throw fault(frame, `${name}.${side} must be a number or ${size} numbers`);
  };
  try {
    return new Box(bounds('low'), bounds('high'));
  } catch (error) {
    throw error instanceof ProtocolError || !(error instanceof DiffrlError)
      ? error
      : fault(frame, `${name}: ${error.message}`);
  }
}

/** Largest number of entries of a space. */
const MAX_SIZE = 2 ** 24;

/** @throws ProtocolError unless the frame holds an object of a version that this end speaks */
function protocolObject(frame: Frame): Record<string, unknown> {
  const value = objectOf(frame);
  if (value.protocol !== PROTOCOL.protocol) {
    throw fault(frame, `protocol must be '${PROTOCOL.protocol}', got ${show(value.protocol)}`);
  }
  if (value.version !== PROTOCOL.version) {
    throw fault(
      frame,
      `version ${show(value.version)} is not spoken here, but ${PROTOCOL.version}; use the diffrl_env.py that belongs to this diffrl`,
    );
  }
  return value;
}

function objectOf(frame: Frame): Record<string, unknown> {
  const value = new BodyReader(frame).json();
  if (isObject(value)) return value;
  throw fault(frame, `an object was expected, got ${show(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(frame: Frame, name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw fault(frame, `${name} must be a string, got ${show(value)}`);
}

function flag(frame: Frame, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw fault(frame, `${name} must be true or false, got ${show(value)}`);
}

function count(frame: Frame, name: string, value: unknown, max = MAX_ENVS): number {
  try {
    return requireInteger(frameName(frame.type), name, value, { min: 1, max });
  } catch (error) {
    throw fault(frame, (error as Error).message);
  }
}

function fault(frame: Frame, what: string): ProtocolError {
  return new ProtocolError(`a ${frameName(frame.type)} frame is malformed: ${what}`);
}
