import type { Transferred, WorkerContext } from '@millrace/parallel/worker';

export interface At {
  n: number;
  at: number;
}
export interface Watched {
  began: Int32Array;
  ended: Int32Array;
}
export function increment(n: number): number;
export function later(n: number): Promise<number>;
export function gated(item: { index: number; gate: Int32Array; began?: Int32Array }): number;
export function spin(item: { index: number; turns: number }): number;
export class OddError extends RangeError {}
export function throwAt(item: At): number;
export function throwText(n: number): never;
export function exitAt(item: At): number;
export function exitOnce(item: At & { seen: Int32Array }): number;
export function crashLater(n: number): Promise<never>;
export function exhaust(n: number): never;
export function hangAt(item: At & { began?: Int32Array }): number;
export function untilAborted(item: Watched, context: WorkerContext): void;
export function untilSignal(item: Watched, context: WorkerContext): Promise<void>;
export function indexOf(item: string, context: WorkerContext): number;
export function squares(numbers: Float64Array): Transferred<Float64Array>;
export function moveTwice(n: number): Transferred<Float64Array>;
export function unclonableAt(item: At): unknown;
export function failAt(item: At & { how: string }): number | Promise<number>;
export interface Order {
  n: number;
  how?: 'throw' | 'reject' | 'exit' | 'unclonable' | 'hang' | undefined;
  began?: Int32Array;
  call?: () => void;
}
export function obey(item: Order): number;
export interface Flaky {
  n: number;
  fails: number;
  how: 'throw' | 'reject' | 'exit' | 'hang';
  tries: Int32Array;
}
export function failFirst(item: Flaky, context: WorkerContext): readonly [n: number, attempt: number];
export function exitAtMinusOne(column: Float64Array): Transferred<number>;
export function same(n: number): number;
export const value: number;
