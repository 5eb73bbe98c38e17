import {
  batch,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  type Pipeline,
  type RunOptions,
  scan,
  take,
  tap,
} from '@millrace/core';
import { MIX, type Mixed, polluteWith } from '../pollution.js';

/** Runs the other pipelines through Millrace, with different ends, and some with other sources and asynchronous stages. */
export function pollute(options: RunOptions): Promise<void> {
  return polluteWith(async (mixed) => {
    const at = MIX.indexOf(mixed);
    const batches = built(mixed).pipeThrough(batch({ maxItems: 7 }));
    await batches.reduce((count, each) => count + each.length, 0, options);
    if (at % 4 === 0) await built(mixed).toArray(options);
    if (at % 4 === 1)
      await built(mixed)
        .pipeThrough(scan((count) => count + 1, 0))
        .last(options);
    if (at % 4 === 2) await asynchronous(mixed).forEach((item, index) => void [item, index], options);
    if (at % 4 === 3) await streamed(mixed).pipeTo(new WritableStream(), options);
  });
}

function built({ items, steps }: Mixed, source: Pipeline<unknown> = from(items)): Pipeline<unknown> {
  let pipeline = source as Pipeline<never>;
  for (const step of steps) {
    if (step.kind === 'take') pipeline = pipeline.pipeThrough(take(step.count));
    else if (step.kind === 'map') pipeline = pipeline.pipeThrough(map(step.fn)) as Pipeline<never>;
    else pipeline = pipeline.pipeThrough(filter(step.fn));
  }
  return pipeline as Pipeline<unknown>;
}

function asynchronous(mixed: Mixed): Pipeline<unknown> {
  return built(mixed)
    .pipeThrough(mapAsync(async (item) => item, { concurrency: 3 }))
    .pipeThrough(mapAsync((item) => item))
    .pipeThrough(tap(() => undefined));
}

function streamed(mixed: Mixed): Pipeline<unknown> {
  const { items } = mixed;
  async function* lists(): AsyncGenerator<readonly unknown[]> {
    for (let at = 0; at < items.length; at += 30) yield items.slice(at, at + 30);
  }
  return built(mixed, from(lists).pipeThrough(flatMap((list) => list)));
}
