import type { Case, Side } from '../model.js';
import { drawReadings } from '../readings.js';
import { millraceOn } from './programs.js';

type Detail = 'counters' | 'latency';

const unobserved: Side = {
  name: 'unobserved',
  load: () =>
    millraceOn(drawReadings, async () => {
      const { four } = await import('../millrace/readings.js');
      return (readings) => four(readings, {});
    }),
};

/** All pipelines are observed, as in an application that is: those that pollute have figures of their own. */
function observed(detail: Detail): Side {
  return {
    name: 'Millrace',
    async load() {
      const { observe } = await import('@millrace/observability');
      const figures = observe({ detail });
      const options = { observer: figures.observer };
      const load = async () => {
        const { four } = await import('../millrace/readings.js');
        return (readings: Parameters<typeof four>[0]) => four(readings, options);
      };
      return millraceOn(drawReadings, load, { observer: figures.named('others') });
    },
  };
}

function compared(detail: Detail, options: string): Case {
  return {
    suite: 'core',
    name: 'observed',
    condition: 'polluted',
    options,
    metric: 'cpu',
    items: 300_000,
    millrace: observed(detail),
    against: [unobserved],
  };
}

/** The 4 steps of sync-fused, about 20 ns an item, with the figures of `@millrace/observability` and without. */
export const OBSERVED: readonly Case[] = [compared('counters', 'counters'), compared('latency', 'full')];
