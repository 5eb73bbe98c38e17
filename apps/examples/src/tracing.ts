import { batch, from, mapAsync } from '@millrace/core';
import { spanned } from '@millrace/observability/tracing';
import { trace } from '@opentelemetry/api';
import sdk from '@opentelemetry/sdk-trace-base';
import { show } from './show.js';

// Technique 8, tracing: each batch is an OpenTelemetry span around the code that stores it, with the size of the batch,
// its duration, and the exception where it fails. Without an SDK the function is just called.

export function stored(items: Iterable<number>, store: (batch: number[]) => Promise<void>): Promise<number> {
  return from(items)
    .pipeThrough(batch({ maxItems: 3 }))
    .pipeThrough(mapAsync(spanned('store', store), { concurrency: 2 }))
    .count();
}

await show(import.meta.url, async () => {
  const exporter = new sdk.InMemorySpanExporter(); // in a service, one that sends spans to a collector
  trace.setGlobalTracerProvider(
    new sdk.BasicTracerProvider({ spanProcessors: [new sdk.SimpleSpanProcessor(exporter)] }),
  );
  await stored([1, 2, 3, 4, 5], async () => {});
  return exporter.getFinishedSpans().map(({ name, attributes, duration }) => ({ name, ...attributes, duration }));
});
