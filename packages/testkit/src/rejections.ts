/** The rejections that nobody handled, since a moment. */
export interface Rejections {
  readonly reasons: readonly unknown[];
  stop(): void;
}

type Listener = (reason: unknown) => void;

interface NodeProcess {
  on(event: 'unhandledRejection', listener: Listener): void;
  off(event: 'unhandledRejection', listener: Listener): void;
  listeners(event: 'unhandledRejection'): Listener[];
}

const watchers = new Set<unknown[]>();
let letGo: () => void = () => {};

/**
 * Listens for rejections that nobody handles, in place of everybody else: the test runner would report a rejection
 * that is already the reason why a law is broken.
 */
export function watchRejections(): Rejections {
  const reasons: unknown[] = [];
  if (watchers.size === 0) letGo = takeOver((reason) => watchers.forEach((each) => void each.push(reason)));
  watchers.add(reasons);
  return {
    reasons,
    stop: () => {
      if (watchers.delete(reasons) && watchers.size === 0) letGo();
    },
  };
}

function takeOver(listener: Listener): () => void {
  const { process } = globalThis as unknown as { process?: Partial<NodeProcess> };
  if (isNodeProcess(process)) {
    const others = process.listeners('unhandledRejection');
    for (const other of others) process.off('unhandledRejection', other);
    process.on('unhandledRejection', listener);
    return () => {
      process.off('unhandledRejection', listener);
      for (const other of others) process.on('unhandledRejection', other);
    };
  }
  const onEvent = (event: Event): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
    listener((event as PromiseRejectionEvent).reason);
  };
  globalThis.addEventListener('unhandledrejection', onEvent, { capture: true });
  return () => globalThis.removeEventListener('unhandledrejection', onEvent, { capture: true });
}

function isNodeProcess(process: Partial<NodeProcess> | undefined): process is NodeProcess {
  return [process?.on, process?.off, process?.listeners].every((method) => typeof method === 'function');
}
