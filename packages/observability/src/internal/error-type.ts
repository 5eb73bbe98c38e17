const LONGEST = 64;

/** What an error is called in figures and logs: its `code`, or else its class; never its message. */
export function errorTypeOf(cause: unknown): string {
  try {
    if (typeof cause !== 'object' || cause === null) return typeof cause;
    const { code, name } = cause as { code?: unknown; name?: unknown };
    const type = typeof code === 'string' && code !== '' ? code : name;
    return typeof type === 'string' && type !== '' ? type.slice(0, LONGEST) : 'object';
  } catch {
    // What the user threw may have getters that throw; it still counts as an error.
    return 'object';
  }
}
