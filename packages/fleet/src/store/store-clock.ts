/** Clock and timers of a store: the real ones, or a test's. */
export interface StoreClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after about `delayMs`; returns how to cancel that. Keeps no process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: StoreClock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.ceil(delayMs)).unref();
    return () => clearTimeout(timer);
  },
};

/** What the promise comes to, or `late` once so much time is over. */
export async function within<T>(
  clock: StoreClock,
  timeoutMs: number,
  promise: Promise<T>,
  late: () => Error,
): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => timer.reject(late()));
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    cancel();
  }
}
