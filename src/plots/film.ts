import { ArgumentError, requireInteger, requireList, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { document, type Figure } from './document.js';
import { panels } from './figure.js';
import { element } from './svg.js';

export interface AnimationOptions {
  /** Frames per second, above 0. Default 25. */
  fps?: number;
  /** Shown as a tool tip and read out by screen readers; none by default. */
  title?: string;
}

/**
 * Shows figures of one size one after the other, over and over, in one SVG file without scripts. A viewer that cannot
 * animate, or whose reader asked for little motion, shows the first one.
 *
 * @throws ArgumentError unless there are frames and all have the same size
 *
 * @example
 * ```ts
 * await writeFile('run.svg', animation(frames, { fps: 25 }).svg);
 * ```
 */
export function animation(frames: readonly Figure[], options: AnimationOptions = {}): Figure {
  const { fps = 25, title } = requireOptions('animation', options, { fps: true, title: true });
  const { width, height } = requireFrames('animation', frames);
  requireNumber('animation', 'fps', fps, { above: 0 });
  const name = `film${frames.length}`;
  const style = [
    `@keyframes ${name}{0%{visibility:visible}${decimal(100 / frames.length)}%{visibility:hidden}}`,
    '.frame+.frame{visibility:hidden}',
    '@media (prefers-reduced-motion:reduce){.frame{animation:none!important}}',
  ];
  const groups = frames.map((frame, i) => {
    const timing = `animation:${decimal(frames.length / fps)}s step-end ${decimal(i / fps)}s infinite ${name}`;
    return element('g', { class: 'frame', style: timing }, frame.content);
  });
  return document(width, height, title, `<style>${style.join('')}</style>${groups.join('')}`);
}

export interface FilmStripOptions {
  /** Number of frames that are shown, evenly spaced, the first and the last among them. Default 6. */
  count?: number;
  /** Default: all in one row. */
  columns?: number;
  title?: string;
}

/**
 * Some of the frames side by side, in the order of time.
 *
 * @throws ArgumentError unless there are frames and all have the same size
 *
 * @example
 * ```ts
 * await writeFile('strip.svg', filmStrip(frames, { count: 8 }).svg);
 * ```
 */
export function filmStrip(frames: readonly Figure[], options: FilmStripOptions = {}): Figure {
  const {
    count = 6,
    columns,
    title,
  } = requireOptions('filmStrip', options, { count: true, columns: true, title: true });
  requireFrames('filmStrip', frames);
  requireInteger('filmStrip', 'count', count, { min: 1 });
  const shown = Math.min(count, frames.length);
  const last = frames.length - 1;
  const chosen = Array.from({ length: shown }, (_, i) => frames[shown > 1 ? Math.round((i * last) / (shown - 1)) : 0]!);
  return panels(chosen, { columns: columns ?? shown, title });
}

function requireFrames(where: string, frames: readonly Figure[]): Figure {
  requireList(where, 'frames', frames);
  const [first] = frames;
  if (!first) throw new ArgumentError(`${where}: frames must hold at least one figure, got none.`);
  const odd = frames.findIndex(({ width, height }) => width !== first.width || height !== first.height);
  if (odd < 0) return first;
  const size = ({ width, height }: Figure) => `${width} x ${height}`;
  throw new ArgumentError(
    `${where}: all frames must have the size of the first, ${size(first)}, but frame ${odd} has ${size(frames[odd]!)}.`,
  );
}

function decimal(value: number): string {
  return String(Number(value.toFixed(4)));
}
