import { ndjson } from '@millrace/codecs';
import { type Clock, from, mapAsync, systemClock } from '@millrace/core';
import { type Logger, logRun, observe, prometheusText, type Snapshot } from '@millrace/observability';
import { show } from './show.js';

// Technique 8, observability: an observer has the figures of every stage: counts, rates, percentiles. They go to
// Prometheus and into log lines, and an alert is a rule on them. The pipeline itself stays as it is.

type Store = (celsius: number) => Promise<void>;

export async function watched(json: string, store: Store, log: Logger, clock: Clock = systemClock): Promise<Snapshot> {
  const observed = observe({ name: 'readings', clock });
  const lines = logRun(observed, log, { clock });
  await from(new Blob([json]).stream())
    .pipeThrough(ndjson.decode<number>({ onError: 'skip' }))
    .pipeThrough(mapAsync(store, { name: 'store', concurrency: 4 }))
    .count({ observer: observed.observer, clock });
  lines.close();
  return observed.snapshot();
}

export function alerts({ pipelines: [pipeline] }: Snapshot): string[] {
  const found: string[] = [];
  for (const { name, node, counts, outPerSecond } of pipeline?.stages ?? []) {
    const { p99Ms = 0 } = pipeline?.nodes[node]?.service?.window ?? {};
    if (counts.dropped > 0.01 * counts.made) found.push(`${name} drops more than 1 %`);
    if (outPerSecond < 1) found.push(`${name} gives less than one item a second`);
    if (p99Ms > 100) found.push(`${name} takes more than 100 ms for one item in a hundred`);
  }
  return found;
}

await show(import.meta.url, async () => {
  const snapshot = await watched('21.5\n22\nbroken\n19\n', async () => {}, console);
  console.log(prometheusText(snapshot));
  return { store: snapshot.pipelines[0]?.nodes[2]?.service?.window, alerts: alerts(snapshot) };
});
