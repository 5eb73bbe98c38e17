import {
  batch,
  batchWhileBusy,
  buffer,
  compose,
  conflate,
  debounce,
  dedupe,
  dedupeConsecutive,
  delay,
  drop,
  dropWhile,
  filter,
  filterMap,
  flatMap,
  map,
  mapAsync,
  merge,
  type Pipeline,
  partitionBy,
  rateLimit,
  type Stage,
  sample,
  scan,
  statefulMap,
  take,
  takeWhile,
  tap,
  throttle,
  window,
} from '@millrace/core';
import { foreign } from '@millrace/core/authoring';
import type { StageCase, Value } from './case.js';
import {
  bytesOf,
  GAP_MS,
  isEarly,
  isKept,
  keyed,
  keyOf,
  mapped,
  OUT_OF_ORDER_MS,
  summed,
  tagOf,
  timeOf,
  unfolded,
} from './values.js';
import type { World } from './world.js';

type Step = { readonly name: string; readonly highWaterMark?: number };

/** Pipes a pipeline through a stage of a case. */
export function pipeThrough(pipeline: Pipeline<Value>, made: StageCase, world: World): Pipeline<Value> {
  if (made.kind === 'compose') return composed(pipeline, made.stages, world);
  if (made.kind === 'regroup') return regrouped(pipeline, made);
  if (made.kind === 'busy') return gathered(pipeline, made);
  if (made.kind === 'window') return windowed(pipeline, made, world);
  if (made.kind === 'partitionBy') return parted(pipeline, made, world);
  if (made.kind === 'foreign' && made.isPair) {
    return pipeline.pipeThrough(transform(made, world), { name: made.name ?? '' });
  }
  return pipeline.pipeThrough(stageOf(made, world));
}

/** As one stage, where all of its parts are stages; as they are, where one is a pair of streams. */
function composed(pipeline: Pipeline<Value>, stages: readonly StageCase[], world: World): Pipeline<Value> {
  const made = stages.flatMap((each) => (isOne(each) ? [stageOf(each, world)] : []));
  if (made.length < stages.length) return stages.reduce((all, stage) => pipeThrough(all, stage, world), pipeline);
  const all = compose as (...given: unknown[]) => Stage<Value, Value>;
  return pipeline.pipeThrough(all(...made));
}

function isOne(stage: StageCase): stage is OneStage {
  if (stage.kind === 'compose') return stage.stages.every(isOne);
  return !SEVERAL.has(stage.kind) && !(stage.kind === 'foreign' && stage.isPair);
}

/** Those made of several stages. */
const SEVERAL = new Set<StageCase['kind']>(['regroup', 'busy', 'window', 'partitionBy']);

type OneStage = Exclude<StageCase, { kind: 'regroup' | 'busy' | 'window' | 'partitionBy' }>;

function stageOf(made: OneStage, world: World): Stage<Value, Value> {
  const name = made.name ?? '';
  const step: Step = 'mark' in made && made.mark !== undefined ? { name, highWaterMark: made.mark } : { name };
  const call = <R>(index: number, answer: () => R): R => world.callAt(made as { name: string }, index, answer) as R;
  switch (made.kind) {
    case 'map':
      return map((value: Value, index) => call(index, () => mapped(value)) as never, step) as Stage<Value, Value>;
    case 'tap':
      return tap((_: Value, index) => void call(index, () => {}), step);
    case 'filter':
      return filter((value: Value, index) => call(index, () => kept(value, world)), step);
    case 'filterMap':
      return filterMap(
        (value: Value, index) => call(index, () => (kept(value, world) ? value : undefined)),
        step,
      ) as Stage<Value, Value>;
    case 'scan':
      return scan((sum: number, value: Value, index) => call(index, () => summed(sum, value)), 0, step);
    case 'dedupe':
      return dedupeConsecutive((value: Value, index) => call(index, () => keyOf(value)), step);
    case 'unique':
      return dedupe<Value>({ ...step, key: (value, index) => call(index, () => keyOf(value)) });
    case 'takeWhile':
      return takeWhile((value: Value, index) => call(index, () => isEarly(value)), step);
    case 'dropWhile':
      return dropWhile((value: Value, index) => call(index, () => isEarlyOrGone(value, world)), step);
    case 'totals':
      return statefulMap({
        ...step,
        start: () => ({ sum: 0 }),
        map: (total, value: Value, index) => call(index, () => (total.sum = summed(total.sum, value))),
        flush: ({ sum }) => sum,
      }) as Stage<Value, Value>;
    case 'take':
      return take(made.items, step);
    case 'drop':
      return drop(made.items, step);
    case 'flatMap': {
      let given = 0;
      const count = (): number => given++;
      return flatMap((value: Value, index) => {
        const many = call(index, () => unfolded(value, made.most));
        return made.isIterator ? iterating(many, made, world, count) : many;
      }, step);
    }
    case 'batch':
      return batch<Value>({ maxItems: made.maxItems, ...step }) as unknown as Stage<Value, Value>;
    case 'mapAsync': {
      const { concurrency, ordered, when, fault } = made;
      return mapAsync((value: Value, { index }) => world.callAt({ name, when, fault }, index, () => mapped(value)), {
        ...step,
        concurrency,
        ordered,
      });
    }
    case 'buffer':
      return buffer<Value>(made.items, { name });
    case 'overflow':
      return buffer<Value>(made.items, { name, overflow: made.overflow });
    case 'debounce':
      return debounce({ name, waitMs: made.ms, ...(made.isTrailing ? { maxWaitMs: made.ms * 2 } : {}) });
    case 'throttle':
      return throttle({ name, intervalMs: made.ms, trailing: made.isTrailing });
    case 'sample':
      return sample({ name, intervalMs: made.ms });
    case 'delay':
      return delay({ name, delayMs: made.ms, ...(made.maxItems === undefined ? {} : { maxItems: made.maxItems }) });
    case 'rateLimit':
      return rateLimit<Value>({ limit: 2, intervalMs: made.ms, burst: made.burst }, step);
    case 'compose':
      return compose(...(made.stages.filter(isOne).map((each) => stageOf(each, world)) as [Stage<Value, Value>]));
    case 'foreign':
      return foreign<Value, Value>({ name, open: () => transform(made, world) });
  }
}

function kept(value: Value, world: World): boolean {
  if (isKept(value)) return true;
  world.leave(value);
  return false;
}

/** As `isEarly()`: those that are left out are gone. */
function isEarlyOrGone(value: Value, world: World): boolean {
  if (!isEarly(value)) return false;
  world.leave(value);
  return true;
}

function iterating(
  items: readonly Value[],
  { name = '', inside }: StageCase & { readonly kind: 'flatMap' },
  world: World,
  count: () => number,
): Iterable<Value> {
  return {
    [Symbol.iterator]: () => {
      const life = world.life(name, 'iterator');
      let at = 0;
      return {
        next(): IteratorResult<Value> {
          if (life.isOver || life.closes > 0) life.problem = 'it was asked when it was over';
          if (at >= items.length) {
            life.isOver = true;
            return { done: true, value: undefined };
          }
          if (count() === inside) {
            life.isOver = true;
            world.isDisturbed = true;
            throw world.cause(name);
          }
          return { done: false, value: items[at++] as Value };
        },
        return(): IteratorResult<Value> {
          if (life.isOver) life.problem = 'it was told to return when it had ended';
          life.closes++;
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function regrouped(pipeline: Pipeline<Value>, made: StageCase & { readonly kind: 'regroup' }): Pipeline<Value> {
  const { name = '', maxItems, maxBytes, maxWaitMs, between, mark } = made;
  const limits = {
    ...(maxItems === undefined && maxBytes === undefined && maxWaitMs === undefined ? { maxItems: 3 } : {}),
    ...(maxItems === undefined ? {} : { maxItems }),
    ...(maxBytes === undefined ? {} : { maxBytes, sizeOf: bytesOf }),
    ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
    ...(mark === undefined ? {} : { highWaterMark: mark }),
  };
  const batches = pipeline.pipeThrough(batch<Value>({ ...limits, name }));
  const through =
    between === 'buffer'
      ? batches.pipeThrough(buffer<Value[]>(2, { name: `${name} buffer` }))
      : between === 'mapAsync'
        ? batches.pipeThrough(mapAsync(async (items: Value[]) => items, { name: `${name} mapAsync`, concurrency: 2 }))
        : batches;
  return through.pipeThrough(flatMap((items) => items, { name: `${name} flatMap` }));
}

function gathered(
  pipeline: Pipeline<Value>,
  { name = '', how, maxItems }: StageCase & { readonly kind: 'busy' },
): Pipeline<Value> {
  const stage =
    how === 'batchWhileBusy'
      ? batchWhileBusy<Value>({ name, maxItems })
      : conflate((all: Value[], value: Value) => [...all, value], { name, seed: (value) => [value] });
  return pipeline.pipeThrough(stage).pipeThrough(flatMap((items) => items, { name: `${name} flatMap` }));
}

function windowed(
  pipeline: Pipeline<Value>,
  made: StageCase & { readonly kind: 'window' },
  world: World,
): Pipeline<Value> {
  const { name = '', shape, ms, isLate, isFlat = false } = made;
  const isSession = shape === 'session';
  const spans = isSession
    ? { gapMs: GAP_MS }
    : { sizeMs: ms, ...(shape === 'sliding' ? { slideMs: Math.ceil(ms / 2) } : {}) };
  const timeMs = (_: Value, index: number): number =>
    world.callAt(made as { name: string }, index, () => timeOf(index, isSession, isLate)) as number;
  const times = shape === 'arrival' ? {} : { timeMs, maxOutOfOrderMs: isLate ? OUT_OF_ORDER_MS : 0 };
  const windows = pipeline.pipeThrough(window<Value>({ name, ...spans, ...times }));
  return isFlat
    ? windows.pipeThrough(flatMap(({ items }) => items, { name: `${name} flatMap` }))
    : windows.pipeThrough(map(({ items }) => items as Value[], { name: `${name} map` }));
}

/** Gives each key the stages; behind them what each key made can be told apart by its tag, where nothing changes that. */
function parted(
  pipeline: Pipeline<Value>,
  made: StageCase & { readonly kind: 'partitionBy' },
  world: World,
): Pipeline<Value> {
  const { name = '', keys, maxKeys, mark, stages, isTagged, split } = made;
  const key = (value: Value): number | undefined =>
    world.call(made as { name: string }, () => tagOf(value)) as number | undefined;
  const inside = (branch: Pipeline<Value>): Pipeline<Value> => {
    for (const stage of stages) world.perKey.add(stage.name ?? '');
    const through = (input: Pipeline<Value>): Pipeline<Value> =>
      stages.reduce((all, stage) => pipeThrough(all, stage, world), input);
    if (split === 'none') return through(branch);
    const options = { name: `${name} split` };
    const [some, others] = split === 'broadcast' ? branch.broadcast(2, options) : branch.partition(isKept, options);
    return merge(through(some), others, { name: `${name} join` });
  };
  const all = pipeline
    .pipeThrough(map((value: Value) => keyed(value, keys) as never, { name: `${name} tag` }) as Stage<Value, Value>)
    .pipeThrough(partitionBy(key, { name, maxKeys, highWaterMark: mark }, inside));
  return isTagged ? noted(all, name, world) : all;
}

/** Notes what comes by. */
export function noted(pipeline: Pipeline<Value>, name: string, world: World): Pipeline<Value> {
  const seen: Value[] = [];
  world.joined.set(name, seen);
  return pipeline.pipeThrough(tap((value) => void seen.push(value), { name: `${name} tap` }));
}

function transform(made: StageCase & { readonly kind: 'foreign' }, world: World): TransformStream<Value, Value> {
  return new TransformStream<Value, Value>({
    transform(value, controller) {
      const give = (): void => {
        try {
          controller.enqueue(mapped(value));
        } catch {
          // It was ended meanwhile, as the Streams standard has it: nobody waits for this item.
        }
      };
      return world.call(made, give);
    },
  });
}
