import type { MaybePromise } from '../state.js';

/** `next(value)`, at once if `value` is at hand, else when it arrives. Keeps synchronous environments synchronous. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
