/** What was thrown, in a form that survives structured cloning, which loses classes and own properties. */
export type PackedError =
  | { readonly isError: false; readonly value: unknown }
  | {
      readonly isError: true;
      /** The name of its class, and of the built-in class that one extends. */
      readonly className: string;
      readonly baseName: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** Own properties that can be cloned: `name`, `code` and whatever else it carries. */
      readonly properties: ReadonlyArray<readonly [key: string, value: unknown, isEnumerable: boolean]>;
      readonly cause: PackedError | undefined;
      readonly errors: readonly PackedError[] | undefined;
    };

type ErrorClass = new (message: string) => Error;

const BASES: Readonly<Record<string, ErrorClass>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
const DEEPEST = 8;
const OWN_PLACE: readonly string[] = ['message', 'stack', 'cause', 'errors'];

/** Packs what was thrown. */
export function packError(thrown: unknown, depth: number = 0): PackedError {
  if (!(thrown instanceof Error)) return { isError: false, value: clonable(thrown) ? thrown : textOf(thrown) };
  const isDeep = depth >= DEEPEST;
  const { cause, errors } = thrown as { cause?: unknown; errors?: unknown };
  return {
    isError: true,
    className: classOf(thrown),
    baseName: baseOf(thrown),
    message: String(thrown.message),
    stack: typeof thrown.stack === 'string' ? thrown.stack : undefined,
    properties: propertiesOf(thrown),
    cause: isDeep || !Object.hasOwn(thrown, 'cause') ? undefined : packError(cause, depth + 1),
    errors: isDeep || !Array.isArray(errors) ? undefined : errors.map((each) => packError(each, depth + 1)),
  };
}

/** Makes an error again: `instanceof` its built-in class, with a constructor of the name it had. */
export function unpackError(packed: PackedError): unknown {
  if (!packed.isError) return packed.value;
  const error = emptyError(packed.className, packed.baseName, packed.message);
  if (packed.stack !== undefined) define(error, 'stack', packed.stack, false);
  for (const [key, value, isEnumerable] of packed.properties) define(error, key, value, isEnumerable);
  if (packed.cause !== undefined) define(error, 'cause', unpackError(packed.cause), false);
  if (packed.errors !== undefined) define(error, 'errors', packed.errors.map(unpackError), false);
  return error;
}

/** Whether a value can be sent to another thread without transferring anything. */
export function clonable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    // That it throws is the answer.
    return false;
  }
}

function emptyError(className: string, baseName: string, message: string): Error {
  if (baseName === 'DOMException') return new DOMException(message, className) as Error;
  const Base = BASES[baseName] ?? Error;
  if (className === baseName) return new Base(message);
  const named = { [className]: class extends Base {} }[className] as ErrorClass;
  return new named(message);
}

function classOf(error: Error): string {
  if (isDomException(error)) return error.name;
  const made: unknown = error.constructor;
  return typeof made === 'function' && made.name !== '' ? made.name : 'Error';
}

function baseOf(error: Error): string {
  if (isDomException(error)) return 'DOMException';
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const name = at.constructor?.name;
    if (typeof name === 'string' && BASES[name] !== undefined) return name;
  }
  return 'Error';
}

function isDomException(error: Error): boolean {
  return typeof DOMException === 'function' && error instanceof DOMException;
}

function propertiesOf(error: Error): Array<readonly [string, unknown, boolean]> {
  const found: Array<readonly [string, unknown, boolean]> = [];
  for (const [key, { value, enumerable = false }] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (!OWN_PLACE.includes(key) && value !== undefined && clonable(value)) found.push([key, value, enumerable]);
  }
  // A name that a class defines on its prototype, as Node's own errors do.
  if (!Object.hasOwn(error, 'name') && !isDomException(error) && error.name !== baseOf(error)) {
    found.push(['name', String(error.name), false]);
  }
  return found;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    // A thrown object without a working toString still deserves a report.
    return 'a value that cannot be shown';
  }
}
