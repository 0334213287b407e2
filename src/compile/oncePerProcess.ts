const KEY = Symbol.for('diffrl.compile');
const holder = globalThis as unknown as Record<symbol, Record<string, unknown> | undefined>;

/** What `make` gives at the first call with `name`, for all copies of this library: `import` and `require` load one each. */
export function oncePerProcess<T>(name: string, make: () => T): T {
  holder[KEY] ??= {};
  holder[KEY][name] ??= make();
  return holder[KEY][name] as T;
}
