import { batch, from, mapAsync, type Sink } from '@millrace/core';
import { inSpan, spanned, spannedSink } from '@millrace/observability/tracing';
import { type Context, type ContextManager, context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import sdk from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const exporter = new sdk.InMemorySpanExporter();

/** Keeps the active context for synchronous code: enough to see who is whose child. */
class StackContextManager implements ContextManager {
  #active: Context = ROOT_CONTEXT;
  active(): Context {
    return this.#active;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const before = this.#active;
    this.#active = active;
    try {
      return fn.call(thisArg as never, ...args);
    } finally {
      this.#active = before;
    }
  }
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

function register(sampler = new sdk.AlwaysOnSampler() as sdk.Sampler): void {
  const provider = new sdk.BasicTracerProvider({ sampler, spanProcessors: [new sdk.SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new StackContextManager());
}

const names = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);

beforeEach(() => {
  exporter.reset();
});

afterEach(() => {
  trace.disable();
  context.disable();
});

describe('inSpan()', () => {
  test('inSpan() makes one span for each batch, with its size', async () => {
    register();
    await from([1, 2, 3, 4, 5])
      .pipeThrough(batch({ maxItems: 2 }))
      .run((numbers) => inSpan('insert', async () => {}, { items: numbers.length, attributes: { table: 'n' } }))
      .finished;
    expect(exporter.getFinishedSpans().map(({ name, attributes }) => ({ name, ...attributes }))).toEqual([
      { name: 'insert', 'pipeline.batch.size': 2, table: 'n' },
      { name: 'insert', 'pipeline.batch.size': 2, table: 'n' },
      { name: 'insert', 'pipeline.batch.size': 1, table: 'n' },
    ]);
  });

  test('inSpan() gives what the function returned, and ends the span when its promise is done', async () => {
    register();
    let open = (): void => {};
    const promise = new Promise<number>((resolve) => {
      open = () => resolve(7);
    });
    const result = inSpan('wait', () => promise);
    expect(result).toBe(promise);
    expect(names()).toEqual([]);
    open();
    expect(await result).toBe(7);
    await Promise.resolve();
    expect(names()).toEqual(['wait']);
    expect(inSpan('sum', () => 1 + 1)).toBe(2);
    expect(names()).toEqual(['wait', 'sum']);
  });

  test.each([
    [
      'throws',
      () =>
        inSpan('work', (): Promise<void> => {
          throw failure;
        }),
    ],
    ['rejects', () => inSpan('work', () => Promise.reject(failure))],
  ])('inSpan() notes what the function %s, and passes it on', async (_how, work) => {
    register();
    const caught = await (async () => work())().catch((error) => error);
    expect(caught).toBe(failure);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
    expect(span?.attributes).toEqual({ 'error.type': 'ECONNRESET' });
    expect(span?.events[0]?.attributes?.['exception.message']).toBe('gone');
  });

  test('inSpan() passes on a thrown value that cannot be shown', () => {
    register();
    const thrown = Object.create(null);
    let caught: unknown;
    try {
      inSpan('work', () => {
        throw thrown;
      });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
    expect(names()).toEqual(['work']);
  });

  test('inSpan() is the parent of spans that begin inside', () => {
    register();
    inSpan('outer', () => inSpan('inner', () => {}));
    const [inner, outer] = exporter.getFinishedSpans();
    expect([inner?.name, outer?.name]).toEqual(['inner', 'outer']);
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(outer?.parentSpanContext).toBeUndefined();
  });

  test('inSpan() keeps a trace that was not sampled together', () => {
    register(new sdk.AlwaysOffSampler());
    const ids = inSpan('outer', () => {
      const outer = trace.getActiveSpan()?.spanContext().traceId;
      return [outer, inSpan('inner', () => trace.getActiveSpan()?.spanContext().traceId)];
    });
    expect(ids[0]).toBeDefined();
    expect(ids[1]).toBe(ids[0]);
    expect(names()).toEqual([]);
  });

  test('inSpan() just calls the function where there is no SDK', () => {
    expect(inSpan('work', () => trace.getActiveSpan())).toBeUndefined();
    expect(() =>
      inSpan('work', () => {
        throw failure;
      }),
    ).toThrow(failure);
    expect(names()).toEqual([]);
  });
});

describe('spanned()', () => {
  test('spanned() makes each call a span, with the size of a batch', async () => {
    register();
    const store = spanned('store', async (numbers: readonly number[], _more?: unknown) => numbers.length, {
      attributes: { table: 'n' },
    });
    const sizes = await from([1, 2, 3])
      .pipeThrough(batch({ maxItems: 2 }))
      .pipeThrough(mapAsync(store))
      .toArray();
    expect(sizes).toEqual([2, 1]);
    const attributes = exporter.getFinishedSpans().map((span) => span.attributes);
    expect(attributes).toEqual([
      { table: 'n', 'pipeline.batch.size': 2 },
      { table: 'n', 'pipeline.batch.size': 1 },
    ]);
  });

  test('spanned() refuses what is not a function', () => {
    expect(() => spanned('x', 1 as never)).toThrow('fn is 1 (must be a function)');
  });
});

describe('spannedSink()', () => {
  test('spannedSink() makes each burst a span, and closes the sink', async () => {
    register();
    const calls: unknown[] = [];
    const sink: Sink<number> = {
      name: 'store',
      maxBurst: 2,
      highWaterMark: 4,
      open: () => ({ write: async (items) => void calls.push(items.length), close: () => void calls.push('close') }),
    };
    const run = from([1, 2, 3]).run(spannedSink(sink));
    expect(run.explain().rooms).toEqual(from([1]).run(sink).explain().rooms);
    await run.finished;
    expect(calls.filter((call) => call === 'close').length).toBeGreaterThan(0);
    expect(names().every((name) => name === 'store write')).toBe(true);
    const sizes = exporter.getFinishedSpans().map(({ attributes }) => attributes['pipeline.batch.size'] as number);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3);
  });

  test('spannedSink() aborts the sink with the same reason', async () => {
    const reasons: unknown[] = [];
    const sink: Sink<number> = {
      open: () => ({ write: () => new Promise(() => {}), abort: (reason) => void reasons.push(reason) }),
    };
    const run = from([1]).run(spannedSink(sink));
    run.abort('enough');
    await run.finished.catch(() => {});
    expect(reasons.every((reason) => reason === 'enough')).toBe(true);
    expect(() => spannedSink({} as never)).toThrow('must be a Sink');
  });
});

const failure = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
