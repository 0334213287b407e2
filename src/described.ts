/** How an object came about. */
export interface Description {
  /** The class or function that made it. */
  // biome-ignore lint/complexity/noBannedTypes: any class or function may have made it, it is only compared
  readonly maker: Function;
  /** What it was made from. */
  readonly options: object;
}

/**
 * Remembers that `value` was made by `maker` from `options`, so that a checkpoint can tell how to make it again. Constructors
 * say `described(this, new.target, options)`, factories `return described(result, theFactory, options)`.
 *
 * @returns `value`
 */
export function described<T extends object>(value: T, maker: Description['maker'], options: object = {}): T {
  descriptions.set(value, { maker, options });
  return value;
}

/** How `value` was made, where its maker said so. */
export function descriptionOf(value: object): Description | undefined {
  return descriptions.get(value);
}

const descriptions = new WeakMap<object, Description>();
