/**
 * Leases of etcd, one for all keys of the same `leaseMs`, and when each of these keys was put last.
 *
 * A lease lives half as long again as `leaseMs`, so it is kept alive once for many keys, and only when one of them is put.
 * A key that nobody puts again while others keep its lease alive is deleted from here; if this process dies, etcd
 * deletes them all.
 */

import type { StoreClock } from "../store-clock.ts";
import { leaseGrantMethod, leaseKeepAliveMethod, leaseRevokeMethod } from "./etcd-api.ts";
import type { EtcdMembers } from "./etcd-members.ts";

/** etcd counts whole seconds. */
const LIFETIME_SHARE = 1.5;
/** Keys end at most this late. */
const RESOLUTION_MS = 100;
const RETRY_MS = 1000;

interface SharedLease {
  id: string;
  /** etcd keeps it at least so long. */
  aliveUntil: number;
  renewal: Promise<void> | undefined;
}

interface LeasedKey {
  readonly lease: string;
  /** Infinity: it is being deleted. */
  expiresAt: number;
}

export class EtcdLeases {
  readonly #members: EtcdMembers;
  readonly #clock: StoreClock;
  readonly #remove: (key: string, lease: string) => Promise<void>;
  readonly #leases = new Map<number, SharedLease>();
  readonly #keys = new Map<string, LeasedKey>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  /** @param remove deletes a key if it is still under this lease */
  constructor(members: EtcdMembers, remove: (key: string, lease: string) => Promise<void>) {
    this.#members = members;
    this.#clock = members.clock;
    this.#remove = remove;
  }

  /** One after the other: what is done with the same key. */
  async inTurn<T>(key: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(action, action);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** The ID of a lease that lives at least until `aliveUntil`. */
  async ensure(leaseMs: number, aliveUntil: number, deadline: number): Promise<string> {
    let lease = this.#leases.get(leaseMs);
    if (lease === undefined) this.#leases.set(leaseMs, (lease = { id: "", aliveUntil: -Infinity, renewal: undefined }));
    const shared = lease;
    while (shared.aliveUntil < aliveUntil) {
      shared.renewal ??= this.#renew(shared, leaseMs, deadline).finally(() => {
        shared.renewal = undefined;
      });
      await shared.renewal;
    }
    return shared.id;
  }

  /** etcd knows nothing of this lease any more, nor of its keys. */
  forget(id: string): void {
    for (const lease of this.#leases.values()) if (lease.id === id) lease.aliveUntil = -Infinity;
  }

  leaseOf(key: string): string | undefined {
    return this.#keys.get(key)?.lease;
  }

  /** The key is under this lease, or may be, and goes away at `expiresAt` unless it is put again. */
  hold(key: string, lease: string, expiresAt: number): void {
    this.#keys.set(key, { lease, expiresAt });
    if (this.#timer === undefined || expiresAt < this.#timer.at) this.#arm(expiresAt);
  }

  release(key: string): void {
    this.#keys.delete(key);
  }

  async close(deadline: number): Promise<void> {
    this.#timer?.cancel();
    const ids = Array.from(this.#leases.values(), ({ id }) => id).filter((id) => id !== "");
    await Promise.all(
      ids.map((ID) =>
        this.#members.persist(deadline, (timeoutMs) => this.#members.ask(leaseRevokeMethod, { ID }, timeoutMs)),
      ),
    );
  }

  async #renew(lease: SharedLease, leaseMs: number, deadline: number): Promise<void> {
    await this.#members.persist(deadline, async (timeoutMs) => {
      const askedAt = this.#clock.now();
      if (lease.aliveUntil > -Infinity) {
        const { TTL } = await this.#members.exchange(leaseKeepAliveMethod, { ID: lease.id }, timeoutMs);
        lease.aliveUntil = TTL === "0" ? -Infinity : askedAt + Number(TTL) * 1000;
      }
      if (lease.aliveUntil > -Infinity) return;
      const seconds = Math.ceil((leaseMs * LIFETIME_SHARE) / 1000);
      const { ID, TTL } = await this.#members.ask(leaseGrantMethod, { TTL: seconds }, timeoutMs);
      lease.id = ID;
      lease.aliveUntil = askedAt + Number(TTL) * 1000;
    });
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === Infinity) return;
    const cancel = this.#clock.after(Math.max(at - this.#clock.now(), 0), () => this.#expireDue());
    this.#timer = { at, cancel };
  }

  #expireDue(): void {
    const now = this.#clock.now();
    let next = Infinity;
    for (const [key, held] of this.#keys) {
      if (held.expiresAt <= now) {
        held.expiresAt = Infinity;
        void this.inTurn(key, () => this.#expire(key, held));
      }
      next = Math.min(next, Math.max(held.expiresAt, now + RESOLUTION_MS));
    }
    this.#arm(next);
  }

  async #expire(key: string, held: LeasedKey): Promise<void> {
    // It was put meanwhile.
    if (this.#keys.get(key) !== held) return;
    try {
      await this.#remove(key, held.lease);
      this.#keys.delete(key);
    } catch {
      // Others may keep its lease alive, so it does not go by itself.
      this.hold(key, held.lease, this.#clock.now() + RETRY_MS);
    }
  }
}
