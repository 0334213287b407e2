import { appendToFile, readFileIfPresent, writeFileAtomically } from '../../files/files.js';
import type { LogRow, RowSink } from './rowLog.js';

/** A file of numbers that grows row by row and, where a row brings a new column, is written anew. */
export class CsvTable implements RowSink {
  private constructor(
    private readonly where: string,
    private readonly path: string,
    private columns: string[],
    private readonly rows: LogRow[],
  ) {}

  /** The file's rows up to `step`, for a run that goes on from there; an empty table if `step` is 0. */
  static async open(where: string, path: string, step: number): Promise<CsvTable> {
    const bytes = step > 0 ? await readFileIfPresent(where, path) : undefined;
    // What follows the last line break is a line that a killed process left half written.
    const [header = '', ...lines] = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
    const columns = header.split(',').filter(Boolean);
    const rows = lines.map((line) => parse(columns, line)).filter((row) => row.step <= step);
    const table = new CsvTable(where, path, columns, rows);
    await table.write();
    return table;
  }

  get last(): LogRow | undefined {
    return this.rows.at(-1);
  }

  async add(row: LogRow): Promise<void> {
    this.rows.push(row);
    const added = Object.keys(row).filter((name) => !this.columns.includes(name));
    this.columns.push(...added);
    await (added.length ? this.write() : appendToFile(this.where, this.path, this.line(row)));
  }

  private async write(): Promise<void> {
    const header = `${this.columns.map((name) => name.replace(/[",\r\n]/g, '_')).join(',')}\n`;
    await writeFileAtomically(this.where, this.path, header + this.rows.map((row) => this.line(row)).join(''));
  }

  private line(row: LogRow): string {
    return `${this.columns.map((name) => row[name] ?? '').join(',')}\n`;
  }
}

function parse(columns: readonly string[], line: string): LogRow {
  const cells = line.split(',').map((cell, i) => [columns[i], cell] as const);
  const filled = cells.filter(([name, cell]) => name && cell !== '');
  return Object.fromEntries(filled.map(([name, cell]) => [name, Number(cell)])) as LogRow;
}
