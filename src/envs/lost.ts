import type { Info } from './env.js';

/**
 * What `info` says of a step whose outcome is not known, because an environment elsewhere was lost: its numbers stand in
 * for what nobody knows, so nothing may be learned from it.
 */
export interface LostInfo extends Info {
  lost: true;
  /** What happened. */
  reason: string;
}

/** Which of N steps were lost, `[N]`; `undefined` where none was. */
export function lostRows(infos: readonly Info[]): Uint8Array | undefined {
  if (!infos.some(isLost)) return undefined;
  return Uint8Array.from(infos, (info) => Number(isLost(info)));
}

/** Not every environment that says `lost` means this: games can be lost too. */
function isLost({ lost, reason }: Info): boolean {
  return lost === true && typeof reason === 'string';
}
