import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

// Every source file becomes one module, so that bundlers take only what is imported.
const shared: Options = {
  entry: ['src/**/*.ts'],
  bundle: false,
  target: 'es2022',
  sourcemap: true,
  dts: false,
  silent: true,
};

export default defineConfig([
  {
    ...shared,
    format: 'esm',
    outDir: 'dist/esm',
    clean: true,
    outExtension: () => ({ js: '.js' }),
    onSuccess: async () => {
      execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
      cpSync('dist/esm', 'dist/cjs', { recursive: true, filter: (path) => !/\.js(\.map)?$/.test(path) });
    },
  },
  {
    ...shared,
    format: 'cjs',
    outDir: 'dist/cjs',
    clean: true,
    outExtension: () => ({ js: '.js' }),
    onSuccess: async () => writeFileSync('dist/cjs/package.json', '{ "type": "commonjs", "sideEffects": false }\n'),
  },
]);
