import { outOfRange, wrongType } from '@millrace/core/authoring';

/** One thing in a diagram, and the tick it happens at. */
export interface Frame {
  readonly tick: number;
  /** An item, the end, a failure, or that the consumer goes. */
  readonly kind: 'item' | '|' | '#' | '!';
  /** What stands for an item in the diagram. */
  readonly letter: string;
}

/** A diagram that has been read. */
export interface Diagram {
  readonly frames: readonly Frame[];
  /** How many ticks it is long. */
  readonly ticks: number;
  /** The text without its spaces. */
  readonly text: string;
}

/** Reads a diagram; only those with `canCancel` may have a `!`. */
export function readDiagram(where: string, text: string, canCancel: boolean): Diagram {
  if (typeof text !== 'string') throw wrongType(where, 'the diagram', text, 'a string');
  const refuse = (mustBe: string): RangeError => outOfRange(where, 'the diagram', text, mustBe);
  const frames: Frame[] = [];
  let tick = 0;
  let isGroup = false;
  const letters = [...text.replace(/\s/g, '')];
  for (const letter of letters) {
    if (letter === '(' || letter === ')') {
      if (isGroup === (letter === '(')) throw refuse('with groups such as "(ab)", one after the other');
      isGroup = letter === '(';
      if (!isGroup) tick++;
      continue;
    }
    if (letter !== '-') {
      if (letter === '^' || (letter === '!' && !canCancel)) throw refuse(`without "${letter}"`);
      if (frames.some(isLast)) throw refuse('with nothing behind its end');
      frames.push({ tick, letter, kind: letter === '|' || letter === '#' || letter === '!' ? letter : 'item' });
    } else if (isGroup) throw refuse('without "-" in a group');
    if (!isGroup) tick++;
  }
  if (isGroup) throw refuse('with groups such as "(ab)", each of them closed');
  return { frames, ticks: tick, text: letters.join('') };
}

function isLast({ kind }: Frame): boolean {
  return kind !== 'item';
}

/** Draws what happened: letters by their ticks, in order. */
export function drawDiagram(frames: ReadonlyArray<{ readonly tick: number; readonly letter: string }>): string {
  let text = '';
  let tick = 0;
  for (let at = 0; at < frames.length; ) {
    const now = (frames[at] as (typeof frames)[number]).tick;
    let group = '';
    for (; frames[at]?.tick === now; at++) group += frames[at]?.letter;
    text += '-'.repeat(Math.max(0, now - tick)) + (group.length > 1 ? `(${group})` : group);
    tick = now + 1;
  }
  return text;
}
