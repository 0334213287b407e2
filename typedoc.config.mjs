import { cpSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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

/**
 * Everything public is listed under the room of `src/` that it lives in.
 *
 * @param {import('typedoc').Application} app
 */
function roomsAsCategories(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.SomeModule | ReflectionKind.SomeExport)) {
      const [, room] = reflection.sources?.[0]?.fileName.match(/src\/(\w+)\/.+/) ?? [];
      if (!room || !reflection.parent?.kindOf(ReflectionKind.SomeModule)) continue;
      const comment = reflection.signatures?.[0]?.comment ?? (reflection.comment ??= new Comment());
      comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: room }]));
    }
  });
}

/** @type {import('typedoc').TypeDocOptions} */
export default {
  name: 'diffrl',
  entryPoints: ['index', 'mujoco/index', 'compile/index', 'node/index', 'web/index', 'remote/index'].map((path) => `src/${path}.ts`),
  projectDocuments: ['docs/*.md'],
  out: 'docs/site',
  plugin: [katexAssets, roomsAsCategories],
  basePath: '.',
  // No links to a host; sources are named by file and line.
  gitRevision: 'HEAD',
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
  navigation: { includeCategories: true },
  sort: ['source-order'],
};
