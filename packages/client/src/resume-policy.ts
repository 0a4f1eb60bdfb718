/** When a client looks for another way to its server. Pure: time is an argument. */

export interface ResumePolicyOptions {
  /** So long without a word from the server, who sends ten packets a second at least, and the path counts as dead. Default 2,000. */
  readonly silenceMs?: number;
  /** Pause behind the first failed attempt, doubled up to `maxRetryMs`. Default 250 and 2,000. */
  readonly firstRetryMs?: number;
  readonly maxRetryMs?: number;
}

export class ResumePolicy {
  readonly #silenceMs: number;
  readonly #firstRetryMs: number;
  readonly #maxRetryMs: number;
  /** Since when there is no path; `Infinity`: there is one. */
  #interruptedAt = Infinity;
  #attempts = 0;
  #notBefore = -Infinity;

  constructor(options: ResumePolicyOptions = {}) {
    this.#silenceMs = options.silenceMs ?? 2_000;
    this.#firstRetryMs = options.firstRetryMs ?? 250;
    this.#maxRetryMs = options.maxRetryMs ?? 2_000;
  }

  /** Attempts since the session was last well. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The carrier is gone. */
  onInterrupted(now: number): void {
    this.#interruptedAt = now;
    this.#attempts = 0;
    this.#notBefore = now;
  }

  /** The session goes on by another path. */
  onMigrated(now: number): void {
    this.#interruptedAt = Infinity;
    this.#attempts = 0;
    this.#notBefore = now + this.#silenceMs;
  }

  /** There is no path, or silence on it. An attempt that succeeds when all is well again is not to be moved to. */
  isNeeded(lastReceivedAt: number, now: number): boolean {
    return this.#interruptedAt !== Infinity || now >= lastReceivedAt + this.#silenceMs;
  }

  /** An attempt begins. */
  onAttempt(now: number): void {
    this.#notBefore = now + Math.min(this.#firstRetryMs * 2 ** this.#attempts, this.#maxRetryMs);
    this.#attempts++;
  }

  /** When the next attempt is due, given when the server was heard last. */
  dueAt(lastReceivedAt: number): number {
    const since = this.#interruptedAt === Infinity ? lastReceivedAt + this.#silenceMs : this.#interruptedAt;
    return Math.max(since, this.#notBefore);
  }
}
