import { ArgumentError, requireText, show } from '../errors.js';

/** Where an environment is. */
export type Address =
  | { kind: 'python'; environment: string }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'ws'; url: string };

const FORMS = "'python:ID', 'tcp://HOST:PORT', 'ws://HOST:PORT' or 'wss://HOST'";

/** Whether `text` is written like an address of {@link connectEnv} rather than like the name of a task. */
export function isRemoteAddress(text: string): boolean {
  return typeof text === 'string' && /^(python:|(tcp|wss?):\/\/)/.test(text);
}

/** @throws ArgumentError unless `text` has one of the forms that {@link connectEnv} knows */
export function parseAddress(where: string, text: string): Address {
  requireText(where, 'address', text);
  const python = /^python:(.+)$/.exec(text)?.[1];
  if (python) return { kind: 'python', environment: python };
  const url = /^(tcp|wss?):\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'tcp:' && url.hostname && url.port) {
    return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
  }
  if (url && url.protocol !== 'tcp:') return { kind: 'ws', url: text };
  throw new ArgumentError(`${where}: address must be ${FORMS}, got ${show(text)}.`);
}
