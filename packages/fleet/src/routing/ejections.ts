/**
 * Leaves out nodes on which placements come to nothing, one after the other, whatever their health says: for a while, twice
 * as long each time, never too many of a region at once.
 */
import type { RoutingConfig } from "../config/load-balancer-config.ts";
import type { NodeObserver, NodeTable } from "../registry/node-table.ts";
import { FULL, READY } from "../registry/node-table.ts";
import type { PoolSet } from "./pool-set.ts";

const MAX_DOUBLINGS = 6;
/** In times of its last ejection: after so long without another one, the next is as short as the first. */
const FORGOTTEN_AFTER = 10;

export class Ejections implements NodeObserver {
  readonly #table: NodeTable;
  readonly #pools: PoolSet;
  /** Those that are left out now. */
  readonly #ejected: Set<number> = new Set();
  readonly #failures: Uint16Array;
  readonly #times: Uint8Array;
  readonly #forgottenAt: Float64Array;
  #nextEndAt = Infinity;

  constructor(table: NodeTable, pools: PoolSet) {
    this.#table = table;
    this.#pools = pools;
    this.#failures = new Uint16Array(table.maxNodes);
    this.#times = new Uint8Array(table.maxNodes);
    this.#forgottenAt = new Float64Array(table.maxNodes);
    table.observe(this);
  }

  get size(): number {
    return this.#ejected.size;
  }

  /** What became of a placement. Those from before an ejection do not count during it. */
  note(index: number, ok: boolean, now: number, config: RoutingConfig): void {
    this.expire(now);
    const state = this.#table.state[index];
    if (this.#ejected.has(index) || (state !== READY && state !== FULL)) return;
    if (ok) {
      this.#failures[index] = 0;
      return;
    }
    this.#failures[index] = Math.min(this.#failures[index] + 1, 0xffff);
    if (this.#failures[index] >= config.ejectAfterFailures && this.#hasRoom(index, config.maxEjectedShare))
      this.#eject(index, now, config.ejectForMs);
  }

  /** Lets those in whose time is over. */
  expire(now: number): void {
    if (now < this.#nextEndAt) return;
    this.#nextEndAt = Infinity;
    for (const index of this.#ejected) {
      const until = this.#table.ejectedUntil[index];
      if (now < until) this.#nextEndAt = Math.min(this.#nextEndAt, until);
      else {
        this.#ejected.delete(index);
        this.#table.setEjectedUntil(index, 0);
      }
    }
  }

  nodeAdded(): void {}

  nodeChanged(): void {}

  nodeReported(): void {}

  nodeRemoved(index: number, returns: boolean): void {
    if (returns) return;
    this.#ejected.delete(index);
    this.#failures[index] = 0;
    this.#times[index] = 0;
  }

  #hasRoom(index: number, maxShare: number): boolean {
    const region = this.#table.region[index];
    const members = this.#pools.membersIn(region);
    // One of a few is more than its share, but better than players who never arrive.
    const least = members >= 2 && maxShare > 0 ? 1 : 0;
    return this.#pools.ejectedIn(region) < Math.max(least, Math.floor(members * maxShare));
  }

  #eject(index: number, now: number, ejectForMs: number): void {
    if (now >= this.#forgottenAt[index]) this.#times[index] = 0;
    const forMs = ejectForMs * 2 ** Math.min(this.#times[index], MAX_DOUBLINGS);
    this.#times[index] = Math.min(this.#times[index] + 1, MAX_DOUBLINGS);
    this.#forgottenAt[index] = now + forMs * (1 + FORGOTTEN_AFTER);
    this.#failures[index] = 0;
    this.#ejected.add(index);
    this.#nextEndAt = Math.min(this.#nextEndAt, now + forMs);
    this.#table.setEjectedUntil(index, now + forMs);
  }
}
