/**
 * A store in etcd 3, shared by all balancers: over etcd's own gRPC API, members one at a time.
 *
 * Keys are `<name>/<key>`; beside them `<name>.identity` tells this store from one of the same name that was made after this
 * one was lost (`EtcdReader`), and `<name>.passes/` holds the passes of `EtcdWriter`. All reads are linearizable. Once a second a read
 * shows whether most members still answer.
 */

import { CallWindow } from "./etcd/call-window.ts";
import type { Compare, RequestOp } from "./etcd/etcd-api.ts";
import { EtcdError, storeErrorOf } from "./etcd/etcd-error.ts";
import { EtcdLeases } from "./etcd/etcd-leases.ts";
import { EtcdMembers } from "./etcd/etcd-members.ts";
import type { EtcdTls } from "./etcd/etcd-members.ts";
import { EtcdReader } from "./etcd/etcd-reader.ts";
import type { Everything, LeasedEntry, StoreLife, StorePlace } from "./etcd/etcd-reader.ts";
import { EtcdWatch } from "./etcd/etcd-watch.ts";
import { EtcdWriter } from "./etcd/etcd-writer.ts";
import type { Write } from "./etcd/etcd-writer.ts";
import { Leadership } from "./leadership.ts";
import { StoreError } from "./state-store.ts";
import type { Campaign, PutOptions, StateStore, StoreEntry, StoreEvent, StoreStatus } from "./state-store.ts";
import { StatusListeners } from "./status-listeners.ts";
import { systemClock, within } from "./store-clock.ts";
import type { StoreClock } from "./store-clock.ts";
import { checkKey, checkLease, checkPrefix, checkRevision, checkValue } from "./store-limits.ts";

/** More at once make etcd slower, and its answers late. */
const CALLS_AT_ONCE = 32;
const MAX_WAITING = 65_536;
const PROBE_EVERY_MS = 1000;
const PROBE_AGAIN_MS = 200;
const CHECK_STATUS_EVERY_MS = 250;
/** Of a call after its deadline, for whoever can say better what was wrong. */
const GRACE_MS = 100;

export interface EtcdStoreOptions {
  /** All members, as `host:port`, also with `http://` or `https://` before it. */
  readonly endpoints: readonly string[];
  /** Of the fleet: what all its keys begin with. Default "riposte". */
  readonly name?: string;
  readonly tls?: EtcdTls;
  readonly user?: { readonly name: string; readonly password: string };
  /** Of each call. Default 3000 ms. */
  readonly timeoutMs?: number;
  /** How long one member may take before another is asked. Default 1000 ms. */
  readonly attemptMs?: number;
  /** The store is away when most members have not answered for so long. Default 2500 ms. */
  readonly awayAfterMs?: number;
  readonly clock?: StoreClock;
  /** What an operator should know. Default `console.warn`. */
  readonly log?: (message: string) => void;
}

export class EtcdStore implements StateStore {
  readonly kind = "etcd";
  readonly #clock: StoreClock;
  readonly #log: (message: string) => void;
  readonly #timeoutMs: number;
  readonly #awayAfterMs: number;
  readonly #place: StorePlace;
  readonly #members: EtcdMembers;
  readonly #reader: EtcdReader;
  readonly #writer: EtcdWriter;
  readonly #leases: EtcdLeases;
  readonly #window = new CallWindow(CALLS_AT_ONCE, MAX_WAITING);
  readonly #watches = new Set<EtcdWatch>();
  readonly #campaigns = new Set<Campaign>();
  readonly #statusListeners = new StatusListeners("away");
  #heardAt = -Infinity;
  #identity: string | undefined;
  #lastLog = "";
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: EtcdStoreOptions) {
    const name = options.name ?? "riposte";
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
      throw new RangeError(`name must be 1 to 64 of [A-Za-z0-9_-], not ${JSON.stringify(name)}`);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? console.warn;
    this.#timeoutMs = options.timeoutMs ?? 3000;
    this.#awayAfterMs = options.awayAfterMs ?? 2500;
    this.#place = { root: `${name}/`, identityKey: Buffer.from(`${name}.identity`) };
    const { endpoints, tls, user, attemptMs = 1000 } = options;
    this.#members = new EtcdMembers({
      endpoints,
      clock: this.#clock,
      attemptMs,
      ...(tls === undefined ? {} : { tls }),
      ...(user === undefined ? {} : { user }),
    });
    const { identityKey } = this.#place;
    this.#writer = new EtcdWriter(this.#members, identityKey, `${name}.passes/`, this.#timeoutMs);
    this.#reader = new EtcdReader(this.#members, this.#place, (ms) => this.#writer.identify(ms));
    this.#leases = new EtcdLeases(this.#members, (key, lease) => this.#remove(key, lease));
  }

  /** Resolves when etcd has answered, or not within `timeoutMs`: then the store is away at first. */
  static async open(options: EtcdStoreOptions): Promise<EtcdStore> {
    const store = new EtcdStore(options);
    await store.#probe(store.#clock.now() + store.#timeoutMs);
    void store.#keepProbing();
    store.#keepStatus();
    return store;
  }

  get status(): StoreStatus {
    return this.#statusListeners.status;
  }

  onStatus(listener: (status: StoreStatus) => void): void {
    this.#statusListeners.add(listener);
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    checkKey(key);
    const found = await this.#call((deadline) => this.#read(key, deadline));
    return found === undefined ? undefined : seen(found);
  }

  async list(prefix: string): Promise<readonly StoreEntry[]> {
    checkPrefix(prefix);
    return this.#call(async (deadline) => {
      const read = (timeoutMs: number): Promise<Everything> => this.#reader.all(prefix, timeoutMs);
      return (await this.#members.persist(deadline, read)).entries;
    });
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<StoreEntry | undefined> {
    checkKey(key);
    checkValue(value);
    const { leaseMs, ifRevision } = options;
    if (leaseMs !== undefined) checkLease(leaseMs);
    if (ifRevision !== undefined) checkRevision(ifRevision);
    return this.#call((deadline) =>
      this.#leases.inTurn(key, async () => {
        if (leaseMs !== undefined) return this.#putLeased(key, value, leaseMs, ifRevision, deadline);
        const entry = await this.#write(key, value, "0", ifRevision, deadline);
        if (entry !== undefined) this.#leases.release(key);
        return entry;
      }),
    );
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    return this.#call((deadline) =>
      this.#leases.inTurn(key, async () => {
        const bytes = this.#keyOf(key);
        const exists: Compare = { key: bytes, target: "VERSION", result: "GREATER", version: 0 };
        const success = [{ requestDeleteRange: { key: bytes } }];
        const revision = await this.#writer.write(() => ({ compare: [exists], success }), deadline);
        this.#leases.release(key);
        return revision !== undefined;
      }),
    );
  }

  watch(prefix: string, listener: (event: StoreEvent) => void): () => void {
    checkPrefix(prefix);
    const watch = new EtcdWatch(this.#members, this.#reader, {
      ...this.#place,
      prefix,
      listener,
      refused: (message) => this.#say(message),
    });
    this.#watches.add(watch);
    return () => {
      watch.stop();
      this.#watches.delete(watch);
    };
  }

  campaign(name: string, candidate: string, leaseMs: number, listener: (leads: boolean) => void): Campaign {
    const leadership = new Leadership(this, {
      name,
      candidate,
      leaseMs,
      listener,
      clock: this.#clock,
      distrustsEmpty: true,
      onClose: () => this.#campaigns.delete(leadership),
    });
    this.#campaigns.add(leadership);
    return leadership;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#campaigns, (campaign) => campaign.close()));
    this.#closed = true;
    for (const watch of this.#watches) watch.stop();
    const deadline = this.#clock.now() + this.#timeoutMs;
    // What cannot be taken back now ends with its lease.
    if (this.status === "connected")
      await Promise.allSettled([this.#leases.close(deadline), this.#writer.close(deadline)]);
    this.#members.close();
  }

  #keyOf(key: string): Buffer {
    return Buffer.from(this.#place.root + key);
  }

  async #call<T>(run: (deadline: number) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError("away", "the store is closed");
    if (this.status === "away") throw new StoreError("away", "etcd does not answer");
    const deadline = this.#clock.now() + this.#timeoutMs;
    // What still waits when the time is over begins nothing any more.
    const running = this.#window.run(() => run(deadline));
    try {
      const result = await within(this.#clock, this.#timeoutMs + GRACE_MS, running, busy);
      this.#heard();
      return result;
    } catch (error) {
      throw storeErrorOf(error);
    }
  }

  #read(key: string, deadline: number): Promise<LeasedEntry | undefined> {
    return this.#members.persist(deadline, (timeoutMs) => this.#reader.one(key, timeoutMs));
  }

  async #putLeased(
    key: string,
    value: string,
    leaseMs: number,
    ifRevision: number | undefined,
    deadline: number,
  ): Promise<StoreEntry | undefined> {
    for (;;) {
      const calledAt = this.#clock.now();
      const lease = await this.#leases.ensure(leaseMs, calledAt + leaseMs, deadline);
      try {
        if (this.#leases.leaseOf(key) === lease) {
          const found = await this.#read(key, deadline);
          const same = found?.lease === lease && found.value === value;
          if (same && (ifRevision ?? found.revision) === found.revision) {
            this.#leases.hold(key, lease, this.#clock.now() + leaseMs);
            return seen(found);
          }
        }
        const entry = await this.#write(key, value, lease, ifRevision, deadline);
        if (entry !== undefined) this.#leases.hold(key, lease, this.#clock.now() + leaseMs);
        return entry;
      } catch (error) {
        if (!(error instanceof EtcdError && error.leaseIsGone)) {
          // It may be there.
          this.#leases.hold(key, lease, calledAt + leaseMs);
          throw error;
        }
        this.#leases.forget(lease);
      }
    }
  }

  async #write(
    key: string,
    value: string,
    lease: string,
    ifRevision: number | undefined,
    deadline: number,
  ): Promise<StoreEntry | undefined> {
    const bytes = this.#keyOf(key);
    const success = [{ requestPut: { key: bytes, value: Buffer.from(value), lease } }];
    const revision = await this.#writer.write((life) => {
      if (ifRevision === undefined) return { compare: [], success };
      return onlyIf(bytes, ifRevision, life, success);
    }, deadline);
    return revision === undefined ? undefined : { key, value, revision };
  }

  /** Deletes what has not been put again, if it is still what was put from here. */
  async #remove(key: string, lease: string): Promise<void> {
    await this.#call(async (deadline) => {
      const found = await this.#read(key, deadline);
      if (found?.lease !== lease) return;
      const bytes = this.#keyOf(key);
      const success = [{ requestDeleteRange: { key: bytes } }];
      await this.#writer.write((life) => onlyIf(bytes, found.revision, life, success), deadline);
    });
  }

  #heard(): void {
    this.#heardAt = this.#clock.now();
    if (!this.#closed) this.#statusListeners.set("connected");
  }

  async #keepProbing(): Promise<void> {
    while (!this.#closed) {
      const answered = await this.#probe(this.#clock.now() + this.#timeoutMs);
      await new Promise<void>((resolve) => this.#clock.after(answered ? PROBE_EVERY_MS : PROBE_AGAIN_MS, resolve));
    }
  }

  #keepStatus(): void {
    if (this.#closed) return;
    if (this.#clock.now() - this.#heardAt > this.#awayAfterMs) this.#statusListeners.set("away");
    this.#clock.after(CHECK_STATUS_EVERY_MS, () => this.#keepStatus());
  }

  /** Whether most members answer, and for which store. */
  async #probe(deadline: number): Promise<boolean> {
    try {
      const { identity } = await this.#members.persist(deadline, (timeoutMs) => this.#reader.life(timeoutMs));
      if (this.#identity !== undefined && identity !== this.#identity)
        for (const watch of this.#watches) watch.readAgain();
      this.#identity = identity;
      this.#heard();
      return true;
    } catch (error) {
      if (error instanceof EtcdError) this.#say(`etcd refuses this store: ${error.message}`);
      return false;
    }
  }

  /** The same thing only once. */
  #say(message: string): void {
    if (message === this.#lastLog) return;
    this.#lastLog = message;
    this.#log(message);
  }
}

function busy(): StoreError {
  return new StoreError("timeout", "etcd is busy");
}

/** What to write if the key has the revision (0: does not exist) in a store of this life; nothing if it is of another. */
function onlyIf(key: Buffer, revision: number, life: StoreLife, success: readonly RequestOp[]): Write | undefined {
  const modRevision = revision === 0 ? 0 : revision - life.firstRevision;
  if (revision !== 0 && modRevision <= 0) return undefined;
  return { compare: [{ key, target: "MOD", result: "EQUAL", modRevision }], success };
}

function seen({ key, value, revision }: StoreEntry): StoreEntry {
  return { key, value, revision };
}
