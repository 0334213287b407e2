import type { PolicyPicture } from 'diffrl';
import type { App } from './app.js';
import { colorOf, fit, short } from './chart.js';
import { create, element } from './elements.js';

/** Milliseconds between two looks while it runs. */
const EVERY = 600;

/** The panel that shows the policy's chain in the present state, or in a past one of the episode. */
export class Microscope {
  private readonly canvas = element<HTMLCanvasElement>('chain');
  private readonly context = this.canvas.getContext('2d')!;
  private readonly step = element<HTMLInputElement>('chain-step');
  private readonly moment = element<HTMLInputElement>('moment');
  private picture?: PolicyPicture;
  private looked = 0;
  private looking = false;
  private running = true;

  constructor(private readonly app: App) {
    this.step.addEventListener('input', () => this.draw());
    this.moment.addEventListener('input', () => this.goBack());
    for (const id of ['axis-x', 'axis-y']) element(id).addEventListener('change', () => this.refresh(true));
  }

  /** Whether training goes on; if not, past states can be looked at. */
  follow(running: boolean): void {
    this.running = running;
    this.moment.disabled = running;
    if (!running) void this.refresh(true);
  }

  /** How many states the episode has. */
  moments(last: number): void {
    this.moment.max = `${last}`;
    this.moment.value = `${last}`;
    element<HTMLOutputElement>('moment-value').value = 'now';
  }

  /** Looks anew if it is time, or at once. */
  async refresh(now = false): Promise<void> {
    if (this.looking || (!now && performance.now() - this.looked < EVERY)) return;
    this.looking = true;
    this.looked = performance.now();
    const moment = this.running ? undefined : Number(this.moment.value);
    try {
      this.show(await this.app.trainer.call('microscope', moment, this.axes));
    } finally {
      this.looking = false;
    }
  }

  draw(): void {
    const { picture, context } = this;
    const { width, height } = fit(this.canvas, context);
    if (!picture) return;
    if (picture.dimensions.length === 2) this.drawPlane(picture, width, height);
    else this.drawFlow(picture, width, height);
  }

  private get axes(): number[] | undefined {
    if (element('axes').hidden) return undefined;
    const [x, y] = ['axis-x', 'axis-y'].map((id) => Number(element<HTMLSelectElement>(id).value)) as [number, number];
    return x === y ? undefined : [x, y];
  }

  private show(picture: PolicyPicture | undefined): void {
    element('microscope').hidden = !picture;
    if (!picture) return;
    const atEnd = this.step.value === this.step.max;
    this.step.max = `${picture.steps}`;
    if (atEnd) this.step.value = this.step.max;
    if (this.picture?.actionSize !== picture.actionSize) this.offerAxes(picture);
    this.picture = picture;
    const { modes, entropyBound, landscape } = picture;
    element<HTMLOutputElement>('modes').value = modes.length === 1 ? 'one mode' : `${modes.length} modes`;
    const facts: [string, string][] = [];
    if (entropyBound) facts.push(['entropy ≥', `${entropyBound.mean.toFixed(2)} nats`]);
    if (modes.length > 1) facts.push(['shares', sharesOf(modes)]);
    if (landscape) {
      const [low, high] = [Math.min(...landscape.values), Math.max(...landscape.values)];
      facts.push(['critic', `${short(Number(low.toPrecision(3)))} … ${short(Number(high.toPrecision(3)))}`]);
    }
    element('facts').replaceChildren(
      ...facts.map(([name, value]) => create('span', {}, `${name} `, create('b', { textContent: value }))),
    );
    this.draw();
  }

  private offerAxes({ actionSize, dimensions }: PolicyPicture): void {
    element('axes').hidden = actionSize < 3;
    ['axis-x', 'axis-y'].forEach((id, i) => {
      const options = Array.from({ length: actionSize }, (_, axis) =>
        create('option', { value: `${axis}`, text: `${axis}` }),
      );
      element(id).replaceChildren(...options);
      element<HTMLSelectElement>(id).value = `${dimensions[i] ?? 0}`;
    });
  }

  private async goBack(): Promise<void> {
    const moment = Number(this.moment.value);
    element<HTMLOutputElement>('moment-value').value = moment === Number(this.moment.max) ? 'now' : `${moment}`;
    const pose = await this.app.trainer.call('recall', moment);
    if (pose) this.app.recall(pose);
    await this.refresh(true);
  }

  /** One dimension: draws flow from the prior on the left to actions on the right; there their density, and the critic. */
  private drawFlow(picture: PolicyPicture, width: number, height: number): void {
    const { context } = this;
    const { steps, samples, actionSize, states, dimensions, density, landscape } = picture;
    const [axis = 0] = dimensions;
    const shown = Number(this.step.value);
    const [left, right, top] = [4, width - 92, 8];
    const x = (k: number) => left + (k / steps) * (right - left);
    const y = (value: number) => top + (0.5 - value / 2) * (height - 2 * top);
    // Latents have no bounds: seen through the squash that makes actions of them.
    const value = (k: number, i: number) => squashed(states[(k * samples + i) * actionSize + axis]!, picture);

    const gradient = context.createLinearGradient(left, 0, right, 0);
    gradient.addColorStop(0, colorOf(this.canvas, '--noise'));
    gradient.addColorStop(1, colorOf(this.canvas, '--action'));
    context.strokeStyle = gradient;
    context.globalAlpha = 0.16;
    context.lineWidth = 1;
    for (let i = 0; i < samples; i++) {
      context.beginPath();
      context.moveTo(x(0), y(value(0, i)));
      for (let k = 1; k <= shown; k++) {
        const middle = (x(k - 1) + x(k)) / 2;
        context.bezierCurveTo(middle, y(value(k - 1, i)), middle, y(value(k, i)), x(k), y(value(k, i)));
      }
      context.stroke();
    }
    context.globalAlpha = 0.75;
    context.fillStyle = mix(this.canvas, shown / steps);
    for (let i = 0; i < samples; i++) dot(context, x(shown), y(value(shown, i)), 1.7);
    context.globalAlpha = 1;

    const room = 76;
    this.profile(density.values, '--action', { from: right + 10, room, y, filled: true });
    if (landscape) this.profile(normalised(landscape.values), '--good', { from: right + 10, room, y });
  }

  private profile(
    values: ArrayLike<number>,
    color: string,
    { from, room, y, filled = false }: { from: number; room: number; y: (value: number) => number; filled?: boolean },
  ): void {
    const { context } = this;
    const highest = Math.max(...Array.from(values), 1e-9);
    const path = new Path2D();
    for (let i = 0; i < values.length; i++) {
      path.lineTo(from + (values[i]! / highest) * room, y((2 * i) / (values.length - 1) - 1));
    }
    context.strokeStyle = colorOf(this.canvas, color);
    context.lineWidth = 1.6;
    context.setLineDash(filled ? [] : [4, 4]);
    context.stroke(path);
    context.setLineDash([]);
    if (!filled) return;
    path.lineTo(from, y(1));
    path.lineTo(from, y(-1));
    context.fillStyle = colorOf(this.canvas, color);
    context.globalAlpha = 0.2;
    context.fill(path);
    context.globalAlpha = 1;
  }

  /** Two dimensions: the critic's landscape, the draws at a step of the chain, the way there, and the modes. */
  private drawPlane(picture: PolicyPicture, width: number, height: number): void {
    const { context } = this;
    const { steps, samples, actionSize, states, dimensions, density, landscape, modes } = picture;
    const [first, second] = dimensions as [number, number];
    const shown = Number(this.step.value);
    const size = Math.min(height, width);
    const left = (width - size) / 2;
    const x = (value: number) => left + ((value + 1) / 2) * size;
    const y = (value: number) => ((1 - value) / 2) * size;
    this.drawGround(landscape?.values ?? density.values, density.resolution, left, size);
    const at = (k: number, i: number, axis: number) =>
      squashed(states[(k * samples + i) * actionSize + axis]!, picture);
    context.lineWidth = 1;
    context.strokeStyle = '#fff';
    context.globalAlpha = 0.1;
    for (let i = 0; i < samples; i += 2) {
      context.beginPath();
      for (let k = Math.max(0, shown - 2); k <= shown; k++) context.lineTo(x(at(k, i, first)), y(at(k, i, second)));
      context.stroke();
    }
    context.globalAlpha = 0.9;
    context.fillStyle = mix(this.canvas, shown / steps);
    for (let i = 0; i < samples; i++) dot(context, x(at(shown, i, first)), y(at(shown, i, second)), 2);
    context.globalAlpha = 1;
    if (shown < steps) return;
    context.lineWidth = 1.6;
    for (const { action, share } of modes) {
      context.beginPath();
      context.arc(x(action[first]!), y(action[second]!), 5 + 9 * Math.sqrt(share), 0, 7);
      context.stroke();
    }
  }

  private drawGround(values: Float32Array, resolution: number, left: number, size: number): void {
    const { context } = this;
    const image = new ImageData(resolution, resolution);
    normalised(values).forEach((value, i) => {
      const row = resolution - 1 - Math.floor(i / resolution);
      image.data.set(ramp(value), 4 * (row * resolution + (i % resolution)));
    });
    const canvas = new OffscreenCanvas(resolution, resolution);
    canvas.getContext('2d')!.putImageData(image, 0, 0);
    context.save();
    context.beginPath();
    context.roundRect(left, 0, size, size, 12);
    context.clip();
    context.imageSmoothingQuality = 'high';
    context.drawImage(canvas, left, 0, size, size);
    context.restore();
  }
}

/** The shares of the heaviest modes. */
function sharesOf(modes: PolicyPicture['modes']): string {
  const named = modes.slice(0, 4).map(({ share }) => `${Math.round(100 * share)} %`);
  return modes.length > 4 ? `${named.join(' · ')} …` : named.join(' · ');
}

/** What the action would be if the chain ended here. */
function squashed(latent: number, { entropyBound }: PolicyPicture): number {
  return entropyBound ? Math.tanh(latent) : Math.min(Math.max(latent, -1), 1);
}

function normalised(values: Float32Array): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return Array.from(values, (value) => (value - low) / (high - low || 1));
}

/** From the colour of noise to that of actions. */
function mix(element: Element, share: number): string {
  const [noise, action] = [colorOf(element, '--noise'), colorOf(element, '--action')];
  return `color-mix(in oklab, ${action} ${Math.round(100 * share)}%, ${noise})`;
}

/** Night blue over teal to pale yellow. */
const RAMP = [
  [20, 24, 58],
  [35, 66, 120],
  [38, 122, 142],
  [92, 178, 140],
  [236, 226, 150],
] as const;

function ramp(share: number): [number, number, number, number] {
  const position = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const index = Math.min(Math.floor(position), RAMP.length - 2);
  const [from, to] = [RAMP[index]!, RAMP[index + 1]!];
  const [red, green, blue] = from.map((value, i) => value + (position - index) * (to[i]! - value));
  return [red!, green!, blue!, 255];
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}
