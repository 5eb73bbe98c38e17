import type { Run } from '@millrace/core';

const EVERY_MS = 200;

/** Shows on a terminal how many flights have been read; does nothing where `stream` is none. Gives what ends it. */
export function showProgress(run: Run, flightsStage: string, stream: NodeJS.WriteStream): () => void {
  if (!stream.isTTY) return () => {};
  const timer = setInterval(() => {
    const read = run.counts().find(({ name }) => name === flightsStage)?.made ?? 0;
    stream.write(`\r\x1b[K${read.toLocaleString('en-US')} flights read`);
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    stream.write('\r\x1b[K');
  };
}
