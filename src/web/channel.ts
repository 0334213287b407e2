import * as errors from '../errors.js';
import type { MaybePromise } from '../state.js';

/** One end of a connection: a `Worker`, the global scope of one, or a `MessagePort`. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: the types of events differ between the three
  addEventListener(type: string, listener: (event: any) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  removeEventListener(type: string, listener: (event: any) => void): void;
  start?(): void;
}

/** What can be asked for by name. */
export type Handlers = Record<string, (...args: never[]) => MaybePromise<unknown>>;

/** A value whose memory moves to the other side instead of being copied. */
export class Moved {
  constructor(
    readonly value: unknown,
    readonly memory: Transferable[],
  ) {}
}

type Message =
  | { kind: 'request'; id: number; name: string; args: unknown[] }
  | { kind: 'reply'; id: number; value: unknown }
  | { kind: 'fault'; id: number; error: Fault }
  | { kind: 'event'; name: string; data: unknown };

interface Fault {
  name: string;
  message: string;
  stack?: string;
}

/** In place of a question's number: waits for the other side to listen. */
const READY = 0;

/** Questions, answers and events between a page and its worker. Errors of diffrl arrive as the classes they are. */
export class Channel {
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly listeners = new Map<string, Set<(data: never) => void>>();
  private readonly receive = ({ data }: { data: Message }) => void this.take(data);
  private readonly fail = ({ message, filename, lineno }: Partial<ErrorEvent>) => {
    const place = filename ? ` (${filename}:${lineno})` : '';
    const error = new errors.DiffrlError(`The worker failed: ${message ?? 'its script could not be loaded'}${place}.`);
    if (this.pending.has(READY)) this.closed = error;
    this.reject(error);
  };
  private asked = 0;
  private closed?: Error;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly handlers: Handlers = {},
  ) {
    endpoint.addEventListener('message', this.receive);
    endpoint.addEventListener('error', this.fail);
    endpoint.start?.();
  }

  /** What the other side's handler `name` returns. @throws what it throws */
  ask(name: string, ...args: unknown[]): Promise<unknown> {
    if (this.closed) return Promise.reject(this.closed);
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.post({ kind: 'request', id, name, args });
    });
  }

  /** Tells the other side's listeners. @param memory moves there instead of being copied */
  send(name: string, data: unknown, memory: Transferable[] = []): void {
    this.post({ kind: 'event', name, data }, memory);
  }

  /** Hears what the other side sends; the function returned stops that. */
  on(name: string, listener: (data: never) => void): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Resolves once the other side has said that it listens. @throws DiffrlError if its script fails */
  ready(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.set(READY, { resolve, reject });
      this.on('ready', () => this.settle(READY)?.resolve(undefined));
    });
  }

  /** Stops listening; whatever is still asked for is rejected with `error`. */
  close(error: Error): void {
    this.closed = error;
    this.endpoint.removeEventListener('message', this.receive);
    this.endpoint.removeEventListener('error', this.fail);
    this.reject(error);
  }

  private async take(message: Message): Promise<void> {
    switch (message.kind) {
      case 'request':
        return this.answer(message.id, message.name, message.args);
      case 'event':
        for (const listener of this.listeners.get(message.name) ?? []) listener(message.data as never);
        return;
      case 'reply':
        this.settle(message.id)?.resolve(message.value);
        return;
      case 'fault':
        this.settle(message.id)?.reject(revive(message.error));
    }
  }

  private async answer(id: number, name: string, args: unknown[]): Promise<void> {
    try {
      const result = await this.handlers[name]!(...(args as never[]));
      if (result instanceof Moved) this.post({ kind: 'reply', id, value: result.value }, result.memory);
      else this.post({ kind: 'reply', id, value: result });
    } catch (error) {
      this.post({ kind: 'fault', id, error: faultOf(error) });
    }
  }

  private settle(id: number) {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    return waiting;
  }

  private reject(error: Error): void {
    for (const id of [...this.pending.keys()]) this.settle(id)?.reject(error);
  }

  private post(message: Message, memory: Transferable[] = []): void {
    this.endpoint.postMessage(message, memory);
  }
}

/** An error as plain data. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** The error that {@link faultOf} described. */
export function revive({ name, message, stack }: Fault): Error {
  const Kind = (errors as Record<string, unknown>)[name] as typeof Error | undefined;
  const isOurs = Kind === errors.DiffrlError || Kind?.prototype instanceof errors.DiffrlError;
  return Object.assign(isOurs ? new Kind!(message) : new Error(message), { name, stack });
}
