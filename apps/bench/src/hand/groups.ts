import {
  add,
  addAll,
  BATCH,
  bytesOf,
  type Event,
  GAP_MS,
  idOf,
  MAX_BYTES,
  MAX_KEYS,
  MAX_WAIT_MS,
  OUT_OF_ORDER_MS,
  plus,
  SIZE_MS,
  SLIDE_MS,
  sensorOf,
  TTL_MS,
  timeOf,
  zero,
} from '../events.js';

// What groups events, by hand, with the guarantees of the stages: bounded, in order, and what is left out is counted.

type Write = (events: readonly Event[]) => Promise<void>;

/** Batches of 500 by pulling from the source. */
export async function batches(
  source: AsyncIterable<readonly Event[]>,
  by: 'count' | 'bytes' | 'time',
): Promise<number> {
  let total = 0;
  const sink = async (events: readonly Event[]): Promise<void> => {
    total = addAll(total, events);
  };
  if (by === 'count') await byCount(source, sink);
  else if (by === 'bytes') await byBytes(source, sink);
  else await byTime(source, sink);
  return total;
}

async function byCount(source: AsyncIterable<readonly Event[]>, write: Write): Promise<void> {
  let batch: Event[] = [];
  for await (const events of source) {
    for (let at = 0; at < events.length; at++) {
      if (batch.push(events[at] as Event) < BATCH) continue;
      await write(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await write(batch);
}

async function byBytes(source: AsyncIterable<readonly Event[]>, write: Write): Promise<void> {
  let batch: Event[] = [];
  let bytes = 0;
  for await (const events of source) {
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as Event;
      const size = bytesOf(event);
      if (batch.length > 0 && bytes + size > MAX_BYTES) {
        await write(batch);
        batch = [];
        bytes = 0;
      }
      bytes += size;
      if (batch.push(event) < BATCH && bytes < MAX_BYTES) continue;
      await write(batch);
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) await write(batch);
}

/** A batch whose time is up goes while the source is waited for; the sink still gets one at a time. */
async function byTime(source: AsyncIterable<readonly Event[]>, write: Write): Promise<void> {
  let batch: Event[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const full = batch;
    batch = [];
    writing = write(full);
    return writing;
  };
  const due = (): void => {
    if (batch.length > 0) void flush();
  };
  for await (const events of source) {
    for (let at = 0; at < events.length; at++) {
      const length = batch.push(events[at] as Event);
      if (length === 1) timer = setTimeout(due, MAX_WAIT_MS);
      if (length < BATCH) continue;
      if (writing !== undefined) await writing;
      await flush();
      writing = undefined;
    }
  }
  if (batch.length > 0) await flush();
}

/** Each id once, of the last ids. */
export function once(events: readonly Event[], isTimed: boolean): number {
  const seen = new Map<number, number>();
  const oldest = seen.entries();
  let first: [number, number] | undefined;
  let total = 0;
  let duplicates = 0;
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as Event;
    const id = idOf(event);
    const nowMs = isTimed ? performance.now() : 0;
    if (isTimed) {
      first ??= oldest.next().value;
      while (first !== undefined && first[1] <= nowMs - TTL_MS) {
        seen.delete(first[0]);
        first = oldest.next().value;
      }
    }
    if (seen.has(id)) {
      duplicates++;
      continue;
    }
    if (seen.size >= MAX_KEYS) {
      first ??= oldest.next().value;
      if (first !== undefined) seen.delete(first[0]);
      first = undefined;
    }
    seen.set(id, nowMs);
    total = add(total, event);
  }
  if (total + duplicates < 0) throw new Error('nothing was seen');
  return total;
}

/** Windows of a second, with their items; those that are open in order of time, at most one more than a second may need. */
export function tumbling(events: readonly Event[]): number {
  const open: Array<{ readonly startMs: number; readonly items: Event[] }> = [];
  let [total, late, held, latestMs] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as Event;
    const atMs = timeOf(event);
    if (atMs > latestMs) {
      latestMs = atMs;
      for (
        let next = open[0];
        next !== undefined && next.startMs + SIZE_MS <= latestMs - OUT_OF_ORDER_MS;
        next = open[0]
      ) {
        open.shift();
        held -= next.items.length;
        total += addAll(next.startMs, next.items);
      }
    }
    const startMs = Math.floor(atMs / SIZE_MS) * SIZE_MS;
    if (startMs + SIZE_MS <= latestMs - OUT_OF_ORDER_MS) {
      late++;
      continue;
    }
    if (held++ >= 100_000) throw new Error('too many items');
    let behind = open.length - 1;
    while (behind >= 0 && (open[behind] as { startMs: number }).startMs > startMs) behind--;
    const found = open[behind];
    if (found?.startMs === startMs) found.items.push(event);
    else open.splice(behind + 1, 0, { startMs, items: [event] });
  }
  for (const { startMs, items } of open) total += addAll(startMs, items);
  if (late < 0) throw new Error('nothing is late');
  return total;
}

interface Sum {
  startMs: number;
  endMs: number;
  value: number;
}

/** Windows of a second that begin each quarter of one, added up. */
export function sliding(events: readonly Event[]): number {
  const open: Sum[] = [];
  let [total, late, latestMs] = [0, 0, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as Event;
    const atMs = timeOf(event);
    if (atMs > latestMs) {
      latestMs = atMs;
      for (let next = open[0]; next !== undefined && next.endMs <= latestMs - OUT_OF_ORDER_MS; next = open[0]) {
        open.shift();
        total += next.startMs + next.value;
      }
    }
    const watermarkMs = latestMs - OUT_OF_ORDER_MS;
    let startMs = Math.floor(atMs / SLIDE_MS) * SLIDE_MS;
    if (startMs + SIZE_MS <= watermarkMs) late++;
    let behind = open.length - 1;
    for (; startMs + SIZE_MS > atMs && startMs + SIZE_MS > watermarkMs; startMs -= SLIDE_MS) {
      while (behind >= 0 && (open[behind] as Sum).startMs > startMs) behind--;
      let found = open[behind];
      if (found === undefined || found.startMs !== startMs) {
        if (open.length >= 1000) throw new Error('too many windows');
        found = { startMs, endMs: startMs + SIZE_MS, value: zero() };
        open.splice(++behind, 0, found);
      }
      found.value = add(found.value, event);
    }
  }
  for (const each of open) total += each.startMs + each.value;
  if (late < 0) throw new Error('nothing is late');
  return total;
}

/** Sessions of each sensor, added up: each sensor has its own, and what has ended is looked for once a gap. */
export function sessions(events: readonly Event[]): number {
  const bySensor = new Map<number, Sum[]>();
  let [total, late, windows, latestMs, nextMs] = [0, 0, 0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const close = (watermarkMs: number): void => {
    nextMs = Number.POSITIVE_INFINITY;
    for (const [sensor, list] of bySensor) {
      for (let next = list[0]; next !== undefined && next.endMs <= watermarkMs; next = list[0]) {
        list.shift();
        windows--;
        total += next.startMs + next.value;
      }
      if (list[0] === undefined) bySensor.delete(sensor);
      else nextMs = Math.min(nextMs, list[0].endMs);
    }
  };
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as Event;
    const atMs = timeOf(event);
    latestMs = Math.max(latestMs, atMs);
    const watermarkMs = latestMs - OUT_OF_ORDER_MS;
    if (nextMs <= watermarkMs) close(watermarkMs);
    const sensor = sensorOf(event);
    let list = bySensor.get(sensor);
    const endMs = atMs + GAP_MS;
    const first = list?.findIndex((each) => each.startMs < endMs && atMs < each.endMs) ?? -1;
    if (list === undefined || first < 0) {
      if (endMs <= watermarkMs) {
        late++;
        continue;
      }
      if (windows++ >= 1000) throw new Error('too many windows');
      if (list === undefined) {
        list = [];
        bySensor.set(sensor, list);
      }
      const behind = list.findIndex((each) => each.startMs > atMs);
      list.splice(behind < 0 ? list.length : behind, 0, { startMs: atMs, endMs, value: add(zero(), event) });
      nextMs = Math.min(nextMs, endMs);
      continue;
    }
    const session = list[first] as Sum;
    for (let next = list[first + 1]; next !== undefined && next.startMs < endMs; next = list[first + 1]) {
      session.endMs = Math.max(session.endMs, next.endMs);
      session.value = plus(session.value, next.value);
      list.splice(first + 1, 1);
      windows--;
    }
    session.startMs = Math.min(session.startMs, atMs);
    session.endMs = Math.max(session.endMs, endMs);
    session.value = add(session.value, event);
  }
  close(Number.POSITIVE_INFINITY);
  if (late < 0) throw new Error('nothing is late');
  return total;
}
