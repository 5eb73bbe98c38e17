import type { Sink } from '@millrace/core';
import { checkFunction, checkOptions, isThenable, wrongType } from '@millrace/core/authoring';
import type { Span } from '@opentelemetry/api';
import { errorTypeOf } from './internal/error-type.js';

// Waited for here so that no call comes before it is known whether there is an API; that is why this has an entry of its own.
const api: typeof import('@opentelemetry/api') | undefined = await import('@opentelemetry/api').catch(
  // The peer is optional: without it there are no spans, and everything else is the same.
  () => undefined,
);

/** `SpanStatusCode.ERROR`. */
const ERROR = 2;

/** What a span says beside its name and its times. */
export interface SpanOptions {
  /** How many items the work is on: `pipeline.batch.size`. */
  readonly items?: number;
  /** More attributes; few, and of few values. Default: none. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Calls a function inside an OpenTelemetry span, which ends when the function, or the promise it returns, is done.
 *
 * What the function returns or throws is passed on as it is; an exception is noted on the span, with `error.type`. Spans that
 * the function's own code begins are children where the application has registered a context manager. Without
 * `@opentelemetry/api` the function is just called; without an SDK that costs about 0.1 µs.
 *
 * @typeParam R - What the function returns.
 * @param name - Of the span: few different ones, so no ids.
 * @param fn - Is called once, at once.
 * @param options - `items`, `attributes`.
 * @returns What `fn` returned.
 * @see https://opentelemetry.io/docs/specs/semconv/general/recording-errors/
 *
 * @example A span around each batch
 * ```ts
 * import { batch, from } from '@millrace/core';
 * import { inSpan } from '@millrace/observability/tracing';
 * const rows: number[] = [];
 * await from([1, 2, 3])
 *   .pipeThrough(batch({ maxItems: 2 }))
 *   .forEach((numbers) => inSpan('insert', async () => void rows.push(...numbers), { items: numbers.length }));
 * assert.deepEqual(rows, [1, 2, 3]);
 * ```
 */
export function inSpan<R>(name: string, fn: () => R, options?: SpanOptions): R {
  if (api === undefined) return fn();
  // Asked for anew, since a tracer that is kept stays with the first SDK that was registered.
  const span = api.trace.getTracer('@millrace/observability').startSpan(name);
  // PERF: without an SDK nothing of what follows can be seen by anyone.
  if (!api.isSpanContextValid(span.spanContext())) return fn();
  if (span.isRecording()) describe(span, options);
  let result: R;
  try {
    result = api.context.with(api.trace.setSpan(api.context.active(), span), fn);
  } catch (error) {
    endWithError(span, error);
    throw error;
  }
  if (isThenable(result)) {
    result.then(
      () => span.end(),
      (error: unknown) => endWithError(span, error),
    );
  } else span.end();
  return result;
}

/**
 * Makes a function each call of which is a span: for `mapAsync`, `forEach` and functions as sinks.
 *
 * The span has the size of the first argument where that is an array: a batch.
 *
 * @typeParam A - The arguments.
 * @typeParam R - What the function returns.
 * @param name - Of the spans.
 * @param fn - Is called with the same arguments.
 * @param options - `attributes`.
 * @returns The function.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `fn` is not a function or an option is unknown.
 *
 * @example A span for each lookup
 * ```ts
 * import { from, mapAsync } from '@millrace/core';
 * import { spanned } from '@millrace/observability/tracing';
 * const lookUp = spanned('look up', async (code: string) => code.toUpperCase());
 * assert.deepEqual(await from(['jfk']).pipeThrough(mapAsync((code) => lookUp(code))).toArray(), ['JFK']);
 * ```
 */
export function spanned<A extends readonly unknown[], R>(
  name: string,
  fn: (...args: A) => R,
  options: Pick<SpanOptions, 'attributes'> = {},
): (...args: A) => R {
  checkFunction('spanned()', 'fn', fn);
  checkOptions('spanned()', options, ['attributes']);
  return (...args) => inSpan(name, () => fn(...args), { ...options, ...sizeOf(args[0]) });
}

/**
 * Makes a sink each burst of which is a span, with the number of items in it.
 *
 * @typeParam T - The items.
 * @param sink - The sink.
 * @param options - `attributes`.
 * @returns A sink that does the same.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `sink` is not a sink or an option is unknown.
 * @remarks Elsewhere: RxJS –; Rust `Instrument`; Akka –; Node –.
 *
 * @example A span for each burst that is written
 * ```ts
 * import { from, type Sink } from '@millrace/core';
 * import { spannedSink } from '@millrace/observability/tracing';
 * const lines: string[] = [];
 * const memory: Sink<string> = { name: 'memory', open: () => ({ write: (items) => void lines.push(...items) }) };
 * await from(['a', 'b']).run(spannedSink(memory)).finished;
 * assert.deepEqual(lines, ['a', 'b']);
 * ```
 */
export function spannedSink<T>(sink: Sink<T>, options: Pick<SpanOptions, 'attributes'> = {}): Sink<T> {
  if (typeof sink?.open !== 'function') throw wrongType('spannedSink()', 'sink', sink, 'a Sink');
  checkOptions('spannedSink()', options, ['attributes']);
  const { name = 'sink', highWaterMark, maxBurst } = sink;
  return {
    name,
    ...(highWaterMark !== undefined && { highWaterMark }),
    ...(maxBurst !== undefined && { maxBurst }),
    open(context) {
      const writer = sink.open(context);
      return {
        write: (items) => inSpan(`${name} write`, () => writer.write(items), { ...options, items: items.length }),
        close: () => writer.close?.(),
        abort: (reason) => writer.abort?.(reason),
      };
    },
  };
}

function describe(span: Span, options: SpanOptions | undefined): void {
  if (options?.attributes !== undefined) span.setAttributes(options.attributes);
  if (options?.items !== undefined) span.setAttribute('pipeline.batch.size', options.items);
}

function endWithError(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorTypeOf(error));
  span.recordException(error instanceof Error ? error : { message: messageOf(error) });
  span.setStatus({ code: ERROR });
  span.end();
}

function messageOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    // What can't be shown is still an error, and must reach the caller as it is.
    return 'a value that cannot be shown';
  }
}

function sizeOf(value: unknown): { items?: number } {
  return Array.isArray(value) ? { items: value.length } : {};
}
