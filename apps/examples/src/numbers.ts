// What `parallel-numbers` runs on worker threads. The columns are views of shared memory, so they are not copied.

export function sum(column: Float32Array): number {
  return column.reduce((total, value) => total + value, 0);
}

export function subtract({ column, by }: { column: Float32Array; by: number }): void {
  column.forEach((value, at) => {
    column[at] = value - by;
  });
}
