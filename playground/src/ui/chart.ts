/** A point of a curve. */
export type Point = readonly [x: number, y: number];

export interface Layer {
  points: readonly Point[];
  /** A custom property of the style sheet, such as `--noise`. */
  color: string;
  kind: 'dots' | 'line';
  /** Whether the space under a line is tinted. */
  filled?: boolean;
}

export interface Range {
  x?: readonly [number, number];
  y?: readonly [number, number];
  /** Whether numbers stand at the axes. */
  labelled?: boolean;
}

/** A small chart on a canvas, as sharp as the screen. */
export class Chart {
  private readonly context: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d')!;
  }

  draw(layers: readonly Layer[], range: Range = {}): void {
    const { context } = this;
    const { width, height } = fit(this.canvas, context);
    const [x0, x1] = range.x ?? extent(layers, 0);
    const [y0, y1] = range.y ?? padded(extent(layers, 1));
    const inset = range.labelled
      ? { left: 34, bottom: 18, top: 6, right: 6 }
      : { left: 1, bottom: 3, top: 3, right: 3 };
    const place = ([x, y]: Point): Point => [
      inset.left + ((x - x0) / (x1 - x0 || 1)) * (width - inset.left - inset.right),
      height - inset.bottom - ((y - y0) / (y1 - y0 || 1)) * (height - inset.top - inset.bottom),
    ];
    if (range.labelled) this.axes([x0, x1], [y0, y1], place);
    for (const layer of layers) {
      if (layer.kind === 'dots') this.dots(layer, place);
      else this.line(layer, place, height - inset.bottom);
    }
  }

  private dots({ points, color }: Layer, place: (point: Point) => Point): void {
    const { context } = this;
    context.fillStyle = colorOf(this.canvas, color);
    context.globalAlpha = 0.35;
    for (const point of points) {
      const [x, y] = place(point);
      context.beginPath();
      context.arc(x, y, 1.8, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  private line({ points, color, filled }: Layer, place: (point: Point) => Point, floor: number): void {
    const { context } = this;
    if (points.length === 0) return;
    const path = new Path2D();
    points.forEach((point, i) => {
      const [x, y] = place(point);
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    });
    const stroke = colorOf(this.canvas, color);
    if (filled) {
      const area = new Path2D(path);
      area.lineTo(place(points.at(-1)!)[0], floor);
      area.lineTo(place(points[0]!)[0], floor);
      context.globalAlpha = 0.13;
      context.fillStyle = stroke;
      context.fill(area);
      context.globalAlpha = 1;
    }
    context.lineWidth = 1.8;
    context.lineJoin = 'round';
    context.strokeStyle = stroke;
    context.stroke(path);
    const [x, y] = place(points.at(-1)!);
    context.beginPath();
    context.arc(x, y, 2.6, 0, 7);
    context.fillStyle = stroke;
    context.fill();
  }

  private axes(x: readonly [number, number], y: readonly [number, number], place: (point: Point) => Point): void {
    const { context } = this;
    context.font = '10.5px ui-sans-serif, system-ui, sans-serif';
    context.lineWidth = 1;
    for (const tick of ticks(y)) {
      const [left, level] = place([x[0], tick]);
      context.strokeStyle = colorOf(this.canvas, '--line');
      context.beginPath();
      context.moveTo(left, level);
      context.lineTo(place([x[1], tick])[0], level);
      context.stroke();
      context.fillStyle = colorOf(this.canvas, '--faint');
      context.textAlign = 'right';
      context.fillText(short(tick), left - 7, level + 3.5);
    }
    context.textAlign = 'center';
    for (const tick of ticks(x, 4)) {
      const [at, floor] = place([tick, y[0]]);
      context.fillText(short(tick), at, floor + 14);
    }
  }
}

/** Gives the canvas the screen's resolution and clears it. */
export function fit(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D) {
  const [width, height] = [canvas.clientWidth, Number(canvas.getAttribute('data-height') ?? canvas.height)];
  canvas.dataset.height = `${height}`;
  canvas.style.height = `${height}px`;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { width, height };
}

/** The value of a custom property of the style sheet. */
export function colorOf(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name);
}

/** Few digits that matter: `1.2k`, `38`, `0.25`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return `${Math.round(value / 1000)}k`;
  if (size >= 1000 && value % 1000) return `${(value / 1000).toFixed(1)}k`;
  if (size >= 1000) return `${value / 1000}k`;
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value
    .toFixed(size >= 1 ? 2 : 3)
    .replace(/0+$/, '')
    .replace(/\.$/, '');
}

/** `points`, each the mean of those around it. */
export function smoothed(points: readonly Point[], window: number): Point[] {
  let sum = 0;
  return points.map(([x, y], i) => {
    sum += y - (points[i - window]?.[1] ?? 0);
    return [x, sum / Math.min(i + 1, window)] as const;
  });
}

/** At most `count` points, evenly chosen. */
export function thinned(points: readonly Point[], count: number): readonly Point[] {
  if (points.length <= count) return points;
  return Array.from({ length: count }, (_, i) => points[Math.round((i * (points.length - 1)) / (count - 1))]!);
}

function extent(layers: readonly Layer[], axis: 0 | 1): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { points } of layers) {
    for (const point of points) {
      low = Math.min(low, point[axis]);
      high = Math.max(high, point[axis]);
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

function padded([low, high]: readonly [number, number]): readonly [number, number] {
  const room = 0.08 * (high - low) || Math.max(0.1 * Math.abs(high), 0.5);
  return [low - room, high + room];
}

function ticks([low, high]: readonly [number, number], count = 3): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}
