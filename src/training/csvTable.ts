import { appendToFile, readFileIfPresent, writeFileAtomically } from '../checkpoint/files.js';

/** One row: numbers by column. */
export type CsvRow = { step: number } & Record<string, number>;

/** A file of numbers that grows row by row and, where a row brings a new column, is written anew. */
export class CsvTable {
  private constructor(
    private readonly path: string,
    private columns: string[],
    private readonly rows: CsvRow[],
  ) {}

  /** The file's rows up to `step`, for a run that goes on from there; an empty table if `step` is 0. */
  static async open(path: string, step: number): Promise<CsvTable> {
    const bytes = step > 0 ? await readFileIfPresent(WHERE, path) : undefined;
    const [header = '', ...lines] = new TextDecoder().decode(bytes).trim().split('\n');
    const columns = header.split(',').filter(Boolean);
    const rows = lines.map((line) => parse(columns, line)).filter((row) => row.step <= step);
    const table = new CsvTable(path, columns, rows);
    await table.write();
    return table;
  }

  get last(): CsvRow | undefined {
    return this.rows.at(-1);
  }

  async add(row: CsvRow): Promise<void> {
    this.rows.push(row);
    const added = Object.keys(row).filter((name) => !this.columns.includes(name));
    this.columns.push(...added);
    await (added.length ? this.write() : appendToFile(WHERE, this.path, this.line(row)));
  }

  private async write(): Promise<void> {
    const header = `${this.columns.map((name) => name.replace(/[",\r\n]/g, '_')).join(',')}\n`;
    await writeFileAtomically(WHERE, this.path, header + this.rows.map((row) => this.line(row)).join(''));
  }

  private line(row: CsvRow): string {
    return `${this.columns.map((name) => row[name] ?? '').join(',')}\n`;
  }
}

const WHERE = 'csvLog';

function parse(columns: readonly string[], line: string): CsvRow {
  const cells = line.split(',').map((cell, i) => [columns[i], cell] as const);
  const filled = cells.filter(([name, cell]) => name && cell !== '');
  return Object.fromEntries(filled.map(([name, cell]) => [name, Number(cell)])) as CsvRow;
}
