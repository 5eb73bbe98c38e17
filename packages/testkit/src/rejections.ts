/** The rejections that nobody handled, since a moment. */
export interface Rejections {
  readonly reasons: readonly unknown[];
  stop(): void;
}

interface NodeProcess {
  on(event: 'unhandledRejection', listener: (reason: unknown) => void): void;
  off(event: 'unhandledRejection', listener: (reason: unknown) => void): void;
}

/** Listens for rejections that nobody handles. */
export function watchRejections(): Rejections {
  const reasons: unknown[] = [];
  const { process } = globalThis as { process?: Partial<NodeProcess> };
  if (typeof process?.on === 'function' && typeof process.off === 'function') {
    const listener = (reason: unknown): void => void reasons.push(reason);
    process.on('unhandledRejection', listener);
    return { reasons, stop: () => process.off?.('unhandledRejection', listener) };
  }
  const listener = (event: Event): void => void reasons.push((event as PromiseRejectionEvent).reason);
  globalThis.addEventListener('unhandledrejection', listener);
  return { reasons, stop: () => globalThis.removeEventListener('unhandledrejection', listener) };
}
