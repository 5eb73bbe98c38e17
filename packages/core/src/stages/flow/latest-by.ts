import { Latest, type Pace } from '../../engine/latest.js';
import { openPair } from '../../engine/pair.js';
import { type Stage, stageOf } from '../../engine/stage.js';

/** Makes a stage that hands on the latest item at its own pace; each run has a pace of its own, made at its beginning. */
export function latestBy<T>(name: string, paceFrom: (nowMs: number) => Pace): Stage<T, T> {
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: Latest.inService,
      detail: 'latest',
      carries: true,
      weight: 'same',
      open: (upstream, context) => new Latest(upstream, context, paceFrom(context.clock.now())),
    },
    openPair,
  );
}
