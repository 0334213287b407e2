/** Runs tasks one after the other, in the order they are given; at once if none is running. */
export class Queue {
  private last?: Promise<unknown>;

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last ? this.last.then(task) : task();
    const settled: Promise<unknown> = result
      .catch(() => {})
      .then(() => {
        if (this.last === settled) this.last = undefined;
      });
    this.last = settled;
    return result;
  }
}
