import { fileURLToPath } from 'node:url';
import { type BuildResult, build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a bundler makes of `code` for a page. */
async function bundle(code: string, external: string[] = []): Promise<{ bytes: number; inputs: string[] }> {
  const result: BuildResult<{ metafile: true }> = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    alias: { diffrl: `${root}/src/index.ts`, 'diffrl/remote': `${root}/src/remote/index.ts` },
    external,
    outdir: 'out',
    logLevel: 'silent',
  });
  const [output] = Object.values((result.metafile as Metafile).outputs);
  const used = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { bytes: output!.bytes, inputs: used.map(([path]) => path) };
}

const use = (name: string) => `import { ${name} } from 'diffrl'; globalThis.used = ${name};`;

describe('a bundle for a page', () => {
  it('with cosineSchedule only stays below 3.5 KB and holds nothing of TensorFlow.js', async () => {
    const { bytes, inputs } = await bundle(use('cosineSchedule'));
    console.info(`cosineSchedule: ${(bytes / 1024).toFixed(2)} KB minified`);
    expect(bytes).toBeLessThan(3.5 * 1024);
    expect(inputs.filter((path) => path.includes('tensorflow'))).toEqual([]);
  });

  it.each([
    ['Rng', 8],
    ['ReplayBuffer', 9],
    ['Pendulum', 12],
    ['stratifiedBootstrap', 10],
    ['figure', 14],
    ['train', 36],
  ])('with %s only stays below %i KB and holds nothing of tfjs-layers', async (name, kilobytes) => {
    const { bytes, inputs } = await bundle(use(name), ['@tensorflow/tfjs-core']);
    console.info(`${name}: ${(bytes / 1024).toFixed(2)} KB minified`);
    expect(inputs.filter((path) => path.includes('tfjs-layers'))).toEqual([]);
    expect(bytes).toBeLessThan(kilobytes * 1024);
  });

  it('can connect to environments elsewhere, with the WebSocket of the page and nothing of Node', async () => {
    const { bytes, inputs } = await bundle(`export { connectEnv, offerEnv } from 'diffrl/remote'`, ['@tensorflow/*']);
    console.info(`connectEnv and offerEnv: ${(bytes / 1024).toFixed(1)} KB minified`);
    expect(inputs.filter((path) => /node_modules.ws.lib|tensorflow/.test(path))).toEqual([]);
    expect(bytes).toBeLessThan(60 * 1024);
  });

  it('can be made of the whole library: nothing needs Node when it is loaded', async () => {
    const { bytes, inputs } = await bundle(`export * from 'diffrl'`, [
      '@tensorflow/*',
      'onnxruntime-web',
      'onnxruntime-node',
    ]);
    console.info(`all of diffrl, without TensorFlow.js: ${(bytes / 1024).toFixed(1)} KB minified`);
    expect(
      inputs.filter((path) => /src\/(cli|runs|node)\/|commander|\/yaml\/|^node_modules.cli-progress/.test(path)),
    ).toEqual([]);
    expect(bytes).toBeLessThan(450 * 1024);
  });
});
