import type { RunOptions } from '@millrace/core';
import { importMinified, type Minifier } from '../minify.js';
import type { Case, Condition, Side } from '../model.js';
import { drawReadings } from '../readings.js';
import { versionOf } from '../version-of.js';
import { type FusedPeer, fusedProgram, millraceOn, programOn } from './programs.js';

type Steps = 4 | 8;

const ITEMS = 300_000;
/** For peers that need microseconds for an item. */
const FEW_ITEMS = 20_000;

function millrace(steps: Steps, options: RunOptions): Side {
  return {
    name: 'Millrace',
    load: () =>
      millraceOn(
        drawReadings,
        async () => {
          const { four, eight } = await import('../millrace/readings.js');
          return (readings) => (steps === 4 ? four : eight)(readings, options);
        },
        options,
      ),
  };
}

/** All of Millrace, the work and its functions in one minified file. */
function minified(steps: Steps, by: Minifier, options: RunOptions): Side {
  return {
    name: 'Millrace',
    async load() {
      const bundle = await importMinified<typeof import('../millrace/bundle.js')>('src/millrace/bundle.ts', by);
      const work = steps === 4 ? bundle.four : bundle.eight;
      return {
        pollute: () => bundle.pollute(options),
        ...programOn(drawReadings, (readings) => work(readings, options)),
      };
    },
  };
}

function calling(steps: Steps): Side {
  return {
    name: 'hand loop',
    async load() {
      const { fourCalling, eightCalling } = await import('../hand/readings.js');
      return programOn(drawReadings, steps === 4 ? fourCalling : eightCalling);
    },
  };
}

function inlined(steps: Steps): Side {
  return {
    name: 'hand loop, inlined',
    async load() {
      const { fourInlined, eightInlined } = await import('../hand/readings.js');
      return programOn(drawReadings, steps === 4 ? fourInlined : eightInlined);
    },
  };
}

/** Only some runtimes have them. */
function withHelpers(steps: Steps): Side {
  return {
    name: 'iterator helpers',
    async load() {
      const { iteratorHelpers } = await import('../peers/iterator-helpers.js');
      return iteratorHelpers && fusedProgram(iteratorHelpers, steps);
    },
  };
}

function peers(steps: Steps): Side[] {
  const peer = (name: string, load: () => Promise<FusedPeer>, items: number = ITEMS): Side => ({
    name,
    items,
    load: async () => fusedProgram(await load(), steps),
  });
  const named = (name: string, from: string): string => `${name} ${versionOf(from)}`;
  return [
    peer(named('@most/core', '@most/core'), () => import('../peers/most-core.js')),
    peer(named('RxJS', 'rxjs'), () => import('../peers/rxjs.js')),
    peer(named('IxJS', 'ix'), () => import('../peers/ix.js')),
    peer(named('Effect Stream', 'effect'), () => import('../peers/effect.js')),
    peer('sync generators', () => import('../peers/generators.js')),
    withHelpers(steps),
    peer('array methods', () => import('../peers/array-methods.js')),
    peer(
      named('streaming-iterables', 'streaming-iterables'),
      () => import('../peers/streaming-iterables.js'),
      FEW_ITEMS,
    ),
    peer('node:stream', () => import('../peers/node-stream.js'), FEW_ITEMS),
    peer(
      named('experimental-fast-webstreams', 'experimental-fast-webstreams'),
      async () => (await import('../peers/fast-webstreams.js')).fastWebstreams,
      FEW_ITEMS,
    ),
    peer('native TransformStreams', async () => (await import('../peers/native-streams.js')).nativeStreams, FEW_ITEMS),
  ];
}

function fused(steps: Steps, condition: Condition, against: readonly Side[], how: RunOptions = {}): Case {
  const options = [`${steps} steps`, ...Object.entries(how).map(([name, value]) => `${name}: ${value}`)].join(', ');
  return {
    suite: 'core',
    name: 'sync-fused',
    condition,
    options,
    metric: 'cpu',
    items: ITEMS,
    millrace: millrace(steps, how),
    against,
  };
}

function fusedMinified(by: Minifier, how: RunOptions = {}): Case {
  const of = fused(8, 'polluted', [], how);
  return {
    ...of,
    options: `${of.options}, minified by ${by}`,
    millrace: minified(8, by, how),
    against: [{ ...millrace(8, how), name: 'not minified' }],
  };
}

const MINIFIERS: readonly Minifier[] = ['esbuild', 'terser'];

const STEPS: readonly Steps[] = [4, 8];

/** Readings through 4 and 8 synchronous steps and batches of 500, to a sum. */
export const SYNC_FUSED: readonly Case[] = [
  ...STEPS.map((steps) => fused(steps, 'polluted', [calling(steps), inlined(steps), ...peers(steps)])),
  ...STEPS.map((steps) => fused(steps, 'polluted', [calling(steps)], { generate: false })),
  ...STEPS.map((steps) => fused(steps, 'clean', [calling(steps), inlined(steps)])),
  ...MINIFIERS.flatMap((by) => [fusedMinified(by), fusedMinified(by, { generate: false })]),
];
