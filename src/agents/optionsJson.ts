import type { Json } from '../checkpoint/checkpointFiles.js';
import { descriptionOf } from '../described.js';
import { ArgumentError } from '../errors.js';
import { CONSTANTS, MAKERS, type Maker, makerName } from './pieces.js';

/** An object in JSON: options by name. */
export type JsonObject = { [key: string]: Json | undefined };

/**
 * Options as JSON. A sampler, schedule, network factory, activation ... becomes `{ type: 'EulerMaruyamaSampler', steps: 8 }`:
 * the name of what made it and its options. Of pieces that are not the library's own the name is kept too, so that
 * {@link decodeOptions} can say what is missing; a bare function is `{ type: 'function NAME' }`.
 */
export function encodeOptions(options: object): JsonObject {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, encode(value)]));
}

/**
 * The options that {@link encodeOptions} wrote, or somebody wrote by hand: `'mish'` may stand for `{ type: 'mish' }`.
 *
 * @param custom makes the pieces that are not the library's own, by the name of their class or function
 * @throws ArgumentError naming the option whose piece nobody can make
 */
export function decodeOptions(options: JsonObject, custom: Record<string, Maker> = {}, where = 'decodeOptions') {
  return decodeEntries(options, { makers: { ...MAKERS, ...custom }, where, path: '' });
}

/**
 * `over` laid over `under`, groups of options entry by entry at every depth. Two of different `type`, two schedules for
 * instance, have nothing to merge: `over` replaces `under`.
 */
export function mergeOptions(under: JsonObject, over: JsonObject): JsonObject {
  const merged = { ...under, ...over };
  for (const [name, above] of Object.entries(over)) {
    const below = under[name];
    if (isObject(below) && isObject(above) && (above.type ?? below.type) === below.type)
      merged[name] = mergeOptions(below, above);
  }
  return merged;
}

interface Context {
  readonly makers: Record<string, Maker>;
  readonly where: string;
  readonly path: string;
}

function encode(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { type: 'number', value: String(value) };
  const constant = Object.entries(CONSTANTS).find(([, own]) => own === value);
  if (constant) return { type: constant[0] };
  const description = descriptionOf(value as object);
  if (description) {
    const { maker, options } = description;
    return { type: makerName(maker) ?? maker.name, ...encodeOptions(options) };
  }
  if (typeof value === 'function') return { type: `function ${value.name || '(anonymous)'}` };
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, encode);
  if (isPlain(value)) return encodeOptions(value as object);
  return { type: (value as object).constructor.name };
}

function decode(value: Json, context: Context): unknown {
  if (typeof value === 'string' && Object.hasOwn(CONSTANTS, value)) return CONSTANTS[value];
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((entry, i) => decode(entry, at(context, String(i))));
  const { type, ...options } = value;
  if (typeof type !== 'string') return decodeEntries(value, context);
  if (type === 'number') return Number(options.value);
  if (Object.hasOwn(CONSTANTS, type)) return CONSTANTS[type];
  const maker = Object.hasOwn(context.makers, type) ? context.makers[type] : undefined;
  if (!maker) throw missing(type, context);
  return maker(decodeEntries(options, context));
}

function decodeEntries(options: JsonObject, context: Context): Record<string, unknown> {
  const entries = Object.entries(options).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, decode(value, at(context, name))]));
}

function at(context: Context, name: string): Context {
  return { ...context, path: context.path ? `${context.path}.${name}` : name };
}

function missing(type: string, { where, path }: Context): ArgumentError {
  if (type.startsWith('function ')) {
    return new ArgumentError(
      `${where}: option ${path} was the ${type}, which a file cannot hold. Hand it in again: options: { ${path.split('.')[0]}: ... }.`,
    );
  }
  return new ArgumentError(
    `${where}: option ${path} was a ${type}, which is not of this library. Say how to make one: custom: { ${type}: (options) => new ${type}(options) }.`,
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
