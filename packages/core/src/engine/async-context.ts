/** Calls a function in an asynchronous context (`AsyncLocalStorage`) that was captured before. */
export type Enter = <R>(call: () => R) => R;

interface Snapshots {
  snapshot(): Enter;
}

/** Captures the asynchronous context that is active now; undefined where the platform has none. */
export const captureContext: (() => Enter) | undefined = contextCapture();

function contextCapture(): (() => Enter) | undefined {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(id: string): { readonly AsyncLocalStorage?: Snapshots } | undefined };
  };
  const storage = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
  return typeof storage?.snapshot === 'function' ? () => storage.snapshot() : undefined;
}
