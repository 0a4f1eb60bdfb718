/**
 * Who leads, by one key of a store, `leaders/<name>`.
 *
 * It holds the leader's name under a lease. A leader renews it four times per lease and trusts in it for nine tenths of the
 * lease, counted from before it asked; the store keeps the key for at least the whole lease after that. A leader that stops
 * leaves an empty value, which the next one takes at once, as does who has seen the lease end.
 *
 * Where the key is missing otherwise, the store may have lost it while somebody still leads. So candidates put a mark, and
 * who has seen the same mark for the length of a lease takes it.
 */

import { randomUUID } from "node:crypto";
import type { Campaign, StateStore, StoreEntry } from "./state-store.ts";
import type { StoreClock } from "./store-clock.ts";
import { checkKey, checkLease } from "./store-limits.ts";

/** Of the lease: what two clocks may differ by meanwhile. */
const TRUSTED_SHARE = 0.9;

export interface LeadershipOptions {
  readonly name: string;
  readonly candidate: string;
  readonly leaseMs: number;
  readonly listener: (leads: boolean) => void;
  readonly clock: StoreClock;
  /** Whether a store without the key may have had one. */
  readonly distrustsEmpty: boolean;
  readonly onClose?: () => void;
}

export class Leadership implements Campaign {
  readonly #store: Pick<StateStore, "get" | "put" | "watch">;
  readonly #options: LeadershipOptions;
  readonly #clock: StoreClock;
  readonly #key: string;
  /** Of the key when it is ours: like no other candidate's, nor ours of another time. */
  readonly #value: string;
  readonly #unwatch: () => void;
  readonly #done: Promise<void>;
  #revision: number | undefined;
  #trustedUntil = -Infinity;
  #leads = false;
  #cancelDeadline: (() => void) | undefined;
  /** The mark that was seen last, and since when. */
  #mark = { value: "", since: 0 };
  /** The key's, of somebody else, and nothing has been seen of the key since. */
  #leaseHasEnded = false;
  #closed = false;
  /** Something happened since the last pause began. */
  #woken = false;
  #endPause: () => void = () => undefined;

  constructor(store: Pick<StateStore, "get" | "put" | "watch">, options: LeadershipOptions) {
    this.#key = `leaders/${options.name}`;
    checkKey(this.#key);
    checkLease(options.leaseMs);
    this.#store = store;
    this.#options = options;
    this.#clock = options.clock;
    this.#value = JSON.stringify({ leader: options.candidate, campaign: randomUUID() });
    this.#unwatch = store.watch(this.#key, (event) => {
      if (("put" in event ? event.put.key : event.deleted) !== this.#key) return;
      this.#leaseHasEnded = "deleted" in event && event.lost !== true;
      if (!this.#leads) this.#wake();
    });
    this.#done = this.#run();
  }

  /** Asks the clock each time: a process that was stopped has no timer that told it. */
  get leads(): boolean {
    return this.#leads && this.#clock.now() < this.#trustedUntil;
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#done;
    this.#closed = true;
    this.#unwatch();
    this.#tell(false);
    this.#wake();
    await this.#done;
    this.#cancelDeadline?.();
    this.#options.onClose?.();
  }

  async #run(): Promise<void> {
    const { leaseMs } = this.#options;
    while (!this.#closed) {
      let pauseMs = leaseMs / 4;
      try {
        if (this.#revision === undefined) pauseMs = await this.#tryToLead();
        else pauseMs = await this.#renew(this.#revision);
      } catch {
        // Away: its status says so. Others may lead meanwhile.
        this.#leaseHasEnded = false;
        pauseMs = leaseMs / 10;
      }
      if (!this.#closed) await this.#pause(pauseMs);
    }
    if (this.#revision === undefined) return;
    await this.#store.put(this.#key, "", { ifRevision: this.#revision }).catch(() => undefined);
  }

  /** Returns when to renew again. */
  async #renew(revision: number): Promise<number> {
    const askedAt = this.#clock.now();
    const { leaseMs } = this.#options;
    const entry = await this.#store.put(this.#key, this.#value, { leaseMs, ifRevision: revision });
    if (entry !== undefined) {
      this.#trust(entry, askedAt);
      return leaseMs / 4;
    }
    this.#revision = undefined;
    this.#tell(false);
    return 0;
  }

  /** Returns when to look again. */
  async #tryToLead(): Promise<number> {
    const { leaseMs } = this.#options;
    const found = await this.#store.get(this.#key);
    if (found !== undefined) this.#leaseHasEnded = false;
    const waitMs = this.#waitFor(found);
    if (waitMs > 0) return waitMs;
    if (found === undefined && this.#options.distrustsEmpty && !this.#leaseHasEnded) {
      await this.#store.put(this.#key, JSON.stringify({ mark: randomUUID() }), { ifRevision: 0 });
      return 0;
    }
    this.#leaseHasEnded = false;
    const askedAt = this.#clock.now();
    const entry = await this.#store.put(this.#key, this.#value, { leaseMs, ifRevision: found?.revision ?? 0 });
    if (entry !== undefined) this.#trust(entry, askedAt);
    return leaseMs / 4;
  }

  /** How long what was found keeps others from leading; at 0 it is free. */
  #waitFor(found: StoreEntry | undefined): number {
    const { leaseMs } = this.#options;
    if (found === undefined || found.value === "" || found.value === this.#value) return 0;
    if ("leader" in (JSON.parse(found.value) as object)) return leaseMs / 2;
    const now = this.#clock.now();
    if (found.value !== this.#mark.value) this.#mark = { value: found.value, since: now };
    return this.#mark.since + leaseMs - now;
  }

  #trust(entry: StoreEntry, askedAt: number): void {
    this.#revision = entry.revision;
    this.#trustedUntil = askedAt + TRUSTED_SHARE * this.#options.leaseMs;
    const remainsMs = this.#trustedUntil - this.#clock.now();
    if (remainsMs <= 0 || this.#closed) return;
    this.#cancelDeadline?.();
    this.#cancelDeadline = this.#clock.after(remainsMs, () => {
      if (this.#clock.now() >= this.#trustedUntil) this.#tell(false);
    });
    this.#tell(true);
  }

  #tell(leads: boolean): void {
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#options.listener(leads);
  }

  #wake(): void {
    this.#woken = true;
    this.#endPause();
  }

  async #pause(delayMs: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(delayMs, resolve);
        this.#endPause = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#woken = false;
  }
}
