/** A value that flows: a number, or a batch of values. */
export type Value = number | readonly Value[];

/** When a function answers: at once, by a promise that has resolved, or some time, when the schedule picks it. */
export type When = 'now' | 'micro' | 'some';

/** What goes wrong at the call, or item, number `at`. */
export interface Fault {
  readonly at: number;
  readonly how: 'throws' | 'rejects' | 'hangs';
}

/** What all stages of a case have. Names are given by `named()`, so that a plan, an error and the model say the same. */
interface Named {
  readonly name?: string;
}

/** One stage of a case. */
export type StageCase = Named &
  (
    | {
        readonly kind:
          | 'map'
          | 'tap'
          | 'filter'
          | 'filterMap'
          | 'scan'
          | 'dedupe'
          | 'unique'
          | 'takeWhile'
          | 'dropWhile'
          | 'totals';
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
      }
    | { readonly kind: 'take' | 'drop'; readonly items: number; readonly mark?: number | undefined }
    | {
        readonly kind: 'flatMap';
        readonly most: number;
        readonly isIterator: boolean;
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
        /** Fails in the iterator, at the item that is the so-manieth of all it gives. */
        readonly inside?: number | undefined;
      }
    | { readonly kind: 'batch'; readonly maxItems: number; readonly mark?: number | undefined }
    | {
        /** A batch whose limits do not make the same batches each time, taken apart again. */
        readonly kind: 'regroup';
        readonly maxItems?: number | undefined;
        readonly maxBytes?: number | undefined;
        readonly maxWaitMs?: number | undefined;
        readonly between: 'nothing' | 'buffer' | 'mapAsync';
        readonly mark?: number | undefined;
      }
    | {
        readonly kind: 'mapAsync';
        readonly concurrency: number;
        readonly ordered: boolean;
        readonly when: When;
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
      }
    | { readonly kind: 'buffer'; readonly items: number }
    | { readonly kind: 'foreign'; readonly isPair: boolean; readonly when: When; readonly fault?: Fault | undefined }
    | { readonly kind: 'compose'; readonly stages: readonly StageCase[] }
    | {
        /** Drops, or fails, where its buffer is full. */
        readonly kind: 'overflow';
        readonly items: number;
        readonly overflow: 'drop-oldest' | 'drop-newest' | 'fail';
      }
    | {
        /** Drops what comes too soon. */
        readonly kind: 'debounce' | 'throttle' | 'sample';
        readonly ms: number;
        readonly isTrailing: boolean;
      }
    | { readonly kind: 'delay'; readonly ms: number; readonly maxItems?: number | undefined }
    | { readonly kind: 'rateLimit'; readonly ms: number; readonly burst: number; readonly mark?: number | undefined }
    | {
        /** Gathers while the consumer is busy; taken apart again. */
        readonly kind: 'busy';
        readonly how: 'conflate' | 'batchWhileBusy';
        readonly maxItems: number;
      }
    | {
        readonly kind: 'window';
        /** Which windows: of late items in order, by the time of items; or by arrival. */
        readonly shape: 'tumbling' | 'sliding' | 'session' | 'arrival';
        readonly ms: number;
        /** Whether some items are out of order, and some of those late. */
        readonly isLate: boolean;
        /** Whether windows are taken apart again, where it is a matter of chance which items are in one. */
        readonly isFlat?: boolean;
        readonly fault?: Fault | undefined;
      }
    | {
        readonly kind: 'partitionBy';
        readonly keys: number;
        readonly maxKeys: number;
        readonly mark: number;
        readonly stages: readonly StageCase[];
        /** How the items of a key are parted: some of them, or copies, by the stages, and others beside them. */
        readonly split: 'none' | 'broadcast' | 'partition';
        /** Whether items tell their key behind it. */
        readonly isTagged: boolean;
        readonly fault?: Fault | undefined;
      }
  );

/** How pipelines come together. */
export type JoinBy = 'merge' | 'concat' | 'zip' | 'interleave' | 'mergeSorted';

/** Which branches get an item: all, or one. */
export type SplitBy = 'broadcast' | 'partition' | 'route' | 'balance';

/** Where the items of a case come from. */
export type SourceCase = Named &
  (
    | {
        readonly kind: 'array' | 'range' | 'iterator' | 'reader' | 'async' | 'stream';
        readonly items: number;
        readonly when: When;
        readonly fault?: Fault | undefined;
      }
    | {
        readonly kind: 'merge';
        readonly by: JoinBy;
        readonly inputs: readonly PipeCase[];
        readonly mark: number;
        /** Whether the items of each input are marked, so that their order can be told behind the merge. */
        readonly isTagged: boolean;
        /** Whether tuples are taken apart again, where it is a matter of chance what is in them. */
        readonly isFlat?: boolean;
      }
    | {
        readonly kind: 'diamond';
        readonly by: JoinBy;
        readonly isFlat?: boolean;
        readonly split: SplitBy;
        /** Whether items that suit no route are dropped; else they fail the run. */
        readonly drops: boolean;
        /** Of the function that chooses a branch. */
        readonly fault?: Fault | undefined;
        readonly before: PipeCase;
        readonly branches: ReadonlyArray<readonly StageCase[]>;
        readonly branchMark: number;
        readonly mark: number;
        readonly isTagged: boolean;
      }
  );

/** A source and the stages behind it. */
export interface PipeCase {
  readonly source: SourceCase;
  readonly stages: readonly StageCase[];
}

/** Where the items of a case go to. */
export interface SinkCase extends Named {
  readonly kind: 'function' | 'sink' | 'writable' | 'values' | 'readable';
  readonly when: When;
  readonly mark: number | undefined;
  readonly burst: number;
  readonly fault?: Fault | undefined;
}

/** How a run ends before its items do. */
export interface Ending {
  readonly kind: 'well' | 'abort' | 'signal' | 'drain' | 'cancel';
  /** At which call of a user's function, all counted; `undefined`: some time. */
  readonly at: number | undefined;
}

/** A topology and what happens to it: all that a run of the laws needs, as plain data. */
export interface Case {
  readonly pipe: PipeCase;
  /** How the items come to several sinks; those of a broadcast get all. */
  readonly split: SplitBy;
  /** The sinks; several are branches, each with stages of its own. */
  readonly sinks: ReadonlyArray<{ readonly stages: readonly StageCase[]; readonly sink: SinkCase }>;
  readonly branchMark: number;
  readonly ending: Ending;
  readonly fuse: boolean;
  readonly generate: boolean;
  /** Whether items carry their origins. */
  readonly context: boolean;
  readonly isObserved: boolean;
  /** Decides what happens next, where several things are under way. */
  readonly order: number;
}
