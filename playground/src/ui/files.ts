import { downloadFile, storeCheckpoint, storedCheckpoint } from 'diffrl/web';
import { REWARDS, type RobotReward } from '../settings.js';
import type { App } from './app.js';
import { create, element } from './elements.js';

/** Saving, loading, and whatever the visitor drops on the page. */
export class Files {
  private dropped?: { name: string; xml: string; assets: Record<string, Uint8Array> };

  constructor(private readonly app: App) {
    this.button('save', () => this.save());
    this.button('load', () => this.load());
    this.button('download', async () => downloadFile(await app.trainer.snapshot(), `${this.name}.zip`));
    this.button('export', async () =>
      downloadFile((await app.trainer.call('exportPolicy')) as Uint8Array<ArrayBuffer>, `${this.name}.onnx`),
    );
    const input = element<HTMLInputElement>('open');
    input.addEventListener('change', () => this.open(Array.from(input.files!)));
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      document.body.dataset.dropping = '';
    });
    document.addEventListener('dragleave', () => delete document.body.dataset.dropping);
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      delete document.body.dataset.dropping;
      void this.open(Array.from(event.dataTransfer!.files));
    });
    element<HTMLDialogElement>('robot').addEventListener('close', () => this.begin());
  }

  /** Asks for a model to learn with. */
  askForRobot(): void {
    this.app.say('Drop an MJCF file (.xml) and its meshes on the page, or open them.');
    element('open').click();
  }

  private get name(): string {
    const { task, agent } = this.app.settings;
    return `${task}-${agent}`.toLowerCase();
  }

  private button(id: string, run: () => Promise<void>): void {
    element(id).addEventListener('click', () => run().catch((error) => this.app.say(error.message)));
  }

  private async save(): Promise<void> {
    await storeCheckpoint(this.name, await this.app.trainer.snapshot());
    this.app.say('Saved in this browser.');
  }

  private async load(): Promise<void> {
    const bytes = await storedCheckpoint(this.name);
    if (!bytes) return this.app.say('Nothing was saved for this task and agent.');
    await this.restore(bytes);
  }

  private async restore(bytes: Uint8Array): Promise<void> {
    await this.app.trainer.load(bytes);
    this.app.showHistory((await this.app.trainer.history()).episodes);
    await this.app.go(this.app.running);
    this.app.say('Loaded.');
  }

  private async open(files: File[]): Promise<void> {
    try {
      await this.take(files);
    } catch (error) {
      this.app.say((error as Error).message);
    }
  }

  private async take(files: File[]): Promise<void> {
    const found = (ending: RegExp) => files.find(({ name }) => ending.test(name));
    const checkpoint = found(/\.zip$/i);
    if (checkpoint) return this.restore(await bytesOf(checkpoint));
    const policy = found(/\.onnx$/i);
    if (policy) return this.app.play(await bytesOf(policy));
    const model = found(/\.(xml|mjcf)$/i);
    if (model) return this.meet(model, files);
    this.app.say('What can be opened: checkpoints (.zip), policies (.onnx), models (.xml with their meshes).');
  }

  private async meet(model: File, files: File[]): Promise<void> {
    const others = files.filter((file) => file !== model);
    const assets = Object.fromEntries(await Promise.all(others.map(async (file) => [file.name, await bytesOf(file)])));
    this.dropped = { name: model.name.replace(/\.\w+$/, ''), xml: await model.text(), assets };
    element('robot-name').textContent = this.dropped.name;
    element('rewards').replaceChildren(
      ...Object.entries(REWARDS).map(([value, label], i) =>
        create('label', {}, create('input', { type: 'radio', name: 'reward', value, checked: i === 0 }), ` ${label}`),
      ),
    );
    element<HTMLDialogElement>('robot').showModal();
  }

  private begin(): void {
    const { dropped } = this;
    const dialog = element<HTMLDialogElement>('robot');
    if (!dropped || dialog.returnValue !== 'ok') return;
    const reward = dialog.querySelector<HTMLInputElement>(':checked')!.value as RobotReward;
    void this.app.adopt({ ...dropped, reward });
  }
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
