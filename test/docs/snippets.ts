import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository's folder, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A piece of code in a document. After the fence's `ts` may stand `run`: it is run as well as type-checked, and
 * `continued`: it goes on where the snippet before it ended. Code in a comment `<!--ts ... -->` belongs to the snippet
 * that follows, unseen by readers.
 */
export interface Snippet {
  /** Such as `docs/training.md:12`, the line of its fence. */
  name: string;
  document: string;
  code: string;
  runs: boolean;
  /** For each line of `code` the line of the document that it comes from. */
  lines: number[];
}

export function findSnippets(): Snippet[] {
  const guides = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
  const readme = readdirSync(root).filter((name) => name === 'README.md');
  return [...readme, ...guides.map((name) => `docs/${name}`)].flatMap((document) =>
    parseSnippets(document, readFileSync(root + document, 'utf8')),
  );
}

/** The examples in comments of the source that are fenced as `ts run`. */
export function findExamples(): Snippet[] {
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return sources.flatMap((name) => parseExamples(`src/${name}`, readFileSync(`${root}src/${name}`, 'utf8')));
}

export function parseExamples(document: string, source: string): Snippet[] {
  const comments = source.split('\n').map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? '');
  return parseSnippets(document, comments.join('\n')).filter(({ runs }) => runs);
}

/** What a snippet says that its `console.log(...); // output` lines print. */
export function statedOutputs({ code }: Snippet): string[] {
  return [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, output]) => output as string);
}

export function parseSnippets(document: string, text: string): Snippet[] {
  const snippets: Snippet[] = [];
  let hidden: { code: string; lines: number[] } = { code: '', lines: [] };
  for (const match of text.matchAll(/^(?:```ts([^\n]*)\n([\s\S]*?)^```|<!--ts\n([\s\S]*?)^-->)/gm)) {
    const [, words = '', shown, unseen] = match;
    const fence = text.slice(0, match.index).split('\n').length;
    const code = (shown ?? unseen) as string;
    const own = {
      code,
      lines: code
        .split('\n')
        .slice(0, -1)
        .map((_, i) => fence + 1 + i),
    };
    if (unseen !== undefined) {
      hidden = join(hidden, own);
      continue;
    }
    const before = /\bcontinued\b/.test(words) && snippets.at(-1);
    const all = join(before || { code: '', lines: [] }, join(hidden, own));
    snippets.push({ name: `${document}:${fence}`, document, runs: /\brun\b/.test(words), ...all });
    hidden = { code: '', lines: [] };
  }
  return snippets;
}

/** What the compiler has to say about each snippet that has faults: `line: message`, by name. */
export function typeErrors(snippets: readonly Snippet[]): Record<string, string[]> {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const files = new Map(snippets.map((snippet, i) => [`${root}docs/snippet${i}.ts`, snippet]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => (files.has(path) ? `${files.get(path)?.code}export {};\n` : readFile(path));
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, noUnusedLocals: false, noUnusedParameters: false },
    host,
  );

  const faults = [...files].map(([path, snippet]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const messages = found.map(({ start = 0, messageText }) => {
      const line = snippet.lines[source?.getLineAndCharacterOfPosition(start).line ?? 0];
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    return [snippet.name, messages] as const;
  });
  return Object.fromEntries(faults.filter(([, messages]) => messages.length));
}

type Code = Pick<Snippet, 'code' | 'lines'>;

function join(first: Code, second: Code): Code {
  return { code: first.code + second.code, lines: [...first.lines, ...second.lines] };
}
