/** A store that keeps nothing and counts what is asked of it, by kind and by the second. */
import type { Campaign, PutOptions, StateStore, StoreEntry, StoreStatus } from "../store/state-store.ts";

const STORE_KINDS = ["nodes", "clients", "balancers", "leaders", "config"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export interface StoreCounts {
  /** What the store must write down. */
  writes: number;
  /** Puts of what is there already, which only renew a lease. */
  renewals: number;
  /** Writes in the busiest second. */
  peakPerSec: number;
}

export class CountingStore implements StateStore {
  readonly kind = "embedded";
  readonly status: StoreStatus = "connected";
  readonly counts: Readonly<Record<StoreKind, StoreCounts>> = {
    nodes: { writes: 0, renewals: 0, peakPerSec: 0 },
    clients: { writes: 0, renewals: 0, peakPerSec: 0 },
    balancers: { writes: 0, renewals: 0, peakPerSec: 0 },
    leaders: { writes: 0, renewals: 0, peakPerSec: 0 },
    config: { writes: 0, renewals: 0, peakPerSec: 0 },
  };
  peakPerSec = 0;
  readonly #inSecond: Record<StoreKind, number> = { nodes: 0, clients: 0, balancers: 0, leaders: 0, config: 0 };
  readonly #done: Promise<StoreEntry | undefined> = Promise.resolve(undefined);

  get writes(): number {
    return STORE_KINDS.reduce((sum, kind) => sum + this.counts[kind].writes, 0);
  }

  note(kind: StoreKind, writes = 1): void {
    this.counts[kind].writes += writes;
    this.#inSecond[kind] += writes;
  }

  noteRenewal(kind: StoreKind, renewals = 1): void {
    this.counts[kind].renewals += renewals;
  }

  /** A second is over. */
  endSecond(): void {
    let all = 0;
    for (const kind of STORE_KINDS) {
      const writes = this.#inSecond[kind];
      this.counts[kind].peakPerSec = Math.max(this.counts[kind].peakPerSec, writes);
      this.#inSecond[kind] = 0;
      all += writes;
    }
    this.peakPerSec = Math.max(this.peakPerSec, all);
  }

  reset(): void {
    this.peakPerSec = 0;
    for (const kind of STORE_KINDS) {
      this.counts[kind].writes = 0;
      this.counts[kind].renewals = 0;
      this.counts[kind].peakPerSec = 0;
      this.#inSecond[kind] = 0;
    }
  }

  put(key: string, _value: string, _options?: PutOptions): Promise<StoreEntry | undefined> {
    const kind = STORE_KINDS.find((one) => key.startsWith(`${one}/`));
    if (kind === undefined) throw new RangeError(`a key of no known kind: ${key}`);
    this.note(kind);
    return this.#done;
  }

  delete(): Promise<boolean> {
    return Promise.resolve(false);
  }

  get(): Promise<StoreEntry | undefined> {
    return this.#done;
  }

  list(): Promise<readonly StoreEntry[]> {
    return Promise.resolve([]);
  }

  watch(): () => void {
    return () => undefined;
  }

  campaign(): Campaign {
    return { leads: false, close: () => Promise.resolve() };
  }

  onStatus(): void {}

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
