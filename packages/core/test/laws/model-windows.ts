import type { StageCase, Value } from './case.js';
import { GAP_MS, OUT_OF_ORDER_MS, timeOf } from './values.js';

interface Window {
  readonly startMs: number;
  endMs: number;
  readonly items: Value[];
}

/** The windows that go out before the end, and those that are open then, of items in order. */
export function windowsOf(
  items: readonly Value[],
  { shape, ms, isLate }: StageCase & { readonly kind: 'window' },
): { readonly closed: Value[]; readonly open: Value[] } {
  let open: Window[] = [];
  const closed: Value[] = [];
  const isSession = shape === 'session';
  const stepMs = shape === 'sliding' ? Math.ceil(ms / 2) : ms;
  let watermark = Number.NEGATIVE_INFINITY;
  items.forEach((item, index) => {
    const timeMs = timeOf(index, isSession, isLate);
    watermark = Math.max(watermark, timeMs - (isLate ? OUT_OF_ORDER_MS : 0));
    if (isSession) {
      const last = open.find(({ endMs }) => endMs > timeMs);
      if (last === undefined) open.push({ startMs: timeMs, endMs: timeMs + GAP_MS, items: [item] });
      else {
        last.endMs = timeMs + GAP_MS;
        last.items.push(item);
      }
    } else {
      for (let startMs = Math.floor(timeMs / stepMs) * stepMs; startMs > timeMs - ms; startMs -= stepMs) {
        const endMs = startMs + ms;
        if (endMs <= watermark) break;
        const known = open.find((each) => each.startMs === startMs);
        if (known === undefined) open.push({ startMs, endMs, items: [item] });
        else known.items.push(item);
      }
    }
    open.sort((a, b) => a.endMs - b.endMs);
    closed.push(...open.filter(({ endMs }) => endMs <= watermark).map((each) => each.items));
    open = open.filter(({ endMs }) => endMs > watermark);
  });
  return { closed, open: open.map((each) => each.items) };
}
