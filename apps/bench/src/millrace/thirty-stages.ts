import { batch, filter, flatMap, from, map, mapAsync, type Pipeline, scan, take, tap } from '@millrace/core';

// What core/types gives to the type checker: 30 stages of all kinds in one pipe, whose types follow from one another.

interface Visit {
  readonly url: string;
  readonly status: number;
  readonly bytes: number;
}

/** Sums of sizes by host, in batches, with nothing said about types between the ends. */
export function thirtyStages(lines: readonly string[]): Pipeline<readonly { host: string; share: number }[]> {
  return from(lines)
    .pipeThrough(map((line) => line.trim()))
    .pipeThrough(filter((line) => line !== ''))
    .pipeThrough(map((line) => line.split(' ')))
    .pipeThrough(filter((parts) => parts.length === 3))
    .pipeThrough(map(([url = '', status, bytes]): Visit => ({ url, status: Number(status), bytes: Number(bytes) })))
    .pipeThrough(tap((visit) => visit.url))
    .pipeThrough(filter(({ status }) => status === 200))
    .pipeThrough(map((visit) => ({ ...visit, host: new URL(visit.url).host })))
    .pipeThrough(filter(({ host }) => host !== 'localhost'))
    .pipeThrough(mapAsync(async (visit) => ({ ...visit, isKnown: visit.host.length > 3 }), { concurrency: 4 }))
    .pipeThrough(filter(({ isKnown }) => isKnown))
    .pipeThrough(map(({ host, bytes }) => ({ host, bytes })))
    .pipeThrough(batch({ maxItems: 10 }))
    .pipeThrough(map((visits) => visits.filter(({ bytes }) => bytes > 0)))
    .pipeThrough(filter((visits) => visits.length > 0))
    .pipeThrough(flatMap((visits) => visits))
    .pipeThrough(map((visit) => ({ ...visit, kilobytes: visit.bytes / 1000 })))
    .pipeThrough(filter(({ kilobytes }) => kilobytes < 1e6))
    .pipeThrough(
      scan((sums: ReadonlyMap<string, number>, { host, kilobytes }) => {
        return new Map(sums).set(host, (sums.get(host) ?? 0) + kilobytes);
      }, new Map<string, number>()),
    )
    .pipeThrough(map((sums) => [...sums]))
    .pipeThrough(flatMap((entries) => entries))
    .pipeThrough(map(([host, sum]) => ({ host, sum })))
    .pipeThrough(filter(({ sum }) => sum > 1))
    .pipeThrough(mapAsync(async ({ host, sum }) => ({ host, sum: Math.round(sum) })))
    .pipeThrough(tap(({ host }) => host.length))
    .pipeThrough(map(({ host, sum }) => ({ host, share: sum / 100 })))
    .pipeThrough(filter(({ share }) => Number.isFinite(share)))
    .pipeThrough(take(1000))
    .pipeThrough(batch({ maxItems: 100 }))
    .pipeThrough(map((shares) => [...shares].sort((a, b) => b.share - a.share)));
}
