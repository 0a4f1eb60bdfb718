/** Clock and timer of a loop: the real ones, or a test's. */
export interface LoopClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds of CPU that this thread has used. */
  cpuMs(): number;
  /** Calls back once after about `delayMs`. */
  schedule(callback: () => void, delayMs: number): void;
  /** Cancels what was scheduled. */
  cancel(): void;
}

export function systemClock(): LoopClock {
  let timer: NodeJS.Timeout | undefined;
  return {
    now: () => performance.now(),
    cpuMs: () => {
      // Linux adds to a running thread's time at its scheduler's ticks, 1 to 10 ms apart, unless the whole process's is asked for.
      process.cpuUsage();
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    },
    schedule(callback, delayMs) {
      timer = setTimeout(callback, delayMs);
    },
    cancel() {
      clearTimeout(timer);
    },
  };
}
