/**
 * The store of a balancer that is alone: everything in memory, and every change in a journal on disk before it counts.
 *
 * Changes are taken one batch after the other: each is judged by what those before it made, written, and only then seen
 * by readers and watches. When the disk refuses, the store is away: reads go on, changes are refused, and once a second
 * it tries to write all that it holds into a new file. After a restart leases run for their full length again.
 */

import { mkdirSync, realpathSync } from "node:fs";
import { changeTo, judge, sizeOf } from "./change-batch.ts";
import type { Asked, Change, Entry, Outcome } from "./change-batch.ts";
import { DirectoryLock } from "./directory-lock.ts";
import { Journal } from "./journal.ts";
import type { JournalChange, JournalContents } from "./journal-record.ts";
import { Leadership } from "./leadership.ts";
import { StoreError } from "./state-store.ts";
import type { Campaign, PutOptions, StateStore, StoreEntry, StoreEvent, StoreStatus } from "./state-store.ts";
import { systemClock } from "./store-clock.ts";
import type { StoreClock } from "./store-clock.ts";
import { checkKey, checkLease, checkPrefix, checkRevision, checkValue } from "./store-limits.ts";
import { firstRevision } from "./store-revision.ts";
import { StatusListeners } from "./status-listeners.ts";
import { Watchers } from "./watchers.ts";

const MAX_WAITING = 65_536;
const MAX_BATCH = 256;
const MAX_BATCH_LENGTH = 4 * 1024 * 1024;
const MEND_EVERY_MS = 1000;
/** Leases end at most this late. */
const LEASE_RESOLUTION_MS = 50;

export interface EmbeddedStoreOptions {
  /** Where the journal is kept; made if it is missing. Default: nowhere, what is stored is gone with the process. */
  readonly directory?: string;
  /**
   * 0 (default): a change counts when the disk has it. More: at once, and the disk has it so many ms later; Infinity: when
   * the system sees fit.
   */
  readonly syncEveryMs?: number;
  /** The journal is rewritten when it is larger than this and twice what it was after the last time. Default 4 MiB. */
  readonly compactAboveBytes?: number;
  /** Of all keys and values together; changes beyond are refused. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Default 3000 ms. */
  readonly timeoutMs?: number;
  /** Of a store that is made. Default: by the wall clock, so that none comes again that a lost store has given. */
  readonly firstRevision?: number;
  readonly clock?: StoreClock;
  /** What an operator should know: a torn record, a lock taken over, a disk that fails. Default `console.warn`. */
  readonly log?: (message: string) => void;
}

export class EmbeddedStore implements StateStore {
  readonly kind = "embedded";
  readonly #journal: Journal | undefined;
  readonly #lock: DirectoryLock | undefined;
  readonly #clock: StoreClock;
  readonly #log: (message: string) => void;
  readonly #timeoutMs: number;
  readonly #syncEveryMs: number;
  readonly #compactAboveBytes: number;
  readonly #maxBytes: number;

  readonly #entries = new Map<string, Entry>();
  /** Of the leased ones. */
  readonly #expiresAt = new Map<string, number>();
  readonly #watchers = new Watchers((prefix) => this.#under(prefix));
  readonly #statusListeners = new StatusListeners("connected");
  readonly #campaigns = new Set<Campaign>();
  #revision: number;
  #bytes = 0;

  readonly #waiting: Change[] = [];
  #working: Promise<void> | undefined;
  #failure: StoreError | undefined;
  #mendDue = false;
  #syncDue = false;
  #cancelSync: (() => void) | undefined;
  #leaseTimer: { readonly at: number; readonly cancel: () => void } | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: EmbeddedStoreOptions, lock?: DirectoryLock, journal?: Journal) {
    this.#lock = lock;
    this.#journal = journal;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? console.warn;
    this.#timeoutMs = options.timeoutMs ?? 3000;
    this.#syncEveryMs = options.syncEveryMs ?? 0;
    this.#compactAboveBytes = options.compactAboveBytes ?? 4 * 1024 * 1024;
    this.#revision = options.firstRevision ?? firstRevision();
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  }

  /** @throws StoreError `refused` when another process owns the directory, or its journal is damaged */
  static async open(options: EmbeddedStoreOptions = {}): Promise<EmbeddedStore> {
    if (options.directory === undefined) return new EmbeddedStore(options);
    const first = options.firstRevision ?? firstRevision();
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const directory = realpathSync(options.directory);
    const lock = DirectoryLock.take(directory, options.log ?? console.warn);
    try {
      const { journal, contents } = await Journal.open(directory, first);
      const store = new EmbeddedStore(options, lock, journal);
      store.#load(contents);
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get status(): StoreStatus {
    return this.#statusListeners.status;
  }

  onStatus(listener: (status: StoreStatus) => void): void {
    this.#statusListeners.add(listener);
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    checkKey(key);
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : seen(entry);
  }

  async list(prefix: string): Promise<readonly StoreEntry[]> {
    checkPrefix(prefix);
    return this.#under(prefix).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<StoreEntry | undefined> {
    checkKey(key);
    checkValue(value);
    if (options.leaseMs !== undefined) checkLease(options.leaseMs);
    if (options.ifRevision !== undefined) checkRevision(options.ifRevision);
    const entry = await this.#change({ kind: "put", key, value, ...options });
    return typeof entry === "object" ? seen(entry) : undefined;
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    return (await this.#change({ kind: "delete", key, value: "" })) === true;
  }

  watch(prefix: string, listener: (event: StoreEvent) => void): () => void {
    checkPrefix(prefix);
    return this.#watchers.add(prefix, listener);
  }

  campaign(name: string, candidate: string, leaseMs: number, listener: (leads: boolean) => void): Campaign {
    const leadership = new Leadership(this, {
      name,
      candidate,
      leaseMs,
      listener,
      clock: this.#clock,
      // One process owns the directory: when it is empty, nobody can have led from there.
      distrustsEmpty: false,
      onClose: () => this.#campaigns.delete(leadership),
    });
    this.#campaigns.add(leadership);
    return leadership;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #load({ entries, revision, soundBytes, tornBytes }: JournalContents): void {
    const now = this.#clock.now();
    this.#revision = revision;
    for (const { put: key, value, revision: at, leaseMs } of entries.values()) {
      this.#entries.set(key, { key, value, revision: at, leaseMs });
      this.#bytes += sizeOf({ key, value });
      if (leaseMs !== undefined) this.#lease(key, now + leaseMs);
    }
    if (tornBytes > 0)
      this.#log(
        `${this.#journal?.file}: the last ${tornBytes} bytes, from ${soundBytes} on, were not written to their end and are dropped`,
      );
  }

  #under(prefix: string): StoreEntry[] {
    const found: StoreEntry[] = [];
    for (const entry of this.#entries.values()) if (entry.key.startsWith(prefix)) found.push(seen(entry));
    return found;
  }

  #change(asked: Asked): Promise<Entry | boolean | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StoreError("away", "the store is closed"));
      if (this.#failure !== undefined) return reject(this.#failure);
      if (this.#waiting.length >= MAX_WAITING)
        return reject(new StoreError("refused", `${MAX_WAITING} changes are already waiting`));
      const cancel = this.#clock.after(this.#timeoutMs, () => {
        change.abandoned = true;
        reject(new StoreError("timeout", `the disk did not take the change of ${asked.key} in ${this.#timeoutMs} ms`));
      });
      const change: Change = {
        ...asked,
        abandoned: false,
        settle(result) {
          cancel();
          resolve(result);
        },
        fail(error) {
          cancel();
          reject(error);
        },
      };
      this.#waiting.push(change);
      this.#wake();
    });
  }

  #wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0) this.#wake();
    });
  }

  async #work(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#syncDue || this.#mendDue) await this.#turn(this.#nextBatch());
  }

  #nextBatch(): Change[] {
    const batch: Change[] = [];
    for (let length = 0; batch.length < MAX_BATCH && length < MAX_BATCH_LENGTH;) {
      const change = this.#waiting.shift();
      if (change === undefined) break;
      if (change.abandoned) continue;
      length += change.value.length;
      batch.push(change);
    }
    return batch;
  }

  /** Judges a batch, writes what it changes, and makes it seen. */
  async #turn(batch: readonly Change[]): Promise<void> {
    const { changes, outcomes } = judge(batch, {
      entries: this.#entries,
      isDue: (key) => (this.#expiresAt.get(key) ?? Infinity) <= this.#clock.now(),
      revision: this.#revision,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
    });
    const stopWatchdog = this.#clock.after(this.#timeoutMs, () => this.#statusListeners.set("away"));
    try {
      if (this.#mendDue) await this.#rewrite();
      if (changes.length > 0) await this.#journal?.append(changes);
      if (this.#journal?.unsynced === true) await this.#syncAsAsked(this.#journal);
    } catch (error) {
      this.#fail(error as Error, batch);
      return;
    } finally {
      stopWatchdog();
    }
    this.#statusListeners.set("connected");
    for (const outcome of outcomes) this.#carryOut(outcome);
    await this.#compact();
  }

  #carryOut(outcome: Outcome): void {
    const { change } = outcome;
    switch (outcome.kind) {
      case "made":
        this.#remember(outcome.entry);
        break;
      case "renewed":
        this.#lease(change.key, this.#clock.now() + (outcome.entry.leaseMs ?? 0));
        break;
      case "deleted":
        this.#forget(change.key, outcome.revision);
        break;
      case "full":
        change.fail(new StoreError("refused", `the store is full: it holds ${this.#maxBytes} bytes`));
        return;
      case "nothing":
    }
    change.settle("entry" in outcome ? outcome.entry : outcome.kind === "deleted");
  }

  #remember(entry: Entry): void {
    const { key, revision, leaseMs } = entry;
    this.#bytes += sizeOf(entry) - sizeOf(this.#entries.get(key));
    this.#revision = revision;
    this.#entries.set(key, entry);
    if (leaseMs === undefined) this.#expiresAt.delete(key);
    else this.#lease(key, this.#clock.now() + leaseMs);
    this.#watchers.tell({ put: seen(entry) });
  }

  #forget(key: string, revision: number): void {
    this.#bytes -= sizeOf(this.#entries.get(key));
    this.#revision = revision;
    this.#entries.delete(key);
    this.#expiresAt.delete(key);
    this.#watchers.tell({ deleted: key, revision });
  }

  #lease(key: string, expiresAt: number): void {
    this.#expiresAt.set(key, expiresAt);
    if (this.#leaseTimer === undefined || expiresAt < this.#leaseTimer.at) this.#armLeaseTimer(expiresAt);
  }

  #armLeaseTimer(at: number): void {
    this.#leaseTimer?.cancel();
    this.#leaseTimer = undefined;
    if (at === Infinity) return;
    const now = this.#clock.now();
    const cancel = this.#clock.after(Math.max(at - now, 0), () => this.#expire());
    this.#leaseTimer = { at, cancel };
  }

  #expire(): void {
    const now = this.#clock.now();
    let next = Infinity;
    for (const [key, expiresAt] of this.#expiresAt) {
      // What cannot be written now is tried again.
      if (expiresAt <= now) this.#change({ kind: "expire", key, value: "" }).catch(() => undefined);
      next = Math.min(next, Math.max(expiresAt, now + LEASE_RESOLUTION_MS));
    }
    this.#armLeaseTimer(this.#closed ? Infinity : next);
  }

  async #syncAsAsked(journal: Journal): Promise<void> {
    if (this.#syncEveryMs === 0 || this.#syncDue) {
      this.#syncDue = false;
      await journal.sync();
    } else if (this.#syncEveryMs !== Infinity && this.#cancelSync === undefined) {
      this.#cancelSync = this.#clock.after(this.#syncEveryMs, () => {
        this.#cancelSync = undefined;
        this.#syncDue = true;
        this.#wake();
      });
    }
  }

  async #compact(): Promise<void> {
    if (this.#journal === undefined) return;
    const { bytes, snapshotBytes } = this.#journal;
    if (bytes <= this.#compactAboveBytes || bytes <= 2 * snapshotBytes) return;
    try {
      await this.#rewrite();
    } catch (error) {
      this.#fail(error as Error, []);
    }
  }

  async #rewrite(): Promise<void> {
    this.#mendDue = false;
    await this.#journal?.rewrite(this.#revision, journalled(this.#entries.values()));
    this.#syncDue = false;
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#log(`${this.#journal?.file}: written anew, the store is back`);
  }

  /** Nobody knows what the disk has of the batch: it is refused, and the file written anew as soon as that works. */
  #fail(error: Error, batch: readonly Change[]): void {
    const failure = new StoreError("away", `${this.#journal?.file}: ${error.message}`, { cause: error });
    if (this.#failure === undefined) this.#log(`${failure.message}; changes are refused until it can be written`);
    this.#failure = failure;
    this.#syncDue = false;
    for (const change of [...batch, ...this.#waiting.splice(0)]) change.fail(failure);
    this.#statusListeners.set("away");
    this.#clock.after(MEND_EVERY_MS, () => {
      this.#mendDue = true;
      this.#wake();
    });
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#campaigns, (campaign) => campaign.close()));
    for (const key of this.#expiresAt.keys()) this.delete(key).catch(() => undefined);
    this.#closed = true;
    this.#leaseTimer?.cancel();
    this.#cancelSync?.();
    const finished = await Promise.race([this.#finish(), this.#timeout()]);
    this.#watchers.clear();
    // While the disk may still write for this process, nobody else may: the lock ends with the process.
    if (finished) this.#lock?.release();
  }

  async #finish(): Promise<boolean> {
    await this.#working;
    if (this.#failure === undefined && this.#journal?.unsynced === true)
      await this.#journal.sync().catch((error: Error) => this.#log(`${this.#journal?.file}: ${error.message}`));
    await this.#journal?.close();
    return true;
  }

  #timeout(): Promise<boolean> {
    return new Promise((resolve) => this.#clock.after(this.#timeoutMs, () => resolve(false)));
  }
}

function seen({ key, value, revision }: Entry): StoreEntry {
  return { key, value, revision };
}

function* journalled(entries: Iterable<Entry>): Generator<JournalChange> {
  for (const entry of entries) yield changeTo(entry);
}
