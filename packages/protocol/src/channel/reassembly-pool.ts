import type { ReassemblyBuffer } from "./reassembly-buffer.ts";

/** Default of all connections of a server together. */
const DEFAULT_POOL_BYTES = 64 * 1024 * 1024;

/**
 * The memory that the unfinished messages of all connections of a server share: a hard limit, at
 * which the oldest of all goes first, whosever it is.
 */
export class ReassemblyPool {
  readonly limitBytes: number;
  /** Held now. */
  usedBytes: number;
  /** Unfinished messages dropped because all connections together held too much. */
  evicted: number;
  #oldest: ReassemblyBuffer | undefined;
  #newest: ReassemblyBuffer | undefined;

  constructor(limitBytes: number = DEFAULT_POOL_BYTES) {
    if (!(limitBytes > 0)) throw new RangeError(`limitBytes must be above 0, got ${limitBytes}`);
    this.limitBytes = limitBytes;
    this.usedBytes = 0;
    this.evicted = 0;
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  /** A message has begun: it is the newest. */
  add(buffer: ReassemblyBuffer): void {
    buffer.older = this.#newest;
    buffer.newer = undefined;
    if (this.#newest === undefined) this.#oldest = buffer;
    else this.#newest.newer = buffer;
    this.#newest = buffer;
  }

  remove(buffer: ReassemblyBuffer): void {
    if (buffer.older === undefined) this.#oldest = buffer.newer;
    else buffer.older.newer = buffer.newer;
    if (buffer.newer === undefined) this.#newest = buffer.older;
    else buffer.newer.older = buffer.older;
    buffer.older = undefined;
    buffer.newer = undefined;
  }

  /** Drops the oldest unfinished messages until what is left is within the limit. */
  enforce(): void {
    while (this.usedBytes > this.limitBytes && this.#oldest !== undefined) {
      this.evicted++;
      this.#oldest.owner.drop(this.#oldest);
    }
  }
}
