import { map, merge, type Pipeline, tap } from '@millrace/core';
import type { Case, PipeCase, SourceCase, StageCase, Value } from './case.js';
import { sourceOf } from './sources.js';
import { pipeThrough } from './stages.js';
import { tagged } from './values.js';
import type { World } from './world.js';

/** Makes the pipelines of a case, one for each sink. */
export function built(made: Case, world: World): Pipeline<Value>[] {
  const before = pipe(made.pipe, world);
  const { sinks, branchMark } = made;
  const copies =
    sinks.length === 1 ? [before] : before.broadcast(sinks.length, { name: 'split', highWaterMark: branchMark });
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
    const { branches, branchMark, name = '' } = source;
    const copies: readonly Pipeline<Value>[] = pipe(source.before, world).broadcast(branches.length, {
      name: `${name} split`,
      highWaterMark: branchMark,
    });
    return joined(
      branches.map((stages, at) => through(copies[at] as Pipeline<Value>, stages, world)),
      source,
      world,
    );
  }
  return sourceOf(source, world);
}

function joined(
  inputs: readonly Pipeline<Value>[],
  { name = '', mark, isTagged }: SourceCase & { readonly kind: 'merge' | 'diamond' },
  world: World,
): Pipeline<Value> {
  if (!isTagged) return merge(...inputs, { name, highWaterMark: mark });
  const marked = inputs.map((input, at) =>
    input.pipeThrough(map((value) => tagged(value, at) as never, { name: `${name} tag ${at}` })),
  ) as Pipeline<Value>[];
  const seen: Value[] = [];
  world.joined.set(name, seen);
  return merge(...marked, { name, highWaterMark: mark }).pipeThrough(
    tap((value) => void seen.push(value), { name: `${name} tap` }),
  );
}
