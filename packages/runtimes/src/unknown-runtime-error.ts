/** What is thrown for a name that no runtime has, or a runtime that there is no package of for this platform. */
export class UnknownRuntimeError extends Error {
  override readonly name = 'UnknownRuntimeError';
}
