import { driveGroup, driveSink, driveWriter } from '../engine/drive.js';
import type { Outlet } from '../engine/outlet.js';
import type { BurstSink, SinkSpec } from '../engine/plan.js';
import { SINKS } from '../engine/sink-kinds.js';
import { checkBoolean, checkCount, checkOptions, refuseOptions, wrongType } from '../internal/arguments.js';
import { edgeMark } from '../stages/edge-options.js';
import type { Sink } from './sink.js';
import { type WritableOptions, writableWriter } from './writable.js';

/** Where items can go to. */
export type Sinkable<T> = ((item: T, index: number) => unknown) | WritableStream<T> | Sink<T>;

/** A sink as the plan has it, and how it begins to take items. */
export interface Attachment {
  readonly spec: SinkSpec;
  /** Refuses what cannot be written to now. */
  check(where: string): void;
  /** Connects it to its end of a run, which starts soon. */
  begin(outlet: Outlet): void;
}

/** Makes what a run needs to know of any kind of sink. */
export function attach(where: string, sink: unknown, options: WritableOptions = {}): Attachment {
  checkOptions(where, options, ['name', 'preventClose', 'preventAbort', 'highWaterMark', 'size']);
  if (sink instanceof WritableStream) return attachWritable(where, sink, options);
  const { name: given, ...others } = options;
  refuseOptions(where, others, 'such a sink', 'those of a WritableStream');
  if (typeof sink === 'function') {
    const spec = { type: 'fused', name: given ?? 'forEach', kind: SINKS.forEach, params: [sink] } as const;
    return { spec, check: () => {}, begin: (outlet) => outlet.start(() => driveGroup(outlet)) };
  }
  const own = sink as Sink<unknown> | undefined;
  if (typeof own?.open !== 'function') throw wrongType(where, 'sink', sink, 'a function, a WritableStream or a Sink');
  if (given !== undefined) refuseOptions(where, { name: given }, 'a Sink', 'the name of the sink itself');
  const { name = 'sink', maxBurst = 1 } = own;
  checkCount(where, 'maxBurst of the sink', maxBurst, 1);
  const mark = edgeMark(where, own as Sink<never>);
  const spec: BurstSink = {
    type: 'burst',
    name,
    highWaterMark: mark?.highWaterMark,
    size: mark?.size?.bind(own),
    inService: maxBurst,
  };
  return {
    spec,
    check: () => {},
    begin: (outlet) => outlet.start(() => driveSink(outlet, () => own.open(outlet.sink as never), maxBurst)),
  };
}

function attachWritable(where: string, writable: WritableStream<unknown>, options: WritableOptions): Attachment {
  const { name = 'writable', preventClose, preventAbort } = options;
  if (preventClose !== undefined) checkBoolean(where, 'preventClose', preventClose);
  if (preventAbort !== undefined) checkBoolean(where, 'preventAbort', preventAbort);
  const mark = edgeMark(where, options);
  return {
    spec: { type: 'burst', name, highWaterMark: mark?.highWaterMark, size: mark?.size, inService: 1 },
    check(by) {
      if (writable.locked) throw wrongType(by, 'writable', 'locked', 'a WritableStream that nobody writes to');
    },
    begin(outlet) {
      const writer = writableWriter(writable, options, outlet);
      outlet.closeSink = (failure) => failure && writer.abort?.(failure.reason);
      outlet.start(() => driveWriter(outlet, writer, 1));
    },
  };
}
