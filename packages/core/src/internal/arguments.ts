type Failure = TypeError | RangeError;

function argumentError<E extends Failure>(error: E): E {
  return Object.assign(error, { code: 'ERR_CORE_ARGUMENT' as const });
}

/** Shows a wrong value in a message: primitives as they are, others by their kind. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  // Bundlers put a `_` before the name of a class that names itself.
  if (typeof value === 'object' && value !== null)
    return `an object (${value.constructor?.name.replace(/^_/, '') ?? 'no prototype'})`;
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

/** Says of what kind a value is, for messages that must not show what a user's item holds. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const type = typeof value;
  return type === 'object' ? 'an object' : `a ${type}`;
}

/** Makes the error for an argument of a wrong type. */
export function wrongType(where: string, what: string, value: unknown, mustBe: string): TypeError {
  return argumentError(new TypeError(`Cannot build ${where}: ${what} is ${show(value)} (must be ${mustBe})`));
}

/** Makes the error for an argument of the right type and a wrong value. */
export function outOfRange(where: string, what: string, value: unknown, mustBe: string): RangeError {
  return argumentError(new RangeError(`Cannot build ${where}: ${what} is ${show(value)} (must be ${mustBe})`));
}

/** Refuses what is not a function. */
export function checkFunction(where: string, what: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongType(where, what, value, 'a function');
}

/** Refuses what is not a whole number of `least` or more; `Infinity` passes where `orInfinity`. */
export function checkCount(where: string, what: string, value: unknown, least: number, orInfinity = false): void {
  const mustBe = `a whole number of ${least} or more${orInfinity ? ', or Infinity' : ''}`;
  if (typeof value !== 'number') throw wrongType(where, what, value, mustBe);
  if (orInfinity && value === Number.POSITIVE_INFINITY) return;
  if (!Number.isSafeInteger(value) || value < least) throw outOfRange(where, what, value, mustBe);
}

/** Refuses what is not a finite number of milliseconds, `least` or more. */
export function checkMs(where: string, what: string, value: unknown, least: number): void {
  const mustBe = `a number of milliseconds, ${least} or more`;
  if (typeof value !== 'number') throw wrongType(where, what, value, mustBe);
  if (!Number.isFinite(value) || value < least) throw outOfRange(where, what, value, mustBe);
}

/** Refuses what is not a finite number of milliseconds above 0. */
export function checkPeriodMs(where: string, what: string, value: unknown): void {
  const mustBe = 'a finite number of milliseconds above 0';
  if (typeof value !== 'number') throw wrongType(where, what, value, mustBe);
  if (!Number.isFinite(value) || value <= 0) throw outOfRange(where, what, value, mustBe);
}

/** Refuses what is not an object of options, and every option that is not in `known`; `what` is such an object called. */
export function checkOptions(where: string, options: unknown, known: readonly string[], what = 'options'): void {
  if (typeof options !== 'object' || options === null) throw wrongType(where, what, options, 'an object');
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const list = known.map((each) => `"${each}"`).join(', ');
      throw argumentError(new TypeError(`Cannot build ${where}: option "${name}" is unknown (must be one of ${list})`));
    }
  }
  const { name, highWaterMark } = options as { name?: unknown; highWaterMark?: unknown };
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw wrongType(where, 'name', name, 'a string of one character or more');
  }
  // Where items can be weighed, a queuing strategy may stand in its place.
  if (typeof highWaterMark === 'object' && highWaterMark !== null && known.includes('size')) return;
  if (highWaterMark !== undefined) checkCount(where, 'highWaterMark', highWaterMark, 0);
}

/** Refuses any option, where `whom` takes none in this place and would leave it without effect. */
export function refuseOptions(where: string, options: unknown, whom: string, mustBe: string): void {
  if (typeof options !== 'object' || options === null) throw wrongType(where, 'options', options, 'an object');
  const [name] = Object.keys(options);
  if (name === undefined) return;
  throw argumentError(new TypeError(`Cannot build ${where}: option "${name}" is not for ${whom} (must be ${mustBe})`));
}

/** Refuses what is neither `true` nor `false`. */
export function checkBoolean(where: string, what: string, value: unknown): void {
  if (typeof value !== 'boolean') throw wrongType(where, what, value, 'true or false');
}
