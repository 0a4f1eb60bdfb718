/** How many application messages, and how many bytes of them, one connection may send: two token buckets. */

export interface MessageLimitOptions {
  /** Default: four times the tick rate, so that inputs (one a tick) and other messages fit easily. */
  readonly messagesPerSec?: number;
  /** Default 65,536. Inputs of a shooter are about 2,000. */
  readonly bytesPerSec?: number;
  /** How many seconds' worth may come at once, after a stall of the network for example. Default 2. */
  readonly burstSeconds?: number;
}

export class MessageLimit {
  readonly #messagesPerMs: number;
  readonly #bytesPerMs: number;
  readonly #messageBurst: number;
  readonly #byteBurst: number;
  #messages: number;
  #bytes: number;
  #at: number;

  constructor(options: Required<MessageLimitOptions>, now: number) {
    this.#messagesPerMs = options.messagesPerSec / 1000;
    this.#bytesPerMs = options.bytesPerSec / 1000;
    this.#messageBurst = options.messagesPerSec * options.burstSeconds;
    this.#byteBurst = options.bytesPerSec * options.burstSeconds;
    this.#messages = this.#messageBurst;
    this.#bytes = this.#byteBurst;
    this.#at = now;
  }

  /** Takes one message of `bytes`; false when it is over the limit. A message larger than the whole burst never passes. */
  take(bytes: number, now: number): boolean {
    const elapsed = now - this.#at;
    if (elapsed > 0) {
      this.#at = now;
      this.#messages = Math.min(this.#messageBurst, this.#messages + elapsed * this.#messagesPerMs);
      this.#bytes = Math.min(this.#byteBurst, this.#bytes + elapsed * this.#bytesPerMs);
    }
    if (this.#messages < 1 || this.#bytes < bytes) return false;
    this.#messages--;
    this.#bytes -= bytes;
    return true;
  }
}
