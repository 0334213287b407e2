import type { WebGLRenderer } from 'three';

/** Milliseconds that a picture may take. */
const TOO_LONG = 40;
/** Late pictures in a row until something is left out. */
const PATIENCE = 4;

/** Shares of the screen's resolution that are tried in turn; shadows are left out after the first. */
const RESOLUTIONS = [1, 0.75, 0.5, 0.35];

/**
 * Draws less where the graphics card is slow, or is a processor: a picture is begun when the one before is finished, and
 * where that takes long, shadows are left out first, then pixels.
 */
export class Quality {
  private readonly context: WebGL2RenderingContext;
  /** Whether a processor does the drawing: what costs it much is left out from the start. */
  readonly isPlain: boolean;
  private level = 0;
  private late = 0;
  private begun = 0;
  private fence: WebGLSync | null = null;

  constructor(private readonly renderer: WebGLRenderer) {
    this.context = renderer.getContext() as WebGL2RenderingContext;
    const info = this.context.getExtension('WEBGL_debug_renderer_info');
    const name = info && String(this.context.getParameter(info.UNMASKED_RENDERER_WEBGL));
    this.isPlain = /swiftshader|llvmpipe|software|basic render/i.test(name ?? '');
  }

  /** Pixels of the picture for one of the page. */
  get pixelRatio(): number {
    return Math.min(devicePixelRatio, 2) * RESOLUTIONS[this.level]!;
  }

  /** Whether the last picture is finished. */
  get isReady(): boolean {
    const { context, fence } = this;
    if (!fence) return true;
    if (context.getSyncParameter(fence, context.SYNC_STATUS) !== context.SIGNALED) return false;
    context.deleteSync(fence);
    this.fence = null;
    const isLate = performance.now() - this.begun > TOO_LONG;
    this.late = isLate ? this.late + 1 : 0;
    return true;
  }

  /** Notes that a picture was begun; whether less is to be drawn from now on. */
  note(): boolean {
    this.begun = performance.now();
    this.fence = this.context.fenceSync(this.context.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.context.flush();
    if (this.late < PATIENCE || this.level === RESOLUTIONS.length - 1) return false;
    this.level += 1;
    this.late = 0;
    this.renderer.shadowMap.enabled = false;
    return true;
  }
}
