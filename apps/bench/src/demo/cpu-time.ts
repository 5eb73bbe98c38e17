import { readdirSync, readFileSync } from 'node:fs';

// Linux counts in ticks of a hundredth of a second for programs, whatever the kernel's own clock is.
const US_PER_TICK = 10_000;
const PATIENCE_MS = 30_000;

interface Ticks {
  readonly parent: number;
  readonly own: number;
  /** Of the children that it has waited for, and of theirs. */
  readonly waited: number;
}

/** Gives the CPU time in microseconds of all children of this process that have ended, and of their ended children. */
export function endedChildrenUs(): number {
  return (ticksOf('self')?.waited ?? 0) * US_PER_TICK;
}

/** A process and its children; PostgreSQL's processes are all children of the postmaster. */
export interface Family {
  /** CPU time in microseconds, that of the children that have ended included. */
  readonly us: number;
  /** The numbers of the children that run. */
  readonly children: ReadonlySet<number>;
}

/** Looks at a process and its children. */
export function familyOf(pid: number): Family {
  for (;;) {
    const head = ticksOf(String(pid));
    if (head === undefined) throw new Error(`Cannot measure process ${pid}: it is not there (must run, on Linux)`);
    let ticks = head.own + head.waited;
    const children = new Set<number>();
    for (const name of readdirSync('/proc')) {
      const child = /^\d+$/.test(name) ? ticksOf(name) : undefined;
      if (child?.parent !== pid) continue;
      children.add(Number(name));
      ticks += child.own + child.waited;
    }
    // INVARIANT: no child is counted twice or not at all because it ended meanwhile.
    if (ticksOf(String(pid))?.waited === head.waited) return { us: ticks * US_PER_TICK, children };
  }
}

/**
 * Gives the CPU time in microseconds that a family needed since it was looked at. The children that came since then are
 * waited for: a server's process is at work for a while after its client has gone.
 */
export async function familySince(pid: number, before: Family): Promise<number> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { us, children } = familyOf(pid);
    if ([...children].every((child) => before.children.has(child))) return us - before.us;
    if (performance.now() > endMs) {
      throw new Error(`Cannot measure process ${pid}: children of it still run after ${PATIENCE_MS} ms (must end)`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function ticksOf(pid: string): Ticks | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It ended while we looked; its parent has its time now.
    return undefined;
  }
  // SPEC: proc_pid_stat(5). The name, in brackets, may hold blanks; behind it are the fields from the third on.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, own: user + system, waited: childUser + childSystem };
}
