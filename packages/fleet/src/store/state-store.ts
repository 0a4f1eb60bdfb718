/**
 * Where balancers keep what must outlive them and what they must agree on: registrations, configuration, membership,
 * leadership, and which region last served a client. Never load, and never on a player's way to a seat.
 */

export interface StoreEntry {
  readonly key: string;
  readonly value: string;
  /** Goes up with every change of any key. */
  readonly revision: number;
}

export type StoreEvent = { readonly put: StoreEntry } | { readonly deleted: string; readonly revision: number };

/** `away`: it cannot be reached, or has not answered for too long. Balancers go on with what they know. */
export type StoreStatus = "connected" | "away";

/** All promises reject with a `StoreError` when the store is away or `timeoutMs` is over. */
export interface StateStore extends AsyncDisposable {
  readonly kind: "embedded" | "etcd";
  readonly status: StoreStatus;
  onStatus(listener: (status: StoreStatus) => void): void;
  get(key: string): Promise<StoreEntry | undefined>;
  list(prefix: string): Promise<readonly StoreEntry[]>;
  /** `leaseMs`: the key goes away unless it is put again within that. `ifRevision`: only when it still has that revision (0: does not exist); else it resolves to undefined. */
  put(key: string, value: string, options?: PutOptions): Promise<StoreEntry | undefined>;
  delete(key: string): Promise<boolean>;
  /**
   * Hears of every entry under the prefix, first all that there are, then changes, in order. After the store was away it hears
   * of what has changed meanwhile, deletions included. Returns how to stop.
   */
  watch(prefix: string, listener: (event: StoreEvent) => void): () => void;
  /**
   * Tries to be the one who leads `name` until `close` is called; hears each time that it has become so or is no longer. Who
   * cannot renew within `leaseMs` stops being leader by its own clock before anybody else can become it.
   */
  campaign(name: string, candidate: string, leaseMs: number, listener: (leads: boolean) => void): Campaign;
}

export interface PutOptions {
  readonly leaseMs?: number;
  readonly ifRevision?: number;
}

export interface Campaign {
  readonly leads: boolean;
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
