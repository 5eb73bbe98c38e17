import { fallback, from, type Pipeline } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import type { transferred, WorkerContext } from '@millrace/parallel/worker';
import { expectTypeOf, test } from 'vitest';

interface Functions {
  plain(n: number): string;
  later(text: string, context: WorkerContext): Promise<{ length: number }>;
  moved(column: Float64Array): ReturnType<typeof transferred<Float64Array>>;
  two(a: number, b: number): number;
  limit: number;
}
const module = workerModule<Functions>(new URL('file:///functions.js'));

test('parallel() takes its item and result from the function', () => {
  expectTypeOf(from([1]).pipeThrough(parallel(module, 'plain'))).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(from(['']).pipeThrough(parallel(module, 'later'))).toEqualTypeOf<Pipeline<{ length: number }>>();
});

test('parallel() gives what transferred() wraps', () => {
  expectTypeOf(parallel(module, 'moved').readable).toEqualTypeOf<ReadableStream<Float64Array>>();
});

test('parallel() refuses names of what is not a function of an item, and items of another type', () => {
  // @ts-expect-error a constant is not a function
  parallel(module, 'limit');
  // @ts-expect-error the second argument is the context
  parallel(module, 'two');
  // @ts-expect-error there is no such export
  parallel(module, 'absent');
  // @ts-expect-error the function takes numbers
  from(['']).pipeThrough(parallel(module, 'plain'));
});

test('parallel() gives what its function makes or what fallback() gives, awaited', () => {
  const retry = { attempts: 3 };
  const zero = parallel(module, 'plain', { retry, onError: fallback(() => 0) });
  expectTypeOf(from([1]).pipeThrough(zero)).toEqualTypeOf<Pipeline<string | number>>();
  const later = parallel(module, 'plain', { onError: fallback((_error, n: number) => Promise.resolve(n > 0)) });
  expectTypeOf(from([1]).pipeThrough(later)).toEqualTypeOf<Pipeline<string | boolean>>();
  // @ts-expect-error the items are numbers
  parallel(module, 'plain', { onError: fallback((_error, text: string) => text) });
});
