import { argumentError, PipelineError } from '@millrace/core';
import { expect, test } from 'vitest';

test('PipelineError keeps code, message and cause', () => {
  const cause = new Error('socket closed');
  const error = new PipelineError('ERR_SHOP_CLOSED', 'Cannot read orders: the shop is closed', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: 'ERR_SHOP_CLOSED', name: 'PipelineError', cause });
  expect(String(error)).toBe('PipelineError: Cannot read orders: the shop is closed');
});

test('PipelineError has no cause unless one is given', () => {
  expect(Object.hasOwn(new PipelineError('ERR_SHOP_CLOSED', 'Cannot read orders'), 'cause')).toBe(false);
});

test('argumentError() makes an error of the class it is given', () => {
  expect(argumentError(TypeError, 'Cannot map: f is "3" (it must be a function)')).toBeInstanceOf(TypeError);
  expect(argumentError(RangeError, 'Cannot buffer')).toMatchObject({ name: 'RangeError', code: 'ERR_CORE_ARGUMENT' });
});
