/**
 * Where balancers keep what must outlive them and what they must agree on: registrations, configuration, membership,
 * leadership, and which region last served a client. Never load, and never on a player's way to a seat.
 */

export interface StoreEntry {
  readonly key: string;
  readonly value: string;
  /** Goes up with every change of any key. None comes again, also after the store was lost and made anew. */
  readonly revision: number;
}

export type StoreEvent = { readonly put: StoreEntry } | StoreDeletion;

interface StoreDeletion {
  readonly deleted: string;
  readonly revision: number;
  /**
   * Nobody deleted it: the store came back from nothing, or from an older copy of itself. Whoever put the key and still
   * means it, puts it again.
   */
  readonly lost?: true;
}

/** `away`: it cannot be reached, or has not answered for too long. Balancers go on with what they know. */
export type StoreStatus = "connected" | "away";

/**
 * Keys are 1 to 512 printable ASCII characters without spaces, the first a letter or a digit; values at most 1 MiB of
 * UTF-8. Anything else is a `RangeError`.
 *
 * All promises reject with a `StoreError` when the store is away or `timeoutMs` is over. What was put then may be there or
 * not; it does not come later than what the same store object puts afterwards.
 */
export interface StateStore extends AsyncDisposable {
  readonly kind: "embedded" | "etcd";
  readonly status: StoreStatus;
  onStatus(listener: (status: StoreStatus) => void): void;
  get(key: string): Promise<StoreEntry | undefined>;
  /** By key. */
  list(prefix: string): Promise<readonly StoreEntry[]>;
  put(key: string, value: string, options?: PutOptions): Promise<StoreEntry | undefined>;
  /** Whether it was there. */
  delete(key: string): Promise<boolean>;
  /**
   * Hears of every entry under the prefix, first all that there are, then changes, in order. After the store was away it hears
   * of what has changed meanwhile, deletions included; of a key that changed several times, only how it is now. Returns how
   * to stop. Never calls back before it has returned.
   */
  watch(prefix: string, listener: (event: StoreEvent) => void): () => void;
  /**
   * Tries to be the one who leads `name` until `close` is called; hears each time that it has become so or is no longer. Who
   * cannot renew within `leaseMs` stops being leader by its own clock before anybody else can become it. All candidates
   * give the same `leaseMs`. Uses the key `leaders/<name>`.
   */
  campaign(name: string, candidate: string, leaseMs: number, listener: (leads: boolean) => void): Campaign;
  /** What was put with a lease goes at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PutOptions {
  /**
   * The key stays for at least so long after the call, and goes away then unless it is put again. Putting the value that it
   * has, with the same `leaseMs`, only renews: the revision stays, no watch hears of it, and nothing is written.
   */
  readonly leaseMs?: number;
  /** Only when it still has that revision (0: does not exist); else `put` resolves to undefined. */
  readonly ifRevision?: number;
}

export interface Campaign {
  readonly leads: boolean;
  /** Stops, and lets the next one lead at once. */
  close(): Promise<void>;
}

export class StoreError extends Error {
  readonly code: "away" | "timeout" | "refused";

  constructor(code: StoreError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}
