/**
 * Base of every error that diffrl throws on purpose. Catch it to tell the library's own
 * complaints from programming errors.
 */
export class DiffrlError extends Error {
  override name = 'DiffrlError';
}

/** An argument has a value that is not allowed. Nothing was changed. */
export class ArgumentError extends DiffrlError {
  override name = 'ArgumentError';
}

/** An array or tensor has the wrong shape, size or type. Nothing was changed. */
export class ShapeError extends ArgumentError {
  override name = 'ShapeError';
}

/** A number that must be finite is NaN or infinite. Nothing was changed. */
export class NonFiniteError extends DiffrlError {
  override name = 'NonFiniteError';
}

/** An environment threw, or broke the {@link Env} contract; `cause` holds what it threw. */
export class EnvironmentError extends DiffrlError {
  override name = 'EnvironmentError';
}

/** A file or folder cannot be read or written; the message says why, `cause` holds the system's error. */
export class FileError extends DiffrlError {
  override name = 'FileError';
}

/**
 * A checkpoint is damaged, incomplete or belongs to something else, or its folder cannot be read or written. Nothing was
 * loaded; what the folder held before is still there.
 */
export class CheckpointError extends DiffrlError {
  override name = 'CheckpointError';
}

/** Something was used after it had been disposed of. */
export class DisposedError extends DiffrlError {
  override name = 'DisposedError';
}

/** An optional package is needed but not installed, or does not work on this machine. */
export class MissingPackageError extends DiffrlError {
  override name = 'MissingPackageError';
}

/** Bounds of a number, inclusive unless `above`/`below` is used. */
export interface Bounds {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
}

/**
 * Returns `value` if it is a finite number within `bounds`.
 *
 * @param where the public name the user called, such as `'cosineSchedule'`
 * @param name the argument's name
 * @throws {@link ArgumentError} naming the argument, what was given and what is allowed
 */
export function requireNumber(where: string, name: string, value: unknown, bounds: Bounds = {}): number {
  if (typeof value === 'number' && Number.isFinite(value) && isWithin(value, bounds)) return value;
  throw new ArgumentError(`${where}: ${name} must be a number${describeBounds(bounds)}, got ${show(value)}.`);
}

/** As {@link requireNumber}, for whole numbers. */
export function requireInteger(where: string, name: string, value: unknown, bounds: Bounds = {}): number {
  if (Number.isSafeInteger(value) && isWithin(value as number, bounds)) return value as number;
  throw new ArgumentError(`${where}: ${name} must be an integer${describeBounds(bounds)}, got ${show(value)}.`);
}

/** Returns `value` if it is one of `allowed`, else throws an {@link ArgumentError} that lists them. */
export function requireOneOf<T extends string | boolean>(
  where: string,
  name: string,
  value: unknown,
  allowed: readonly T[],
): T {
  if (allowed.includes(value as T)) return value as T;
  throw new ArgumentError(`${where}: ${name} must be one of ${allowed.map(show).join(', ')}, got ${show(value)}.`);
}

/** Whether `value` is an object whose entries go by name: no list, map or date. */
export function isNamed(value: unknown): value is object {
  return /^\[object (Object|Module)\]$/.test(Object.prototype.toString.call(value)) && typeof value === 'object';
}

/** Throws an {@link ArgumentError} unless `value` is an object, such as options by name. */
export function requireObject(where: string, name: string, value: unknown): asserts value is object {
  if (isNamed(value)) return;
  throw new ArgumentError(`${where}: ${name} must be an object with named entries, got ${show(value)}.`);
}

/** `given` if it is an object, so that its entries can be looked at one by one; `{}` for nothing. @throws ArgumentError for others */
export function requireNamed<T extends object>(where: string, given: T | undefined, name = 'options'): T {
  if (given === undefined) return {} as T;
  requireObject(where, name, given);
  return given;
}

/** Throws an {@link ArgumentError} unless `value` is a text. */
export function requireText(where: string, name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new ArgumentError(`${where}: ${name} must be a text, got ${show(value)}.`);
}

/** Whether `value` is a typed array of any kind. */
export function isTypedArray(value: unknown): value is ArrayBufferView & ArrayLike<number> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Throws an {@link ArgumentError} unless `value` is an array or a typed array. */
export function requireList(where: string, name: string, value: unknown): asserts value is ArrayLike<number> {
  if (Array.isArray(value) || isTypedArray(value)) return;
  throw new ArgumentError(`${where}: ${name} must be a list of numbers, got ${show(value)}.`);
}

/** Throws a {@link ShapeError} unless `array.length` is `length`; `meaning` says what the length stands for. */
export function requireLength(
  where: string,
  name: string,
  array: ArrayLike<number>,
  length: number,
  meaning?: string,
): void {
  if (array?.length === length) return;
  const why = meaning ? ` (${meaning})` : '';
  throw new ShapeError(`${where}: ${name} must have ${length} numbers${why}, got ${array?.length ?? show(array)}.`);
}

/** Throws a {@link ShapeError} unless `tensor` has the shape `expected`; `null` in `expected` matches any size. */
export function requireShape(
  where: string,
  name: string,
  tensor: { readonly shape: readonly number[] },
  expected: readonly (number | null)[],
): void {
  const shape: unknown = tensor?.shape;
  const matches =
    Array.isArray(shape) &&
    shape.length === expected.length &&
    expected.every((size, i) => size === null || size === shape[i]);
  if (matches) return;
  const wanted = expected.map((size) => size ?? 'any').join(', ');
  if (Array.isArray(shape)) {
    throw new ShapeError(`${where}: ${name} must have shape [${wanted}], got [${shape.join(', ')}].`);
  }
  throw new ShapeError(`${where}: ${name} must be a tensor of shape [${wanted}], got ${show(tensor)}.`);
}

/** Throws a {@link NonFiniteError} naming the first entry of `array` that is NaN or infinite. */
export function requireFinite(where: string, name: string, array: ArrayLike<number>): void {
  for (let i = 0; i < array.length; i++) {
    if (Number.isFinite(array[i])) continue;
    throw new NonFiniteError(`${where}: ${name}[${i}] is ${show(array[i])}; every entry must be finite.`);
  }
}

/** A short text of any value for error messages. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (value !== null && typeof value === 'object') return `a ${value.constructor?.name ?? 'plain object'}`;
  return String(value);
}

function isWithin(value: number, { min = -Infinity, max = Infinity, above, below }: Bounds): boolean {
  return (
    value >= min && value <= max && (above === undefined || value > above) && (below === undefined || value < below)
  );
}

/** Bounds as text, such as ` >= 0 and < 1`. */
export function describeBounds({ min, max, above, below }: Bounds): string {
  const parts = [
    min !== undefined && `>= ${min}`,
    above !== undefined && `> ${above}`,
    max !== undefined && `<= ${max}`,
    below !== undefined && `< ${below}`,
  ].filter(Boolean);
  return parts.length ? ` ${parts.join(' and ')}` : '';
}
