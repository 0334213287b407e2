import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import type { JsonObject } from '../agents/optionsJson.js';
import { ArgumentError } from '../errors.js';

/** `0..4`, `0,2,5` or both: `0..2,7`. */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim()) ?? [];
    if (from === undefined) throw new InvalidArgumentError(`Write 0..4 or 0,2,5.`);
    const [first, last] = [Number(from), Number(to ?? from)];
    if (last < first) throw new InvalidArgumentError(`${first} comes after ${last}.`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(seeds)];
}

/** A whole number with `_`, `k` (thousand) or `M` (million): `100k`, `50_000`. */
export function parseCount(text: string): number {
  const [, digits, unit] = /^([\d._]+(?:e\d+)?)([kM]?)$/.exec(text) ?? [];
  const value = Number(digits?.replace(/_/g, '')) * (unit === 'k' ? 1e3 : unit === 'M' ? 1e6 : 1);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Write a whole number such as 50000 or 50k.');
  return value;
}

/** As {@link parseCount}, 1 at least. */
export function parsePositiveCount(text: string): number {
  const value = parseCount(text);
  if (value < 1) throw new InvalidArgumentError('Write a whole number of at least 1.');
  return value;
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Write a number.');
  return value;
}

/** Seconds: `90`, `90s`, `30m`, `2h`. */
export function parseDuration(text: string): number {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * { s: 1, m: 60, h: 3600, '': 1 }[unit as 's' | 'm' | 'h' | '']!;
  if (!(seconds > 0 && seconds < 2e6)) throw new InvalidArgumentError('Write a time such as 90s, 30m or 2h.');
  return seconds;
}

/** Collects `key=value`; dots nest: `sampler.steps=8`. Values are YAML: `[256, 256]`, `true`, `1e-3`, `mish`. */
export function collectSetting(text: string, before: JsonObject = {}): JsonObject {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Write name=value, such as criticHidden=[256,256].`);
  return withSetting(before, text.slice(0, at).trim().split('.'), parseYaml(text.slice(at + 1)));
}

/** The object in a YAML or JSON file. @throws ArgumentError if it cannot be read or is none */
export function readObjectFile(path: string): JsonObject {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ArgumentError(`'${path}' cannot be read: ${(error as Error).message}`);
  }
  if (content !== null && typeof content === 'object' && !Array.isArray(content)) return content as JsonObject;
  throw new ArgumentError(`'${path}' must hold names and values (YAML or JSON).`);
}

function withSetting(before: JsonObject, [name, ...inner]: string[], value: JsonObject[string]): JsonObject {
  const below = before[name as string];
  return {
    ...before,
    [name as string]: inner.length ? withSetting(isObject(below) ? below : {}, inner, value) : value,
  };
}

function parseYaml(text: string): JsonObject[string] {
  try {
    return parse(text) ?? null;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message.split('\n')[0] as string);
  }
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
