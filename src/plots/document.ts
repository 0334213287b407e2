import { element, escapeText } from './svg.js';

/** A finished drawing. */
export interface Figure {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** The drawing without the document around it, for {@link panels} and films. */
  readonly content: string;
  /** A whole SVG document, readable on light and on dark ground. */
  readonly svg: string;
}

/** `content` as a whole document. Drawings follow the reader's colour scheme; what cannot, is shown as light. */
export function document(width: number, height: number, title: string | undefined, content: string): Figure {
  const svg = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      class: 'diffrl-plot',
      'font-family': 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif',
      'font-size': 12,
    },
    title ? `<title>${escapeText(title)}</title>` : '',
    `<style>${STYLE}</style>`,
    element('rect', { class: 'ground', width: '100%', height: '100%' }),
    content,
  );
  return { width, height, content, svg: `${svg}\n` };
}

/** Text on one line. */
export function text(content: string, attributes: Record<string, string | number | undefined>): string {
  return element('text', attributes, escapeText(content));
}

/** A guess of how wide `content` is, in pixels, at the usual size. */
export function textWidth(content: string): number {
  return 6.7 * content.length;
}

const THEMES = {
  light: { ground: '#ffffff', ink: '#1f2328', muted: '#59636e', grid: '#e3e7eb', axis: '#9aa4ae' },
  dark: { ground: '#0d1117', ink: '#e6edf3', muted: '#9198a1', grid: '#272d35', axis: '#565e68' },
};

const STYLE = `${rules(THEMES.light)}@media (prefers-color-scheme: dark){${rules(THEMES.dark)}}`;

function rules({ ground, ink, muted, grid, axis }: (typeof THEMES)['light']): string {
  const fills = Object.entries({ ground, ink, muted }).map(([name, color]) => `.diffrl-plot .${name}{fill:${color}}`);
  const strokes = Object.entries({ grid, axis }).map(([name, color]) => `.diffrl-plot .${name}{stroke:${color}}`);
  return [...fills, ...strokes].join('');
}
