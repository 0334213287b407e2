import type { OnnxSession, OnnxTensor } from './runtime.js';

/** A session whose outputs stay on its device: it is released when nobody needs it and all those outputs are gone. */
export class Lease implements OnnxSession {
  private alive = 0;
  private isDone = false;

  /** @param away the outputs that stay on the device */
  constructor(
    private readonly session: OnnxSession,
    private readonly away: readonly string[],
  ) {}

  async run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>> {
    const outputs = await this.session.run(feeds);
    for (const name of this.away) this.watch(outputs[name]!);
    return outputs;
  }

  async release(): Promise<void> {
    this.isDone = true;
    if (this.alive === 0) await this.session.release();
  }

  private watch(tensor: OnnxTensor): void {
    this.alive++;
    const dispose = tensor.dispose.bind(tensor);
    tensor.dispose = () => {
      dispose();
      this.alive--;
      if (this.isDone && this.alive === 0) void this.session.release();
    };
  }
}
