import { argumentError, PipelineError } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

test('PipelineError infers its code as a literal', () => {
  expectTypeOf(new PipelineError('ERR_SHOP_CLOSED', 'Cannot read orders').code).toEqualTypeOf<'ERR_SHOP_CLOSED'>();
});

test('argumentError() returns the class it is given, with the code', () => {
  const error = argumentError(RangeError, 'Cannot buffer');
  expectTypeOf(error).toExtend<RangeError>();
  expectTypeOf(error.code).toEqualTypeOf<'ERR_CORE_ARGUMENT'>();
});
