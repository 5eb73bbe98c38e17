import type { Sink, SinkWriter } from '@millrace/core';

/** Lets each write of a sink wait before it begins, as if what is behind it were slow. */
export function slowed<T>(sink: Sink<T>, delayMs: number): Sink<T> {
  if (delayMs === 0) return sink;
  return {
    ...sink,
    open(context): SinkWriter<T> {
      const writer = sink.open(context);
      let timer: { clear(): void } | undefined;
      return {
        ...(writer.close !== undefined && { close: () => writer.close?.() }),
        async write(items) {
          await new Promise<void>((go) => {
            timer = context.clock.setTimer(go, delayMs);
          });
          await writer.write(items);
        },
        abort(reason) {
          timer?.clear();
          return writer.abort?.(reason);
        },
      };
    },
  };
}
