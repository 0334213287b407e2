import type { Agent } from '../agents/agent.js';
import type { Env } from '../envs/env.js';
import type { VectorEnv } from '../envs/vectorEnv.js';
import type { MaybePromise } from '../state.js';
import type { TrainingCallback } from '../training/callback.js';

/** A function that the page may call; arguments and result must survive structured cloning. */
// biome-ignore lint/suspicious/noExplicitAny: any function fits
export type Call = (...args: any[]) => unknown;

/** Everything that {@link serveTraining} trains with. */
export interface TrainingSession {
  agent: Agent;
  env: Env | VectorEnv;
  callbacks?: readonly TrainingCallback[];
  /** Fixes the first episode's start and the random actions of the warm-up. Default 0. */
  seed?: number;
  /** Default `agent.warmupSteps`. */
  warmupSteps?: number;
  /** What the page may call by name with {@link Trainer.call}; called at once, whatever training is doing. */
  calls?: Record<string, Call>;
  /** Frees what the session holds besides agent and environment, which are freed anyway. */
  close?(): MaybePromise<void>;
}

/** The page, seen from the worker. */
export interface Page<Events extends object = Record<string, unknown>> {
  /** Calls the listeners of {@link Trainer.on}. @param memory buffers that move to the page instead of being copied */
  send<Name extends keyof Events & string>(name: Name, data: Events[Name], memory?: Transferable[]): void;
}

/**
 * Makes a session for `options`, which come from the page. It is called anew for {@link Trainer.restart} and
 * {@link Trainer.set}.
 */
// biome-ignore lint/suspicious/noExplicitAny: options and events are the user's
export type CreateSession = (options: any, page: Page<any>) => MaybePromise<TrainingSession>;

/** The options that the function takes. */
export type OptionsOf<Create extends CreateSession> = Parameters<Create>[0];

/** The calls that its sessions answer. */
export type CallsOf<Create extends CreateSession> = NonNullable<Awaited<ReturnType<Create>>['calls']>;

/** The events that its sessions send. */
export type EventsOf<Create extends CreateSession> = Parameters<Create>[1] extends Page<infer Events> ? Events : object;
