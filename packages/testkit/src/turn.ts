declare const setImmediate: ((callback: () => void) => unknown) | undefined;

const nextTurn = makeNextTurn();

/** How many turns of the event loop a promise chain gets to settle; a run gives its thread away now and then. */
const TURNS = 8;

/** Lets everything that waits only for promises, or for its turn on the thread, come to rest. Takes no time. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>(nextTurn);
}

function makeNextTurn(): (callback: () => void) => void {
  // Taken when the module loads, so that the fake timers of a test runner do not stop it.
  if (typeof setImmediate === 'function') {
    const immediate = setImmediate;
    return (callback) => void immediate(callback);
  }
  const channel = new MessageChannel();
  const waiting: Array<() => void> = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(undefined);
  };
}
