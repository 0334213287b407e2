import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import katex from '@vscode/markdown-it-katex';
import { Comment, CommentTag, Converter, JSX, ReflectionKind, RendererEvent } from 'typedoc';

// Formulas become HTML when the site is built; their style sheet and fonts are copied, so the site needs no network.
const katexFolder = dirname(createRequire(import.meta.url).resolve('katex/dist/katex.min.css'));

/** @param {import('typedoc').Application} app */
function katexAssets(app) {
  app.renderer.hooks.on('head.end', ({ relativeURL }) =>
    JSX.createElement('link', { rel: 'stylesheet', href: relativeURL('assets/katex/katex.min.css') }),
  );
  app.renderer.on(RendererEvent.END, ({ outputDirectory }) => {
    const target = join(outputDirectory, 'assets', 'katex');
    cpSync(join(katexFolder, 'katex.min.css'), join(target, 'katex.min.css'));
    for (const font of readdirSync(join(katexFolder, 'fonts')).filter((name) => name.endsWith('.woff2'))) {
      cpSync(join(katexFolder, 'fonts', font), join(target, 'fonts', font));
    }
  });
}

/** What the rooms and files of `src/` are called in the reference, in the order of `src/index.ts`. */
const CONCEPTS = {
  agents: 'Agents',
  options: 'Tables of options',
  training: 'Training and evaluation',
  envs: 'Environments and wrappers',
  spaces: 'Spaces',
  replay: 'Replay',
  diffusion: 'Samplers and divergences',
  schedules: 'Noise schedules',
  networks: 'Networks',
  objectives: 'Losses',
  mdp: 'Augmented decision process',
  ops: 'Tensor operations',
  rng: 'Random numbers',
  state: 'State',
  checkpoint: 'Checkpoints',
  stats: 'Statistics',
  plots: 'Figures and microscope',
  errors: 'Errors',
};

/**
 * Everything public is listed under the concept that its room of `src/` stands for.
 *
 * @param {import('typedoc').Application} app
 */
function roomsAsCategories(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.SomeModule | ReflectionKind.SomeExport)) {
      const [, room] = reflection.sources?.[0]?.fileName.match(/src\/(\w+)/) ?? [];
      if (!(room in CONCEPTS) || reflection.parent?.name !== 'diffrl') continue;
      const comment = reflection.signatures?.[0]?.comment ?? (reflection.comment ??= new Comment());
      comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: CONCEPTS[room] }]));
    }
  });
}

/** The guides, in the order in which they are read. */
const GUIDES = [
  ...['training', 'agents', 'experiments', 'environments', 'remote', 'web', 'dime', 'sdac', 'dmerl', 'compile'],
  ...['architecture', 'extending'],
];

/**
 * Guides are called by their titles, and their pages by their files.
 *
 * @param {import('typedoc').Application} app
 */
function titlesOfGuides(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const guide of project.documents) guide.name = guide.name.replace('docs/', '');
  });
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    for (const guide of project.documents) guide.name = /^# (.+)$/m.exec(guide.content[0].text)[1];
  });
}

/**
 * The sources as pages of the site, so that what is defined in them links there without any host.
 *
 * @param {import('typedoc').Application} app
 */
function sourcePages(app) {
  app.renderer.on(RendererEvent.END, ({ outputDirectory }) => {
    for (const file of readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts'))) {
      const path = join('src', file);
      const target = join(outputDirectory, 'source', `${path}.html`);
      const top = '../'.repeat(path.split(sep).length);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, sourcePage(path, readFileSync(path, 'utf8'), top));
    }
  });
}

function sourcePage(path, text, top) {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const lines = escaped.trimEnd().split('\n').map((line, i) => `<span id="L${i + 1}">${line}</span>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${path} | diffrl</title>
<link rel="stylesheet" href="${top}assets/style.css"><link rel="stylesheet" href="${top}assets/custom.css">
<script>document.documentElement.dataset.theme = localStorage.getItem('tsd-theme') || 'os'</script>
<body class="source"><p><a href="${top}index.html">diffrl</a> / ${path}</p><pre><code>${lines.join('\n')}</code></pre></body></html>
`;
}

/** @type {import('typedoc').TypeDocOptions} */
export default {
  name: 'diffrl',
  entryPoints: ['index', 'mujoco/index', 'compile/index', 'node/index', 'web/index', 'remote/index'].map((path) => `src/${path}.ts`),
  projectDocuments: GUIDES.map((name) => `docs/${name}.md`),
  out: 'docs/site',
  plugin: [katexAssets, roomsAsCategories, titlesOfGuides, sourcePages],
  customCss: 'docs/style.css',
  // README has a title of its own.
  headings: { readme: false },
  searchInDocuments: true,
  searchInComments: true,
  basePath: '.',
  // No links to a host: sources are pages of the site. All pages that name one are a folder deep.
  disableGit: true,
  sourceLinkTemplate: '../source/{path}.html#L{line}',
  treatWarningsAsErrors: true,
  // Tables of options are not exported; docs/agents.md is written from those of the agents.
  validation: { notExported: false },
  displayBasePath: '.',
  markdownItLoader: (parser) => parser.use(katex.default ?? katex, { throwOnError: true }),
  highlightLanguages: ['bash', 'console', 'html', 'javascript', 'json', 'python', 'sh', 'ts', 'typescript', 'yaml'],
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  githubPages: false,
  navigation: { includeCategories: true, includeFolders: false },
  categoryOrder: Object.values(CONCEPTS),
  sort: ['documents-first', 'source-order'],
  sortEntryPoints: false,
};
