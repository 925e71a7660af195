/** Looks of the same kind: one at a time, and whoever asks meanwhile gets one that began after the question. */
export interface Looks {
  again(): Promise<void>;
}

/** One runs and at most one waits, however many ask. */
export function createLooks(look: () => Promise<void>): Looks {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  function run(): Promise<void> {
    running = look().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    again() {
      if (waiting !== undefined) return waiting;
      if (running === undefined) return run();
      waiting = running
        .catch(() => undefined)
        .then(() => {
          waiting = undefined;
          return run();
        });
      return waiting;
    },
  };
}
