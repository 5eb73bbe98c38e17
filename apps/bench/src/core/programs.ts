import type { RunOptions } from '@millrace/core';
import type { Program } from '../model.js';
import { type Mixed, polluteWith } from '../pollution.js';
import type { Random } from '../random.js';
import { drawReadings, type Reading } from '../readings.js';

/** Makes Millrace's program of work on drawn input; loads the package when it is asked for. */
export async function millraceOn<I>(
  draw: (items: number, random: Random) => I,
  load: () => Promise<(input: I) => unknown>,
  options: RunOptions = {},
): Promise<Program> {
  const { pollute } = await import('../millrace/pollute.js');
  return { pollute: () => pollute(options), ...programOn(draw, await load()) };
}

/** Makes a program of work on drawn input. */
export function programOn<I>(draw: (items: number, random: Random) => I, work: (input: I) => unknown): Program {
  return {
    prepare(items, random) {
      const input = draw(items, random);
      return () => work(input);
    },
  };
}

/** What a peer's module of core/sync-fused has. */
export interface FusedPeer {
  four(readings: readonly Reading[]): unknown;
  eight(readings: readonly Reading[]): unknown;
  run(pipeline: Mixed): unknown;
}

/** Makes a peer's program of core/sync-fused. */
export function fusedProgram(peer: FusedPeer, steps: 4 | 8): Program {
  const work = programOn(drawReadings, steps === 4 ? peer.four : peer.eight);
  return { ...work, pollute: () => polluteWith(peer.run) };
}

/** Draws temperatures. */
export function drawNumbers(items: number, random: Random): number[] {
  const numbers: number[] = [];
  for (let count = 0; count < items; count++) numbers.push(random() * 160 - 60);
  return numbers;
}

/** Cuts a list into arrays. */
export function cut<T>(items: readonly T[], size: number): T[][] {
  const arrays: T[][] = [];
  for (let at = 0; at < items.length; at += size) arrays.push(items.slice(at, at + size));
  return arrays;
}
