import { wrongType } from '@millrace/core/authoring';
import { CodecError } from './codec-error.js';

/**
 * What a schema of any library offers by the Standard Schema interface: Zod, Valibot, ArkType and others do; an object by
 * hand does as well.
 *
 * @typeParam T - What the schema makes of a value.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<T = unknown> {
  /** Version 1 of the interface. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** Gives the value, as the schema has it, or the issues with it. A decoder needs the answer at once. */
    readonly validate: (value: unknown) => StandardSchemaResult<T> | Promise<StandardSchemaResult<T>>;
    /** For the compiler only. */
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** What a schema makes of a value: it is right where there are no `issues`. */
export type StandardSchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** Refuses what cannot be the option `schema`. */
export function checkSchema(where: string, value: unknown): void {
  if (value === undefined) return;
  const standard = (value as Partial<StandardSchema> | null)?.['~standard'];
  if (typeof standard?.validate !== 'function') throw wrongType(where, 'schema', value, 'a Standard Schema');
}

/**
 * Has a schema look at a record.
 *
 * @returns What the schema makes of it, or its issues.
 * @throws What the schema throws, and `CodecError` where it answers with a promise.
 */
export function checkRecord(schema: StandardSchema, record: unknown): StandardSchemaResult<unknown> {
  const result = schema['~standard'].validate(record);
  if (!(result instanceof Promise)) return result;
  // Nobody looks at the promise.
  result.catch(() => {});
  const what = 'the schema answers with a promise (it must be synchronous)';
  throw new CodecError('ERR_CODECS_SCHEMA', `Cannot check a record: ${what}`);
}

/** What is wrong with a record that its schema refuses; it names no data. */
export const SCHEMA_FAULT = 'the schema refuses it (must be what the schema says; the cause are its issues)';
