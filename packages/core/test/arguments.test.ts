import {
  batch,
  buffer,
  bufferUnordered,
  cached,
  channel,
  debounce,
  dedupeConsecutive,
  delay,
  drop,
  enumerate,
  filter,
  filterMap,
  flatMap,
  from,
  generate,
  interval,
  map,
  mapAsync,
  pairwise,
  range,
  rateBudget,
  rateLimit,
  runAll,
  sample,
  scan,
  take,
  tap,
  throttle,
  window,
} from '@millrace/core';
import { operator, source } from '@millrace/core/authoring';
import { expect, test } from 'vitest';

// Wrong arguments are refused at once, by name, with what they are and what they must be.

const same = <T>(item: T): T => item;
const numbers = range(0, 3);
const lockedWritable = (): WritableStream<number> => {
  const writable = new WritableStream<number>();
  writable.getWriter();
  return writable;
};

const refusals: Record<'TypeError' | 'RangeError', Record<string, () => unknown>> = {
  TypeError: {
    'map(): fn is 1 (must be a function)': () => map(1 as never),
    'map(): option "nam" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      map(same, { nam: 'x' } as never),
    'map(): options is null (must be an object)': () => map(same, null as never),
    'map(): name is "" (must be a string of one character or more)': () => map(same, { name: '' }),
    'map(): name is 7 (must be a string of one character or more)': () => map(same, { name: 7 as never }),
    'map(): highWaterMark is "4" (must be a whole number of 0 or more)': () =>
      map(same, { highWaterMark: '4' as never }),
    'filter(): predicate is undefined (must be a function)': () => filter(undefined as never),
    'filter(): option "key" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      filter(Boolean, { key: 1 } as never),
    'filterMap(): fn is an object (Object) (must be a function)': () => filterMap({} as never),
    'filterMap(): option "a" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      filterMap(same, { a: 1 } as never),
    'flatMap(): fn is an array (must be a function)': () => flatMap([] as never),
    'flatMap(): option "a" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      flatMap((n) => [n], { a: 1 } as never),
    'take(): items is "2" (must be a whole number of 0 or more)': () => take('2' as never),
    'take(): option "a" is unknown (must be one of "name", "highWaterMark")': () => take(1, { a: 1 } as never),
    'drop(): items is 2n (must be a whole number of 0 or more)': () => drop(2n as never),
    'drop(): option "a" is unknown (must be one of "name", "highWaterMark")': () => drop(1, { a: 1 } as never),
    'pairwise(): option "a" is unknown (must be one of "name", "highWaterMark")': () => pairwise({ a: 1 } as never),
    'pairwise(): options is 2 (must be an object)': () => pairwise(2 as never),
    'enumerate(): option "a" is unknown (must be one of "name", "highWaterMark")': () => enumerate({ a: 1 } as never),
    'enumerate(): options is 2 (must be an object)': () => enumerate(2 as never),
    'debounce(): waitMs is undefined (must be a finite number of milliseconds above 0)': () => debounce({} as never),
    'debounce(): option "ms" is unknown (must be one of "waitMs", "maxWaitMs", "name")': () =>
      debounce({ ms: 1 } as never),
    'throttle(): leading is 1 (must be true or false)': () => throttle({ intervalMs: 1, leading: 1 as never }),
    'throttle(): options is undefined (must be an object)': () => throttle(undefined as never),
    'sample(): option "ms" is unknown (must be one of "intervalMs", "name")': () => sample({ ms: 1 } as never),
    'rateLimit(): option "rate" is unknown (must be one of "limit", "intervalMs", "burst")': () =>
      rateLimit({ rate: 1 } as never),
    'rateLimit(): limit is "5" (must be a finite number above 0)': () =>
      rateLimit({ limit: '5' as never, intervalMs: 1 }),
    'rateLimit(): cost is 2 (must be a function)': () => rateLimit({ limit: 1, intervalMs: 1 }, { cost: 2 as never }),
    'rateLimit(): option "weight" is unknown (must be one of "name", "cost", "onError", "highWaterMark", "size")': () =>
      rateLimit({ limit: 1, intervalMs: 1 }, { weight: 2 } as never),
    'delay(): options is 5 (must be an object)': () => delay(5 as never),
    'mapAsync(): keyBy is "id" (must be a function)': () => mapAsync(same, { keyBy: 'id' as never }),
    'tap(): fn is true (must be a function)': () => tap(true as never),
    'tap(): option "a" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      tap(same, { a: 1 } as never),
    'scan(): fn is 0 (must be a function)': () => scan(0 as never, same),
    'scan(): seed is undefined (must be given: the state before the first item)': () =>
      (scan as (fn: unknown) => unknown)(same),
    'scan(): option "seed" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      scan(same, 0, { seed: 1 } as never),
    'dedupeConsecutive(): key is "id" (must be a function)': () => dedupeConsecutive('id' as never),
    'dedupeConsecutive(): option "a" is unknown (must be one of "name", "highWaterMark", "onError")': () =>
      dedupeConsecutive(same, { a: 1 } as never),
    'batch(): options is 3 (must be an object)': () => batch(3 as never),
    'batch(): maxItems is "3" (must be a whole number of 1 or more)': () => batch({ maxItems: '3' as never }),
    'batch(): sizeOf is undefined (must be a function)': () => batch({ maxBytes: 10 }),
    'batch(): sizeOf is 4 (must be a function)': () => batch({ maxItems: 10, sizeOf: 4 as never }),
    'batch(): maxWaitMs is "1s" (must be a number of milliseconds, 0 or more)': () =>
      batch({ maxWaitMs: '1s' as never }),
    'batch(): option "size" is unknown (must be one of "name", "highWaterMark", "maxItems", "maxBytes", "sizeOf", "maxWaitMs")':
      () => batch({ size: 3 } as never),
    'mapAsync(): fn is undefined (must be a function)': () => mapAsync(undefined as never),
    'mapAsync(): concurrency is null (must be a whole number of 1 or more)': () =>
      mapAsync(same, { concurrency: null as never }),
    'mapAsync(): ordered is 1 (must be true or false)': () => mapAsync(same, { ordered: 1 as never }),
    'mapAsync(): option "limit" is unknown (must be one of "name", "concurrency", "ordered", "highWaterMark", "size", "onError", "retry", "timeoutMs", "keyBy")':
      () => mapAsync(same, { limit: 2 } as never),
    'bufferUnordered(): concurrency is undefined (must be a whole number of 1 or more)': () =>
      bufferUnordered(undefined as never),
    'bufferUnordered(): option "ordered" is unknown (must be one of "name", "highWaterMark", "size", "onError", "retry", "timeoutMs")':
      () => bufferUnordered(2, { ordered: true } as never),
    'cached(): fn is 1 (must be a function)': () => cached(1 as never),
    'cached(): options is null (must be an object)': () => cached(same, null as never),
    'cached(): key is "id" (must be a function)': () => cached(same, { key: 'id' as never }),
    'cached(): into is "id" (must be a function)': () => cached(same, { into: 'id' as never }),
    'cached(): ttlMs is "1" (must be a number of milliseconds, 0 or more)': () => cached(same, { ttlMs: '1' as never }),
    'cached(): option "ttl" is unknown (must be one of "name", "concurrency", "ordered", "highWaterMark", "size", "onError", "retry", "timeoutMs", "key", "ttlMs", "maxEntries", "into")':
      () => cached(same, { ttl: 1 } as never),
    'buffer(): items is undefined (must be a whole number of 1 or more)': () => buffer(undefined as never),
    'buffer(): option "highWaterMark" is unknown (must be one of "name", "overflow", "size")': () =>
      buffer(1, { highWaterMark: 1 } as never),
    'from(): source is 5 (must be an iterable, an async iterable, a ReadableStream, a function that makes one, or a promise of one)':
      () => from(5 as never),
    'from(): source is "text" (must be an iterable, an async iterable, a ReadableStream, a function that makes one, or a promise of one)':
      () => from('text'),
    'from(): source is null (must be an iterable, an async iterable, a ReadableStream, a function that makes one, or a promise of one)':
      () => from(null as never),
    'from(): option "nam" is unknown (must be one of "name")': () => from([1], { nam: 'x' } as never),
    'from(): name is "" (must be a string of one character or more)': () => from([1], { name: '' }),
    'generate(): make is 1 (must be a function)': () => generate(1 as never),
    'range(): end is undefined (must be a number)': () => range(0, undefined as never),
    'interval(): intervalMs is "1" (must be a finite number of milliseconds above 0)': () => interval('1' as never),
    'channel(): capacity is undefined (must be a whole number of 1 or more)': () => channel(undefined as never),
    'buffer(): size is 1 (must be a function)': () => buffer(1, { size: 1 as never }),
    'buffer(): size is a function (must be left out beside a queuing strategy, which has its own)': () =>
      buffer({ highWaterMark: 1 }, { size: () => 1 }),
    'mapAsync(): size is a function (must be left out beside a queuing strategy, which has its own)': () =>
      mapAsync(same, { highWaterMark: { highWaterMark: 1 }, size: () => 1 }),
    'mapAsync(): highWaterMark is undefined (must be given with a size: it is what may wait)': () =>
      mapAsync(same, { size: () => 1 }),
    'mapAsync(): highWaterMark.size is "1" (must be a function)': () =>
      mapAsync(same, { highWaterMark: { size: '1' as never } }),
    'map(): highWaterMark is an object (Object) (must be a whole number of 0 or more)': () =>
      map(same, { highWaterMark: {} as never }),
    'pipeThrough(): stage is a function (must be a stage, or a pair of a readable and a writable stream)': () =>
      numbers.pipeThrough(same as never),
    'pipeThrough(): stage is undefined (must be a stage, or a pair of a readable and a writable stream)': () =>
      numbers.pipeThrough(undefined as never),
    'pipeThrough(): option "a" is unknown (must be one of "name", "highWaterMark", "size")': () =>
      numbers.pipeThrough(new TransformStream<number, number>(), { a: 1 } as never),
    'pipeThrough(): option "preventClose" is not for a stage of Millrace (must be given to the stage, or be of a foreign pair)':
      () => numbers.pipeThrough(map(same), { preventClose: true } as never),
    'pipeThrough(): option "signal" is not for a stage of Millrace (must be given to the stage, or be of a foreign pair)':
      () => numbers.pipeThrough(map(same), { signal: AbortSignal.abort() } as never),
    'pipeThrough(): option "name" is not for a stage of Millrace (must be given to the stage, or be of a foreign pair)':
      () => numbers.pipeThrough(map(same), { name: 'same' }),
    'pipeThrough(): option "oneToOne" is not for a stage of Millrace (must be given to the stage, or be of a foreign pair)':
      () => numbers.pipeThrough(map(same), { oneToOne: true, highWaterMark: 4 } as never),
    'pipeThrough(): options is null (must be an object)': () => numbers.pipeThrough(map(same), null as never),
    'run(): sink is an array (must be a function, a WritableStream or a Sink)': () => numbers.run([] as never),
    'run(): sink is null (must be a function, a WritableStream or a Sink)': () => numbers.run(null as never),
    'run(): writable is "locked" (must be a WritableStream that nobody writes to)': () => numbers.run(lockedWritable()),
    'run(): signal is an object (AbortController) (must be an AbortSignal)': () =>
      numbers.run(same, { signal: new AbortController() as never }),
    'run(): sizeOf is undefined (must be given with maxBytesInFlight: it says what an item weighs)': () =>
      numbers.run(same, { maxBytesInFlight: 9 }),
    'run(): maxBytesInFlight is undefined (must be given with sizeOf: it is the limit)': () =>
      numbers.run(same, { sizeOf: () => 1 }),
    'run(): fuse is "no" (must be true or false)': () => numbers.run(same, { fuse: 'no' as never }),
    'run(): generate is 0 (must be true or false)': () => numbers.run(same, { generate: 0 as never }),
    'run(): observer is an object (Object) (must be an object with at least one of "started", "burst", "served", "warned", "failed", "retried", "changed", "ended")':
      () => numbers.run(same, { observer: { observer: {} } as never }),
    'mapAsync(): retry is 3 (must be an object)': () => mapAsync(async (n) => n, { retry: 3 as never }),
    'window(): sizeMs is undefined (must be given, or gapMs for sessions)': () => window({}),
    'runAll(): pipeline 1 is an object (Pipeline) (must be one with its sink, as pipeline.into(sink) gives it)': () =>
      runAll(numbers as never),
    'operator(): name is undefined (must be what the stage is called)': () => operator({} as never),
    'operator(): open is 1 (must be a function)': () => operator({ name: 'a', open: 1 as never }),
    'source(): name is "" (must be what the source is called)': () => source({ name: '' } as never),
    'source(): open is undefined (must be a function)': () => source({ name: 'a' } as never),
    'operator "a": pull of what open() gave is undefined (must be a function)': () =>
      numbers.pipeThrough(operator({ name: 'a', open: () => ({}) as never })).toArray(),
    'run(): clock is an object (Date) (must be an object with "now" and "setTimer")': () =>
      numbers.run(same, { clock: new Date() as never }),
    'explain(): fuse is 1 (must be true or false)': () => numbers.explain({ fuse: 1 as never }),
    'count(): signal is null (must be an AbortSignal)': () => numbers.count({ signal: null as never }),
    'values(): generate is null (must be true or false)': () => numbers.values({ generate: null as never }),
    'toReadableStream(): fuse is 1 (must be true or false)': () => numbers.toReadableStream({ fuse: 1 as never }),
    'pipeTo(): signal is "now" (must be an AbortSignal)': () =>
      numbers.pipeTo(new WritableStream(), { signal: 'now' as never }),
    'pipeTo(): preventClose is 1 (must be true or false)': () =>
      numbers.pipeTo(new WritableStream(), { preventClose: 1 as never }),
    'pipeTo(): preventAbort is "" (must be true or false)': () =>
      numbers.pipeTo(new WritableStream(), { preventAbort: '' as never }),
    'run(): maxInFlight is "9" (must be a whole number of 1 or more, or Infinity)': () =>
      numbers.run(same, { maxInFlight: '9' as never }),
    'run(): option "abort" is unknown (must be one of "signal", "maxInFlight", "maxBytesInFlight", "sizeOf", "fuse", "generate", "context", "observer", "clock", "checkpoint", "closeGraceMs", "timeoutMs", "idleTimeoutMs")':
      () => numbers.run(same, { abort: 1 } as never),
    'values(): option "a" is unknown (must be one of "signal", "maxInFlight", "maxBytesInFlight", "sizeOf", "fuse", "generate", "context", "observer", "clock", "checkpoint", "closeGraceMs", "timeoutMs", "idleTimeoutMs")':
      () => numbers.values({ a: 1 } as never),
    'toReadableStream(): highWaterMark is "1" (must be a whole number of 0 or more)': () =>
      numbers.toReadableStream({ highWaterMark: '1' as never }),
    'toArray(): option "a" is unknown (must be one of "signal", "maxInFlight", "maxBytesInFlight", "sizeOf", "fuse", "generate", "context", "observer", "clock", "checkpoint", "closeGraceMs", "timeoutMs", "idleTimeoutMs")':
      () => numbers.toArray({ a: 1 } as never),
    'reduce(): fn is 1 (must be a function)': () => numbers.reduce(1 as never, 0),
    'reduce(): seed is undefined (must be given: the value before the first item)': () =>
      (numbers.reduce as (fn: unknown) => unknown).call(numbers, same),
    'forEach(): fn is 1 (must be a function)': () => numbers.forEach(1 as never),
    'some(): predicate is 1 (must be a function)': () => numbers.some(1 as never),
    'every(): predicate is 1 (must be a function)': () => numbers.every(1 as never),
    'find(): predicate is 1 (must be a function)': () => numbers.find(1 as never),
    'collectInto(): target is undefined (must be an array or a typed array)': () =>
      numbers.collectInto(undefined as never),
    'pipeTo(): writable is an object (Object) (must be a WritableStream)': () => numbers.pipeTo({} as never),
    'drain(): option "deadline" is unknown (must be one of "deadlineMs")': () =>
      numbers.run(same).drain({ deadline: 1 } as never),
  },
  RangeError: {
    'map(): highWaterMark is -1 (must be a whole number of 0 or more)': () => map(same, { highWaterMark: -1 }),
    'take(): items is -1 (must be a whole number of 0 or more)': () => take(-1),
    'take(): items is Infinity (must be a whole number of 0 or more)': () => take(Number.POSITIVE_INFINITY),
    'drop(): items is 1.5 (must be a whole number of 0 or more)': () => drop(1.5),
    'batch(): the limit is undefined (must be at least one of "maxItems", "maxBytes" and "maxWaitMs")': () => batch({}),
    'batch(): maxItems is 0 (must be a whole number of 1 or more)': () => batch({ maxItems: 0 }),
    'batch(): maxBytes is 0 (must be a whole number of 1 or more)': () => batch({ maxBytes: 0, sizeOf: () => 1 }),
    'batch(): maxWaitMs is -1 (must be a number of milliseconds, 0 or more)': () => batch({ maxWaitMs: -1 }),
    'batch(): maxWaitMs is Infinity (must be a number of milliseconds, 0 or more)': () =>
      batch({ maxWaitMs: Number.POSITIVE_INFINITY }),
    'mapAsync(): concurrency is 0 (must be a whole number of 1 or more)': () => mapAsync(same, { concurrency: 0 }),
    'mapAsync(): highWaterMark is NaN (must be a whole number of 0 or more)': () =>
      mapAsync(same, { highWaterMark: Number.NaN }),
    'bufferUnordered(): concurrency is 0 (must be a whole number of 1 or more)': () => bufferUnordered(0),
    'cached(): concurrency is 0.5 (must be a whole number of 1 or more)': () => cached(same, { concurrency: 0.5 }),
    'cached(): ttlMs is -1 (must be a number of milliseconds, 0 or more)': () => cached(same, { ttlMs: -1 }),
    'cached(): maxEntries is 0 (must be a whole number of 1 or more)': () => cached(same, { maxEntries: 0 }),
    'buffer(): items is 0 (must be a whole number of 1 or more)': () => buffer(0),
    'buffer(): items.highWaterMark is 1.5 (must be a whole number of 0 or more)': () =>
      buffer(new CountQueuingStrategy({ highWaterMark: 1.5 })),
    'mapAsync(): highWaterMark.highWaterMark is Infinity (must be a whole number of 0 or more)': () =>
      mapAsync(same, { highWaterMark: { highWaterMark: Number.POSITIVE_INFINITY } }),
    'buffer(): overflow is "drop" (must be "block", "drop-oldest", "drop-newest", "fail")': () =>
      buffer(1, { overflow: 'drop' as never }),
    'range(): start is NaN (must be a number)': () => range(Number.NaN, 1),
    'range(): start is -Infinity (must be a finite number)': () => range(Number.NEGATIVE_INFINITY, 1),
    'range(): step is 0 (must be a finite number other than 0)': () => range(0, 1, 0),
    'range(): step is Infinity (must be a finite number other than 0)': () => range(0, 1, Number.POSITIVE_INFINITY),
    'interval(): intervalMs is 0 (must be a finite number of milliseconds above 0)': () => interval(0),
    'interval(): intervalMs is -1 (must be a finite number of milliseconds above 0)': () => interval(-1),
    'interval(): intervalMs is Infinity (must be a finite number of milliseconds above 0)': () =>
      interval(Number.POSITIVE_INFINITY),
    'debounce(): waitMs is 0 (must be a finite number of milliseconds above 0)': () => debounce({ waitMs: 0 }),
    'debounce(): maxWaitMs is 5 (must be a number of milliseconds, 10 or more)': () =>
      debounce({ waitMs: 10, maxWaitMs: 5 }),
    'throttle(): intervalMs is Infinity (must be a finite number of milliseconds above 0)': () =>
      throttle({ intervalMs: Number.POSITIVE_INFINITY }),
    'throttle(): trailing is false (must be true where leading is false)': () =>
      throttle({ intervalMs: 1, leading: false }),
    'sample(): intervalMs is -1 (must be a finite number of milliseconds above 0)': () => sample({ intervalMs: -1 }),
    'rateLimit(): limit is 0 (must be a finite number above 0)': () => rateLimit({ limit: 0, intervalMs: 1 }),
    'rateLimit(): intervalMs is 0 (must be a finite number of milliseconds above 0)': () =>
      rateLimit({ limit: 1, intervalMs: 0 }),
    'rateLimit(): burst is 0.5 (must be a finite number of 1 or more)': () =>
      rateLimit({ limit: 1, intervalMs: 1, burst: 0.5 }),
    'rateBudget(): limit is Infinity (must be a finite number above 0)': () =>
      rateBudget({ limit: Number.POSITIVE_INFINITY, intervalMs: 1 }),
    'delay(): delayMs is NaN (must be a finite number of milliseconds above 0)': () => delay({ delayMs: Number.NaN }),
    'delay(): maxItems is 0 (must be a whole number of 1 or more)': () => delay({ delayMs: 1, maxItems: 0 }),
    'channel(): capacity is 0 (must be a whole number of 1 or more)': () => channel(0),
    'run(): maxBurst of the sink is 0 (must be a whole number of 1 or more)': () =>
      numbers.run({ maxBurst: 0, open: () => ({ write() {} }) }),
    'run(): maxBytesInFlight is 0 (must be a whole number of 1 or more)': () =>
      numbers.run(same, { maxBytesInFlight: 0, sizeOf: () => 1 }),
    'run(): maxInFlight is 0 (must be a whole number of 1 or more, or Infinity)': () =>
      numbers.run(same, { maxInFlight: 0 }),
    'run(): closeGraceMs is -1 (must be a number of milliseconds, 0 or more)': () =>
      numbers.run(same, { closeGraceMs: -1 }),
    'run(): closeGraceMs is Infinity (must be a number of milliseconds, 0 or more)': () =>
      numbers.run(same, { closeGraceMs: Number.POSITIVE_INFINITY }),
    'toReadableStream(): highWaterMark is -1 (must be a whole number of 0 or more)': () =>
      numbers.toReadableStream({ highWaterMark: -1 }),
    'drain(): deadlineMs is -1 (must be a number of milliseconds, 0 or more)': () =>
      numbers.run(same).drain({ deadlineMs: -1 }),
  },
};

for (const [name, cases] of Object.entries(refusals)) {
  test.for(Object.entries(cases))(`%s is a ${name}`, async ([what, build]) => {
    const error = await Promise.resolve()
      .then(build)
      .catch((reason) => reason);
    expect(error).toMatchObject({ name, code: 'ERR_CORE_ARGUMENT', message: `Cannot build ${what}` });
  });
}

test('stages throw what is wrong with their arguments, terminals reject with it, and nothing is read', async () => {
  expect(() => map(1 as never)).toThrow(TypeError);
  let read = 0;
  const counted = generate(() => read++);
  const rejected = counted.toArray({ maxInFlight: 0 });
  await expect(rejected).rejects.toThrow(RangeError);
  expect(read).toBe(0);
});

test('source() fails a run whose open() gives nothing to read', async () => {
  const message = 'Cannot build source "a": read of what open() gave is undefined (must be a function)';
  const error = await source({ name: 'a', open: () => ({}) as never })
    .toArray()
    .catch((reason) => reason);
  expect(error).toMatchObject({ code: 'ERR_CORE_STAGE', stage: 'a', cause: { code: 'ERR_CORE_ARGUMENT', message } });
});
