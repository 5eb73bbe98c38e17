/** What is about to happen when a fault is asked. */
export interface FaultCall {
  /** What is called: a source's read, a sink's write, a function; or the end of a source or sink. */
  readonly what: 'read' | 'write' | 'call' | 'close' | 'abort';
  /** How many items came before: the first is 0. */
  readonly index: number;
}

/**
 * Something that can go wrong, or take its time: is called before each read, write or call, and that waits for it.
 *
 * What it throws, or rejects with, is what the source, sink or function fails with. Several are asked one after the other.
 *
 * @example One of your own: every third item is lost
 * ```ts
 * const flaky: Fault = ({ what, index }) => {
 *   if (what === 'write' && index % 3 === 2) throw new Error('lost');
 * };
 * const error = await faultySource([1, 2, 3]).run(faultySink(() => {}, flaky)).finished.catch((reason) => reason);
 * assert.equal(error.index, 2);
 * ```
 */
export type Fault = (call: FaultCall) => void | PromiseLike<unknown>;

/** Where a fault begins. */
export interface FaultOptions {
  /** The index of the item it happens at. Default: 0, the first. */
  readonly at?: number;
}
