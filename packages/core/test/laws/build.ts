import { concat, flatMap, interleave, map, merge, mergeSorted, type Pipeline, zip } from '@millrace/core';
import type { Case, PipeCase, SourceCase, SplitBy, StageCase, Value } from './case.js';
import { sourceOf } from './sources.js';
import { noted, pipeThrough } from './stages.js';
import { branchOf, placeOf, tagged } from './values.js';
import type { Called, World } from './world.js';

/** Makes the pipelines of a case, one for each sink. */
export function built(made: Case, world: World): Pipeline<Value>[] {
  const before = pipe(made.pipe, world);
  const { sinks, branchMark, split } = made;
  const copies =
    sinks.length === 1
      ? [before]
      : parted(before, { split, drops: true, branchMark, name: 'split' }, sinks.length, world);
  return sinks.map(({ stages }, at) => through(copies[at] as Pipeline<Value>, stages, world));
}

function pipe({ source, stages }: PipeCase, world: World): Pipeline<Value> {
  return through(begun(source, world), stages, world);
}

function through(pipeline: Pipeline<Value>, stages: readonly StageCase[], world: World): Pipeline<Value> {
  return stages.reduce((all, stage) => pipeThrough(all, stage, world), pipeline);
}

function begun(source: SourceCase, world: World): Pipeline<Value> {
  if (source.kind === 'merge') {
    return joined(
      source.inputs.map((input) => pipe(input, world)),
      source,
      world,
    );
  }
  if (source.kind === 'diamond') {
    const { branches, name = '' } = source;
    const copies = parted(pipe(source.before, world), { ...source, name: `${name} split` }, branches.length, world);
    return joined(
      branches.map((stages, at) => through(copies[at] as Pipeline<Value>, stages, world)),
      source,
      world,
    );
  }
  return sourceOf(source, world);
}

interface Parting extends Called {
  readonly split: SplitBy;
  readonly drops: boolean;
  readonly branchMark: number;
}

/** The branches of a pipeline. */
function parted(pipeline: Pipeline<Value>, made: Parting, branches: number, world: World): readonly Pipeline<Value>[] {
  const { split, drops, branchMark: highWaterMark, name = '' } = made;
  const options = { name, highWaterMark };
  if (split === 'broadcast') return pipeline.broadcast(branches, options);
  if (split === 'balance') return pipeline.balance(branches, options);
  const isFor = (branch: number) => (value: Value, index: number) => {
    const answer = (): boolean => branchOf(value, split, branches) === branch;
    // Each item is shown to the first of them, once.
    return (branch === 0 ? world.callAt(made, index, answer) : answer()) as boolean;
  };
  if (split === 'partition') return pipeline.partition(isFor(0), options);
  const routes = Object.fromEntries(Array.from({ length: branches }, (_, at) => [`to ${at}`, isFor(at)]));
  return Object.values(pipeline.route(routes, { ...options, unmatched: drops ? 'drop' : 'fail' }));
}

function joined(
  inputs: readonly Pipeline<Value>[],
  { name = '', mark, isTagged, by, isFlat = false }: SourceCase & { readonly kind: 'merge' | 'diamond' },
  world: World,
): Pipeline<Value> {
  const options = { name, highWaterMark: mark };
  if (by === 'concat') return concat(...inputs, { name });
  if (by === 'interleave') return interleave(...inputs, options);
  if (by === 'mergeSorted') return sorted(inputs, options);
  if (by === 'zip') {
    const tuples = zip(...inputs, options) as Pipeline<Value[]>;
    return isFlat ? tuples.pipeThrough(flatMap((items) => items, { name: `${name} flatMap` })) : tuples;
  }
  if (!isTagged) return merge(...inputs, options);
  const marked = inputs.map((input, at) =>
    input.pipeThrough(map((value) => tagged(value, at) as never, { name: `${name} tag ${at}` })),
  ) as Pipeline<Value>[];
  return noted(merge(...marked, options), name, world);
}

/** By the place that an item has among those of its input. */
function sorted(
  inputs: readonly Pipeline<Value>[],
  options: { readonly name: string; readonly highWaterMark: number },
): Pipeline<Value> {
  const placed = inputs.map((input, at) =>
    input.pipeThrough(
      map((value, index) => ({ value, place: placeOf(index, at) }), { name: `${options.name} place ${at}` }),
    ),
  );
  return mergeSorted(...placed, { ...options, by: ({ place }) => place }).pipeThrough(
    map(({ value }) => value as never, { name: `${options.name} value` }),
  ) as Pipeline<Value>;
}
