/**
 * The package as users meet it: packed, installed in an empty project by README's own commands, its snippets run in
 * README's order, each in a process of its own, and its types checked under every way to resolve modules.
 *
 * Usage: npm run build && npx tsx scripts/checkConsumer.ts
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { findSnippets, root } from '../test/docs/snippets.js';

const project = mkdtempSync(join(tmpdir(), 'diffrl-consumer-'));
let faults = 0;
try {
  install();
  runSnippets();
  runWorkers();
  checkTypes();
} finally {
  rmSync(project, { recursive: true });
}
console.log(faults ? `${faults} faults` : 'The package works for its users.');
process.exitCode = faults ? 1 : 0;

/** The commands of README's section "Install", with the tarball in place of the name. */
function install(): void {
  const [tarball] = JSON.parse(sh('npm', ['pack', '--json', '--pack-destination', project], root)) as {
    filename: string;
  }[];
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  writeFileSync(join(project, '.npmrc'), 'ignore-scripts=true\nfund=false\naudit=false\n');
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, section = ''] = /## Install\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  const commands = section
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
  for (const command of commands) {
    const words = command.split(/ +/).map((word) => (word === 'diffrl' ? `./${tarball!.filename}` : word));
    const [name, ...args] = words.filter((word) => !/^[A-Z_]+=/.test(word));
    sh(name as string, args);
  }
  sh('npm', [
    'install',
    '--save-dev',
    'tsx',
    '@types/node@20',
    'typescript-5@npm:typescript@~5.9.0',
    'typescript-latest@npm:typescript@latest',
  ]);
}

/** Every snippet of README and those of the guides that are meant to run; what takes hours is cut short. */
function runSnippets(): void {
  const snippets = findSnippets().filter(({ document, runs }) => document === 'README.md' || runs);
  for (const { name, code } of snippets) {
    writeFileSync(join(project, 'snippet.ts'), code.replace(/\b\d+_000\b/g, '20'));
    const { status, stdout, stderr } = spawnSync('npx', ['tsx', 'snippet.ts'], { cwd: project, encoding: 'utf8' });
    report(name, status === 0 && !/TensorFlow\.js in Node|No backend found/.test(stderr + stdout), stderr || stdout);
  }
}

/** Worker threads read an environment of the project's own, in TypeScript. */
function runWorkers(): void {
  writeFileSync(
    join(project, 'walk.ts'),
    `import { Pendulum } from 'diffrl';\nexport const make = (): Pendulum => new Pendulum();\n`,
  );
  writeFileSync(
    join(project, 'workers.ts'),
    `import { WorkerVectorEnv } from 'diffrl/node';
    const environment = { module: new URL('./walk.ts', import.meta.url), export: 'make' };
    const env = await WorkerVectorEnv.create({ environment, numEnvs: 2, workers: 1 });
    if ((await env.reset({ seed: 1 })).observations.length !== 6) throw new Error('wrong observations');
    await env.close();`,
  );
  const { status, stderr } = spawnSync('npx', ['tsx', 'workers.ts'], { cwd: project, encoding: 'utf8' });
  report('worker threads with an environment in TypeScript', status === 0, stderr);
}

function checkTypes(): void {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
  };
  const modern = {
    ...strict,
    target: 'ES2022',
    lib: ['ES2023', 'DOM'],
    types: ['node'],
    skipLibCheck: false,
    noEmit: true,
  };
  const ways = [
    { name: 'NodeNext, ESM', file: 'uses.mts', options: { module: 'NodeNext', moduleResolution: 'NodeNext' } },
    { name: 'NodeNext, CommonJS', file: 'uses.cts', options: { module: 'NodeNext', moduleResolution: 'NodeNext' } },
    { name: 'Bundler', file: 'uses.ts', options: { module: 'ESNext', moduleResolution: 'Bundler' } },
  ];
  for (const compiler of ['typescript-5', 'typescript-latest']) {
    for (const { name, file, options } of ways) {
      const folder = join(project, basename(file, '.ts'));
      mkdirSync(folder, { recursive: true });
      copyFileSync(join(root, 'test/consumer/uses.ts'), join(folder, file));
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: { ...modern, ...options }, files: [file] }),
      );
      const { version } = JSON.parse(readFileSync(join(project, 'node_modules', compiler, 'package.json'), 'utf8'));
      const tsc = join(project, 'node_modules', compiler, 'bin/tsc');
      const { stdout, stderr, status } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
        cwd: project,
        encoding: 'utf8',
      });
      const ours = stdout
        .split('\n')
        .filter((line) => /error TS/.test(line) && /^(\.\.\/)*(node_modules\/diffrl\/|[\w/]*uses)|^error/.test(line));
      const hasRun = status === 0 || /error TS/.test(stdout); // errors of other packages are not ours
      report(
        `types, ${name}, TypeScript ${version}`,
        hasRun && ours.length === 0,
        ours.join('\n') || stderr || stdout || `tsc ended with ${status}`,
      );
    }
  }
}

function report(name: string, isRight: boolean, why: string): void {
  console.log(`${isRight ? 'right' : 'WRONG'}  ${name}`);
  if (isRight) return;
  faults += 1;
  console.log(
    why
      .split('\n')
      .slice(0, 30)
      .map((line) => `       ${line.slice(0, 300)}`)
      .join('\n'),
  );
}

function sh(command: string, args: readonly string[], cwd = project): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
