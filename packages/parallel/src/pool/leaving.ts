import type { Timer } from '@millrace/core';
import type { Client } from './client.js';

/** A client that has gone while workers still had bursts of it. */
export class Leaving {
  readonly client: Client;
  /** Resolves when no worker has any more. */
  readonly left: Promise<void>;
  readonly #timer: Timer;
  #resolve!: () => void;

  /** @param kill - Ends the workers that run something for the client; called when its grace is over. */
  constructor(client: Client, kill: () => Promise<unknown>) {
    this.client = client;
    this.left = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = client.clock.setTimer(() => void kill().then(() => this.done()), client.abortGraceMs);
  }

  done(): void {
    this.#timer.clear();
    this.#resolve();
  }
}
