/** The laws, as the design numbers them. */
export const LAWS: readonly string[] = [
  'bounded',
  'lazy',
  'in order',
  'nothing vanishes',
  'errors say where, nothing is left',
  'fusion is invisible',
  'the thread is shared',
  'off is free: counts are always kept',
];

export type Law = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Says which law a run broke, and how. */
export class LawBroken extends Error {
  readonly law: Law;

  constructor(law: Law, why: string) {
    super(`law ${law} (${LAWS[law - 1]}): ${why}`);
    this.name = 'LawBroken';
    this.law = law;
  }
}

/** Counts how often each law was checked. */
export class Ledger {
  readonly checked: number[] = LAWS.map(() => 0);
  /** Which laws the case that runs has been checked for. */
  readonly #now = new Set<Law>();
  #hasFailed = false;

  /** Begins with the next case. */
  next(): void {
    if (this.#hasFailed) return;
    for (const law of this.#now) this.checked[law - 1] = (this.checked[law - 1] as number) + 1;
    this.#now.clear();
  }

  /** Checks a law. */
  check(law: Law, holds: boolean, why: () => string): void {
    this.#now.add(law);
    if (holds) return;
    // What is tried from here on makes the case smaller.
    this.#hasFailed = true;
    throw new LawBroken(law, why());
  }
}
