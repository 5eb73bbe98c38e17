import { batch, filter, from, map, mapAsync, merge, runAll } from '@millrace/core';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

describe('topology()', () => {
  const linear = from([1, 2, 3])
    .pipeThrough(map((n) => n + 1))
    .pipeThrough(mapAsync(async (n) => n, { concurrency: 4, highWaterMark: 2, name: 'look "up"' }))
    .pipeThrough(batch({ maxItems: 10 }));

  test('topology() has the stages, edges and groups of a linear pipeline', () => {
    const { nodes, edges, groups, bound } = linear.topology();
    expect(nodes).toEqual([
      { name: 'array', kind: 'source', highWaterMark: 0, inService: 0 },
      { name: 'map', kind: 'step', highWaterMark: 0, inService: 0 },
      { name: 'look "up"', kind: 'operator', highWaterMark: 2, inService: 4 },
      { name: 'batch', kind: 'step', highWaterMark: 0, inService: 0 },
    ]);
    expect(edges).toEqual([
      { from: 'array', to: 'map', highWaterMark: 0 },
      { from: 'map', to: 'look "up"', highWaterMark: 2 },
      { from: 'look "up"', to: 'batch', highWaterMark: 0 },
    ]);
    expect(groups).toEqual([{ name: 'fused', stages: ['array', 'map'] }]);
    expect(bound).toBe(6);
  });

  test('topology() is data that JSON takes', () => {
    const graph = linear.topology();
    const { nodes, edges, groups, bound, warnings } = graph;
    expect(JSON.parse(JSON.stringify(graph))).toEqual({ nodes, edges, groups, bound, warnings });
  });

  test('topology() draws a linear pipeline for Mermaid and Graphviz', () => {
    expect(linear.topology().toMermaid().split('\n')).toEqual([
      'flowchart LR',
      '  subgraph g0["fused"]',
      '    s0(["array"])',
      '    s1["map"]',
      '  end',
      '  s2["look #quot;up#quot;<br>4 in service"]',
      '  s3["batch"]',
      '  s0 --> s1',
      '  s1 -->|2| s2',
      '  s2 --> s3',
    ]);
    expect(linear.topology().toDot().split('\n')).toEqual([
      'digraph pipeline {',
      '  rankdir=LR;',
      '  subgraph cluster_0 {',
      '    label="fused";',
      '    s0 [label="array", shape=ellipse];',
      '    s1 [label="map", shape=box];',
      '  }',
      '  s2 [label="look \\"up\\"\\n4 in service", shape=box];',
      '  s3 [label="batch", shape=box];',
      '  s0 -> s1;',
      '  s1 -> s2 [label="2"];',
      '  s2 -> s3;',
      '}',
    ]);
  });

  test('topology() has branches, and what is merged, with the room on each edge', () => {
    const [a, b] = from([1, 2]).broadcast(2, { highWaterMark: 3 });
    const merged = merge(a, b.pipeThrough(filter((n) => n > 1)), from([9]), { highWaterMark: 2 });
    const { nodes, edges } = merged.topology();
    expect(nodes.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'source array',
      'broadcast broadcast',
      'branch broadcast branch 1',
      'branch broadcast branch 2',
      'step filter',
      'source array 2',
      'merge merge',
    ]);
    expect(edges.map(({ from, to, highWaterMark }) => `${from} -${highWaterMark}-> ${to}`)).toEqual([
      'array -0-> broadcast',
      'broadcast -3-> broadcast branch 1',
      'broadcast -3-> broadcast branch 2',
      'broadcast branch 2 -0-> filter',
      'broadcast branch 1 -2-> merge',
      'filter -2-> merge',
      'array 2 -2-> merge',
    ]);
    expect(merged.topology().toMermaid()).toContain('s6{{"merge"}}');
    expect(merged.topology({ fuse: false }).groups).toEqual([]);
  });

  test('topology() of a run has its sinks, and what is where now', async () => {
    const clock = virtualClock();
    const [a, b] = from([1, 2, 3, 4]).broadcast(2);
    const [quick, stalled] = [
      sinkProbe<number>({ name: 'quick', highWaterMark: 0 }),
      sinkProbe<number>({ name: 'slow' }),
    ];
    const run = runAll(a.into(quick.sink), b.into(stalled.sink), { clock });
    await clock.settle();
    const { nodes } = run.topology();
    expect(nodes.map(({ name, counts, waiting }) => [name, counts?.in, counts?.out, waiting])).toEqual([
      ['array', 0, 2, 0],
      ['broadcast', 2, 4, 0],
      ['broadcast branch 1', 2, 1, 1],
      ['quick', 1, 0, 0],
      ['broadcast branch 2', 2, 2, 0],
      ['slow', 1, 0, 1],
    ]);
    expect(run.topology().toMermaid()).toContain('s3(["quick<br>1 in service<br>0 out, 0 waiting"])');
    run.abort('enough');
    await expect(run.finished).rejects.toBe('enough');
  });
});
