import type { StateArray, StateDict } from '../state.js';

/** Bytes of a block, about: what a checkpoint writes anew when one row has changed. */
const BLOCK_BYTES = 2 ** 23;

/** A column of a table: how many numbers a row has, and of which kind. */
export interface Column {
  width: number;
  kind: 'float32' | 'uint8';
}

type Block<Name extends string> = Record<Name, Float32Array | Uint8Array>;

/**
 * A table of numbers in blocks of equal size, whose memory grows block by block. A snapshot shares the blocks, at no cost;
 * a block of which a snapshot is out is copied before one of its rows is overwritten.
 */
export class RowBlocks<Name extends string> {
  /** Rows of a block. */
  readonly blockRows: number;
  private readonly blocks: Block<Name>[] = [];
  /** Of each block, how many rows snapshots have. */
  private readonly shared: number[] = [];
  /** The snapshot of each block, as long as it holds. */
  private readonly snapshots: (StateDict | undefined)[] = [];

  constructor(private readonly columns: Readonly<Record<Name, Column>>) {
    const bytes = this.names.reduce(
      (sum, name) => sum + columns[name].width * (columns[name].kind === 'uint8' ? 1 : 4),
      0,
    );
    this.blockRows = 2 ** Math.max(0, Math.floor(Math.log2(BLOCK_BYTES / bytes)));
  }

  private get names(): Name[] {
    return Object.keys(this.columns) as Name[];
  }

  /** Writes row `index` from row `from` of `source`; `index` is at most one block beyond what was written. */
  write(index: number, source: Readonly<Record<Name, ArrayLike<number>>>, from: number): void {
    const [block, row] = this.writable(index);
    for (const name of this.names) copyRow(source[name], from, block[name], row, this.columns[name].width);
  }

  /** Writes column `name` of row `index`, which was written before, from row `from` of `source`. */
  rewrite(index: number, name: Name, source: ArrayLike<number>, from: number): void {
    const [block, row] = this.writable(index);
    copyRow(source, from, block[name], row, this.columns[name].width);
  }

  /** Copies column `name` of row `index` to row `to` of `target`. */
  read(index: number, name: Name, target: Float32Array, to: number): void {
    const block = this.blocks[Math.floor(index / this.blockRows)] as Block<Name>;
    copyRow(block[name], index % this.blockRows, target, to, this.columns[name].width);
  }

  /** The first `count` rows as frozen arrays `rows0/...`, `rows1/...`, without a copy. */
  snapshot(count: number): StateDict {
    const parts: StateDict = {};
    for (let b = 0; b * this.blockRows < count; b++) {
      const rows = Math.min(count - b * this.blockRows, this.blockRows);
      if (this.shared[b] !== rows) this.snapshots[b] = undefined;
      this.snapshots[b] ??= this.view(this.blocks[b] as Block<Name>, rows);
      this.shared[b] = rows;
      for (const [name, array] of Object.entries(this.snapshots[b] as StateDict)) parts[`rows${b}/${name}`] = array;
    }
    return parts;
  }

  private view(block: Block<Name>, rows: number): StateDict {
    const arrays = this.names.map((name): [Name, StateArray] => {
      const { width } = this.columns[name];
      const data = block[name].subarray(0, rows * width);
      return [name, { shape: width === 1 ? [rows] : [rows, width], data, frozen: true }];
    });
    return Object.fromEntries(arrays);
  }

  /** The block of row `index`, free to be written to, and the row within it. */
  private writable(index: number): [Block<Name>, number] {
    const [b, row] = [Math.floor(index / this.blockRows), index % this.blockRows];
    const rows = this.blocks[b]?.[this.names[0] as Name].length ?? 0;
    const room = rows / this.columns[this.names[0] as Name].width;
    const isShared = row < (this.shared[b] ?? 0);
    if (row >= room || isShared) {
      this.blocks[b] = this.copied(
        this.blocks[b],
        row < room ? room : Math.min(Math.max(2 * room, row + 1, 64), this.blockRows),
      );
    }
    if (isShared) this.shared[b] = 0;
    return [this.blocks[b] as Block<Name>, row];
  }

  private copied(block: Block<Name> | undefined, rows: number): Block<Name> {
    const arrays = this.names.map((name) => {
      const { width, kind } = this.columns[name];
      const array = kind === 'uint8' ? new Uint8Array(rows * width) : new Float32Array(rows * width);
      if (block) array.set(block[name]);
      return [name, array];
    });
    return Object.fromEntries(arrays) as Block<Name>;
  }
}

function copyRow(
  from: ArrayLike<number>,
  fromRow: number,
  to: Float32Array | Uint8Array,
  toRow: number,
  width: number,
): void {
  const source = fromRow * width;
  const target = toRow * width;
  for (let i = 0; i < width; i++) to[target + i] = from[source + i] as number;
}
