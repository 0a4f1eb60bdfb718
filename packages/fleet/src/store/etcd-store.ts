/**
 * A store in etcd 3, shared by all balancers: over etcd's own gRPC API, members one at a time.
 *
 * Keys are `<name>/<key>`; beside them `<name>.identity` tells this store from one of the same name that was made after this
 * one was lost, and `<name>.passes/` holds the passes of `EtcdWriter`. All reads are linearizable. Once a second a read
 * shows whether most members still answer.
 */

import { randomUUID } from "node:crypto";
import { CallWindow } from "./etcd/call-window.ts";
import { endOfPrefix, rangeMethod } from "./etcd/etcd-api.ts";
import type { Compare, KeyValue } from "./etcd/etcd-api.ts";
import { EtcdError, storeErrorOf } from "./etcd/etcd-error.ts";
import { EtcdLeases } from "./etcd/etcd-leases.ts";
import { EtcdMembers, PAGE_ENTRIES } from "./etcd/etcd-members.ts";
import type { EtcdTls } from "./etcd/etcd-members.ts";
import { EtcdWatch, entryOf } from "./etcd/etcd-watch.ts";
import { EtcdWriter } from "./etcd/etcd-writer.ts";
import { Leadership } from "./leadership.ts";
import { StoreError } from "./state-store.ts";
import type { Campaign, PutOptions, StateStore, StoreEntry, StoreEvent, StoreStatus } from "./state-store.ts";
import { StatusListeners } from "./status-listeners.ts";
import { systemClock, within } from "./store-clock.ts";
import type { StoreClock } from "./store-clock.ts";
import { checkKey, checkLease, checkPrefix, checkRevision, checkValue } from "./store-limits.ts";

/** More at once make etcd slower, and its answers late. */
const CALLS_AT_ONCE = 128;
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
  readonly #root: string;
  readonly #identityKey: Buffer;
  readonly #members: EtcdMembers;
  readonly #writer: EtcdWriter;
  readonly #leases: EtcdLeases;
  readonly #window = new CallWindow(CALLS_AT_ONCE, MAX_WAITING);
  readonly #watches = new Set<EtcdWatch>();
  readonly #campaigns = new Set<Campaign>();
  readonly #statusListeners = new StatusListeners("away");
  #heardAt = -Infinity;
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
    this.#root = `${name}/`;
    this.#identityKey = Buffer.from(`${name}.identity`);
    const { endpoints, tls, user, attemptMs = 1000 } = options;
    this.#members = new EtcdMembers({
      endpoints,
      clock: this.#clock,
      attemptMs,
      ...(tls === undefined ? {} : { tls }),
      ...(user === undefined ? {} : { user }),
    });
    this.#writer = new EtcdWriter(this.#members, `${name}.passes/`, this.#timeoutMs);
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
    const kv = await this.#call((deadline) => this.#read(this.#keyOf(key), deadline));
    return kv === undefined ? undefined : entryOf(kv, this.#root);
  }

  async list(prefix: string): Promise<readonly StoreEntry[]> {
    checkPrefix(prefix);
    const start = this.#keyOf(prefix);
    const rangeEnd = endOfPrefix(start);
    return this.#call((deadline) =>
      this.#members.persist(deadline, async (timeoutMs) => {
        const kvs: KeyValue[] = [];
        let key = start;
        for (let revision = 0; ;) {
          const request = { key, rangeEnd, limit: PAGE_ENTRIES, revision };
          const page = await this.#members.ask(rangeMethod, request, timeoutMs);
          kvs.push(...page.kvs);
          if (!page.more) return kvs.map((kv) => entryOf(kv, this.#root));
          key = Buffer.concat([kvs[kvs.length - 1].key, Buffer.alloc(1)]);
          revision ||= Number(page.header.revision);
        }
      }),
    );
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
        const { succeeded } = await this.#writer.write([exists], success, deadline);
        this.#leases.release(key);
        return succeeded;
      }),
    );
  }

  watch(prefix: string, listener: (event: StoreEvent) => void): () => void {
    checkPrefix(prefix);
    const watch = new EtcdWatch(this.#members, {
      root: this.#root,
      prefix,
      identityKey: this.#identityKey,
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
    return Buffer.from(this.#root + key);
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

  async #read(key: Buffer, deadline: number): Promise<KeyValue | undefined> {
    const { kvs } = await this.#members.persist(deadline, (timeoutMs) =>
      this.#members.ask(rangeMethod, { key }, timeoutMs),
    );
    return kvs[0];
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
          const kv = await this.#read(this.#keyOf(key), deadline);
          const same = kv?.lease === lease && kv.value.toString() === value;
          if (same && (ifRevision ?? Number(kv.modRevision)) === Number(kv.modRevision)) {
            this.#leases.hold(key, lease, this.#clock.now() + leaseMs);
            return entryOf(kv, this.#root);
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
    const bytes = { key: this.#keyOf(key), value: Buffer.from(value) };
    const compare: Compare[] =
      ifRevision === undefined ? [] : [{ key: bytes.key, target: "MOD", result: "EQUAL", modRevision: ifRevision }];
    const { succeeded, revision } = await this.#writer.write(compare, [{ requestPut: { ...bytes, lease } }], deadline);
    return succeeded ? { key, value, revision } : undefined;
  }

  /** Deletes what has not been put again, if it is still what was put from here. */
  async #remove(key: string, lease: string): Promise<void> {
    await this.#call(async (deadline) => {
      const kv = await this.#read(this.#keyOf(key), deadline);
      if (kv?.lease !== lease) return;
      const modRevision = Number(kv.modRevision);
      const compare: Compare = { key: kv.key, target: "MOD", result: "EQUAL", modRevision };
      await this.#writer.write([compare], [{ requestDeleteRange: { key: kv.key } }], deadline);
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

  /** Whether most members answer; makes the store's identity where there is none. */
  async #probe(deadline: number): Promise<boolean> {
    try {
      if ((await this.#read(this.#identityKey, deadline)) === undefined) {
        const key = this.#identityKey;
        const compare: Compare = { key, target: "MOD", result: "EQUAL", modRevision: 0 };
        await this.#writer.write([compare], [{ requestPut: { key, value: Buffer.from(randomUUID()) } }], deadline);
      }
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
