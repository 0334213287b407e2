import {
  ArgumentError,
  type Bounds,
  describeBounds,
  isNamed,
  requireInteger,
  requireNumber,
  requireOneOf,
  show,
} from './errors.js';
import { nearest } from './nearest.js';

/** One line of a table of options: what it is for, what it may be, what it is when it is not given. */
export interface Option<T> {
  /** What it is for, in one line, with its source where a paper has it. */
  readonly doc: string;
  /** What it may be, as in `number >= 0 and < 1`. */
  readonly allowed: string;
  /** What it is when it is not given, as text. */
  readonly defaultText: string;
  /** Whether it only says where and how to run, so that another value is no other agent. */
  readonly local: boolean;
  /** Whether it is only there for those who know it from before; tables of options leave it out. */
  readonly former?: boolean;
  /** The options of an option that is an object of options. */
  readonly table?: OptionTable;
  /** The value, checked, or the default. @throws ArgumentError */
  read(where: string, name: string, given: unknown): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a table has options of any type, which readOptions keeps apart by name
export type OptionTable = Readonly<Record<string, Option<any>>>;

/** The values of a table's options, all of them. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer T> ? T : never;
};

/** The values that somebody gives for a table's options. */
export type GivenOptions<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: Table[Name] extends Option<infer T> ? GivenValue<T> : never;
};

/** Objects of options may be given in part. @inline */
type GivenValue<T> = T extends { readonly '~plain': true } ? GivenParts<T> : T;
/** @inline */
type GivenParts<T> = { readonly [Name in Exclude<keyof T, '~plain'>]?: GivenValue<T[Name]> };

/**
 * The options of `where`, checked, with defaults for those not given.
 *
 * @throws ArgumentError for a value that is not allowed or a name that is not in the table, with the nearest that is
 */
export function readOptions<Table extends OptionTable>(
  where: string,
  given: GivenOptions<Table> | undefined,
  table: Table,
): OptionValues<Table> {
  const values = given ?? {};
  if (!isNamed(values)) {
    throw new ArgumentError(
      `${where}: options must be an object such as { ${Object.keys(table)[0]}: ... }, got ${show(given)}.`,
    );
  }
  const formerNames = Object.keys(table).filter((name) => table[name]?.former);
  requireNames(where, values, [...namesOf(table), ...formerNames]);
  const read = Object.entries(table).map(([name, option]) => {
    return [name, option.read(where, name, (values as Record<string, unknown>)[name])];
  });
  return Object.fromEntries(read) as OptionValues<Table>;
}

/** A number within bounds. Without a default it may be left out. */
export function number(initial: number, bounds: Bounds, doc: string): Option<number>;
export function number(initial: undefined, bounds: Bounds, doc: string): Option<number | undefined>;
export function number(initial: number | undefined, bounds: Bounds, doc: string) {
  return option({
    ...{ initial, doc, allowed: `number${describeBounds(bounds)}` },
    check: (where, name, value) => requireNumber(where, name, value, bounds),
  });
}

/** A whole number within bounds. Without a default it may be left out. */
export function integer(initial: number, bounds: Bounds, doc: string): Option<number>;
export function integer(initial: undefined, bounds: Bounds, doc: string): Option<number | undefined>;
export function integer(initial: number | undefined, bounds: Bounds, doc: string) {
  return option({
    ...{ initial, doc, allowed: `integer${describeBounds(bounds)}` },
    check: (where, name, value) => requireInteger(where, name, value, bounds),
  });
}

/** One of some names. */
export function oneOf<const Names extends readonly string[]>(
  names: Names,
  initial: Names[number],
  doc: string,
): Option<Names[number]>;
export function oneOf<const Names extends readonly string[]>(
  names: Names,
  initial: undefined,
  doc: string,
): Option<Names[number] | undefined>;
export function oneOf<const Names extends readonly string[]>(
  names: Names,
  initial: Names[number] | undefined,
  doc: string,
) {
  return option<Names[number]>({
    ...{ initial, doc, allowed: names.map(show).join(' | ') },
    check: (where, name, value) => requireOneOf(where, name, value, names),
  });
}

/** `true` or `false`. */
export function flag(initial: boolean, doc: string): Option<boolean> {
  return option<boolean>({
    ...{ initial, doc, allowed: 'true | false' },
    check: (where, name, value) => {
      if (typeof value === 'boolean') return value;
      throw new ArgumentError(`${where}: ${name} must be true or false, got ${show(value)}.`);
    },
  });
}

/** Widths of hidden layers. */
export function widths(initial: readonly number[], doc: string): Option<readonly number[]> {
  return integers(initial, { min: 1, max: 65_536 }, doc, 'widths such as [256, 256]');
}

/** A list of whole numbers within bounds. @param what how errors call them */
export function integers(initial: readonly number[], bounds: Bounds, doc: string, what = 'integers') {
  return option<readonly number[]>({
    ...{ initial, doc, allowed: `list of integers >= ${bounds.min}` },
    check: (where, name, value) => {
      if (!Array.isArray(value)) {
        throw new ArgumentError(`${where}: ${name} must be a list of ${what}, got ${show(value)}.`);
      }
      value.forEach((entry, i) => requireInteger(where, `${name}[${i}]`, entry, bounds));
      return [...value] as readonly number[];
    },
  });
}

/** A function, one of the library's or anybody's. */
export function functionOption<F extends (...args: never[]) => unknown>(initial: F, doc: string): Option<F> {
  return option<F>({
    ...{ initial: () => initial, doc, allowed: 'function', defaultText: initial.name.replace(/_+(op)?$/, '') },
    check: (where, name, value) => {
      if (typeof value === 'function') return value as F;
      throw new ArgumentError(`${where}: ${name} must be a function, got ${show(value)}.`);
    },
  });
}

/** An object that somebody else checks; `undefined` is left to them too. */
export function objectOption<T extends object>(doc: string): Option<T | undefined> {
  return option<T>({
    ...{ doc, allowed: 'object', defaultText: 'as described' },
    check: (where, name, value) => {
      if (typeof value === 'object' && value && !Array.isArray(value)) return value as T;
      throw new ArgumentError(`${where}: ${name} must be an object, got ${show(value)}.`);
    },
  });
}

/** @throws ArgumentError for a name in `given` that is not among `names`, with the nearest that is */
export function requireNames(where: string, given: object, names: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName(where, unknown, names);
}

/**
 * `given` if it is an object with no other names than those of `names`, so that a misspelt one is not swallowed.
 *
 * @throws ArgumentError for anything else, with the nearest name
 */
export function requireOptions<T extends object>(
  where: string,
  given: T | undefined,
  names: Readonly<Record<keyof NoInfer<T>, true>>,
): T {
  const known = Object.keys(names);
  if (!isNamed(given)) {
    throw new ArgumentError(`${where}: options must be { ${known.join(', ')} }, got ${show(given)}.`);
  }
  requireNames(where, given, known);
  return given;
}

/** Options of a part, an object that may be given in part. */
export function group<Table extends OptionTable>(
  table: Table,
  doc: string,
): Option<OptionValues<Table> & { readonly '~plain': true }> {
  const check = (where: string, name: string, value: unknown) =>
    readOptions(`${where}: ${name}`, value as never, table) as never;
  return {
    ...option({ initial: undefined, doc, allowed: 'object of options', check, defaultText: 'its own' }),
    table,
    read: check,
  };
}

/** An option that still does what it did, but is no longer told of. */
export function former<T>(option: Option<T>): Option<T> {
  return { ...option, former: true };
}

/** Any other value: `allowed` names it, `check` returns it or throws. */
export interface OptionMeaning<T> {
  doc: string;
  allowed: string;
  /** A default, or what makes one anew each time. */
  initial?: T | (() => T);
  /** How to say the default. */
  defaultText?: string;
  local?: boolean;
  check(where: string, name: string, value: unknown): T;
}

/** An option with a meaning of its own. */
export function option<T>(meaning: OptionMeaning<T> & { initial: T | (() => T) }): Option<T>;
export function option<T>(meaning: OptionMeaning<T>): Option<T | undefined>;
export function option<T>({
  doc,
  allowed,
  initial,
  defaultText,
  local = false,
  check,
}: OptionMeaning<T>): Option<T | undefined> {
  const start = () => (typeof initial === 'function' ? (initial as () => T)() : initial);
  const text = defaultText ?? (initial === undefined ? 'none' : (JSON.stringify(initial) ?? String(initial)));
  return {
    ...{ doc, allowed, defaultText: text, local },
    read: (where, name, given) => (given === undefined ? start() : check(where, name, given)),
  };
}

/** The names of a table, but for {@link former} ones. */
export function namesOf(table: OptionTable): string[] {
  return Object.keys(table).filter((name) => !table[name]?.former);
}

function unknownName(where: string, name: string, known: readonly string[]): ArgumentError {
  const hint = nearest(name, known) || `; there are ${known.join(', ')}.`;
  return new ArgumentError(`${where}: there is no option '${name}'${hint}`);
}
