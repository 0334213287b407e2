import { animation, type Figure, figure, filmStrip, line, panels } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { requireWellFormed } from './wellFormed.js';

const frames = Array.from({ length: 10 }, (_, i) =>
  figure([line({ x: [0, 1], y: [0, i] })], { title: `frame ${i}`, width: 200, height: 150 }),
);
const titles = ({ content }: Figure) => [...content.matchAll(/>frame (\d+)</g)].map(([, i]) => Number(i));

describe('animation', () => {
  it('shows every frame for an equal time, one after the other, and begins anew', () => {
    const film = animation(frames, { fps: 4, title: 'ten frames' });
    requireWellFormed(film.svg.replace(/<style>.*?<\/style>/g, ''));
    expect([film.width, film.height]).toEqual([200, 150]);
    expect(titles(film)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(film.svg).toContain('<title>ten frames</title>');
    expect(film.svg).toContain('@keyframes film10{0%{visibility:visible}10%{visibility:hidden}}');
    const timings = [...film.svg.matchAll(/class="frame" style="animation:2.5s step-end ([\d.]+)s infinite film10"/g)];
    expect(timings.map(([, delay]) => Number(delay))).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25]);
  });

  it('goes into panels with others', () => {
    const both = panels([animation(frames), animation(frames.slice(0, 4))]).svg;
    requireWellFormed(both.replace(/<style>.*?<\/style>/g, ''));
    expect(both.match(/infinite film10"/g)).toHaveLength(10);
    expect(both.match(/infinite film4"/g)).toHaveLength(4);
    expect(both).toContain('@keyframes film4{0%{visibility:visible}25%{visibility:hidden}}');
  });

  it('refuses no frames, frames of several sizes and a rate of 0', () => {
    expect(() => animation([])).toThrow('animation: frames must hold at least one figure, got none.');
    const mixed = [...frames, figure([], { width: 300, height: 150 })];
    expect(() => animation(mixed)).toThrow(/size of the first, 200 x 150, but frame 10 has 300 x 150/);
    expect(() => animation(frames, { fps: 0 })).toThrow(/fps must be a number > 0, got 0/);
  });
});

describe('filmStrip', () => {
  it('takes frames at even distances, the first and the last among them', () => {
    const strip = filmStrip(frames, { count: 4 });
    requireWellFormed(strip.svg.replace(/<style>.*?<\/style>/g, ''));
    expect(titles(strip)).toEqual([0, 3, 6, 9]);
    expect([strip.width, strip.height]).toEqual([800, 150]);
    expect(titles(filmStrip(frames, { count: 1 }))).toEqual([0]);
    expect(titles(filmStrip(frames, { count: 99 }))).toHaveLength(10);
    const folded = filmStrip(frames, { count: 6, columns: 3 });
    expect([folded.width, folded.height]).toEqual([600, 300]);
  });

  it('refuses no frames and a count below 1', () => {
    expect(() => filmStrip([])).toThrow(/filmStrip: frames must hold at least one figure/);
    expect(() => filmStrip(frames, { count: 0 })).toThrow(/count must be an integer >= 1/);
  });
});
