import { expect, test } from 'vitest';
import { packError, unpackError } from './packed-error.js';

const sent = (thrown: unknown) => unpackError(structuredClone(packError(thrown)));

test('packError() keeps the class name, the built-in class, message, stack, own properties and cause', () => {
  class DeepError extends RangeError {
    override readonly name = 'Deep';
  }
  const error = Object.assign(new DeepError('too deep', { cause: new Error('below') }), { code: 'E', list: [1] });
  const copy = sent(error) as DeepError & { code: string; list: number[] };
  expect(copy).toBeInstanceOf(RangeError);
  expect(copy.constructor.name).toBe('DeepError');
  expect([copy.name, copy.message, copy.stack, copy.code]).toEqual(['Deep', 'too deep', error.stack, 'E']);
  expect(copy.list).toEqual([1]);
  expect((copy.cause as Error).message).toBe('below');
  expect(Object.keys(copy).sort()).toEqual(Object.keys(error).sort());
});

test('packError() keeps a name that the class defines on its prototype', () => {
  class NodeLike extends Error {}
  Object.defineProperty(NodeLike.prototype, 'name', { value: 'NodeLikeName' });
  expect((sent(new NodeLike('x')) as Error).name).toBe('NodeLikeName');
});

test('packError() keeps a DOMException and an AggregateError with its errors', () => {
  const exception = sent(new DOMException('gone', 'AbortError')) as DOMException;
  expect(exception).toBeInstanceOf(DOMException);
  expect([exception.name, exception.message]).toEqual(['AbortError', 'gone']);
  const aggregate = sent(new AggregateError([new TypeError('a'), 'b'], 'both')) as AggregateError;
  expect(aggregate.errors[0]).toBeInstanceOf(TypeError);
  expect(aggregate.errors[1]).toBe('b');
});

test('packError() leaves out what cannot be cloned, and stops where causes go in circles', () => {
  const error = Object.assign(new Error('circle'), { call: () => 1 });
  error.cause = error;
  let depth = 0;
  for (let at = sent(error) as Error | undefined; at !== undefined; at = at.cause as Error | undefined) depth++;
  expect(depth).toBeLessThan(20);
  expect(sent(error)).not.toHaveProperty('call');
});

test('packError() keeps other values, or their text where they cannot be cloned', () => {
  expect(sent({ reason: 1 })).toEqual({ reason: 1 });
  expect(sent(undefined)).toBeUndefined();
  expect(sent(Symbol('s'))).toBe('Symbol(s)');
  expect(sent(Object.assign(Object.create(null), { call: () => 1 }))).toBe('a value that cannot be shown');
});
