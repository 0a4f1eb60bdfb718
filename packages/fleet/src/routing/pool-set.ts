/**
 * Keeps pools of nodes true while nodes come, go and change. A pool is made when a filter first asks for its version and mode,
 * and then kept up to date with each change; when there are too many, the one that was used longest ago goes, if that is
 * long enough ago, so that asking for ever other ones costs no more than it should.
 *
 * A node found without seats leaves the lists until seats may have come: until its next report, or `noteSeats`.
 */
import type { NodeObserver, NodeTable } from "../registry/node-table.ts";
import { FULL, READY } from "../registry/node-table.ts";
import { ANY, DOUBTED, HEALTHY, NodePool, UNLISTED, UNNAMED } from "./node-pool.ts";
import type { Standing } from "./node-pool.ts";

/** A pool that was used within this time stays. */
const KEEP_POOL_MS = 60_000;

/** By region. */
interface RegionCount {
  /** Nodes that take players: ready or full. */
  members: number;
  /** Of them: neither suspected nor ejected. */
  healthy: number;
  ejected: number;
}

// What a node counts as now, in bits.
const MEMBER = 1;
const IS_HEALTHY = 2;
const IS_EJECTED = 4;

export class PoolSet implements NodeObserver {
  readonly #table: NodeTable;
  readonly #maxPools: number;
  readonly #pools: NodePool[] = [];
  /** By version and then mode, each from `ANY` and `UNNAMED` on. */
  readonly #byFilter: (NodePool | undefined)[][] = [];
  readonly #regions: RegionCount[] = [];
  readonly #countedAs: Uint8Array;
  readonly #seatless: Uint8Array;
  #members = 0;
  #seatlessCount = 0;

  constructor(table: NodeTable, maxPools: number) {
    this.#table = table;
    this.#maxPools = maxPools;
    this.#countedAs = new Uint8Array(table.maxNodes);
    this.#seatless = new Uint8Array(table.maxNodes);
    this.#pools.push(new NodePool(table, ANY, ANY));
    table.observe(this);
  }

  /** All nodes. */
  get whole(): NodePool {
    return this.#pools[0];
  }

  get size(): number {
    return this.#pools.length;
  }

  /** Nodes that take players. */
  get members(): number {
    return this.#members;
  }

  get seatlessNodes(): number {
    return this.#seatlessCount;
  }

  /** `undefined`: there is no room for it now; `whole` with a look at each node must do. */
  find(version: number, gameMode: number, now: number): NodePool | undefined {
    if (version === ANY && gameMode === ANY) return this.whole;
    const pool = this.#byFilter[version - ANY]?.[gameMode - UNNAMED] ?? this.#newPool(version, gameMode, now);
    if (pool !== undefined) pool.usedAt = now;
    return pool;
  }

  membersIn(region: number): number {
    return this.#regions[region]?.members ?? 0;
  }

  ejectedIn(region: number): number {
    return this.#regions[region]?.ejected ?? 0;
  }

  /** So few of its nodes are healthy that the doubts must be wrong, or that those left would be crushed. */
  isPanic(region: number, threshold: number): boolean {
    const count = this.#regions[region];
    return count !== undefined && count.healthy < threshold * count.members;
  }

  isSeatless(index: number): boolean {
    return this.#seatless[index] === 1;
  }

  noteSeatless(index: number): void {
    if (this.#seatless[index] === 1) return;
    this.#seatless[index] = 1;
    this.#seatlessCount++;
    this.#place(index);
  }

  noteSeats(index: number): void {
    if (this.#seatless[index] === 0) return;
    this.#seatless[index] = 0;
    this.#seatlessCount--;
    this.#place(index);
  }

  nodeAdded(index: number): void {
    this.nodeChanged(index);
  }

  nodeRemoved(index: number): void {
    this.#count(index, 0);
    for (const pool of this.#pools) if (pool.placeOf(index) >= 0) pool.setStanding(index, UNLISTED);
    if (this.#seatless[index] === 1) this.#seatlessCount--;
    this.#seatless[index] = 0;
  }

  nodeChanged(index: number): void {
    this.#count(index, this.#judge(index));
    this.#place(index);
  }

  nodeReported(index: number): void {
    this.noteSeats(index);
  }

  #judge(index: number): number {
    const { state, suspected, ejectedUntil } = this.#table;
    if (state[index] !== READY && state[index] !== FULL) return 0;
    if (ejectedUntil[index] > 0) return MEMBER | IS_EJECTED;
    return suspected[index] === 1 ? MEMBER : MEMBER | IS_HEALTHY;
  }

  #count(index: number, after: number): void {
    const before = this.#countedAs[index];
    if (before === after) return;
    this.#countedAs[index] = after;
    const change = (after & MEMBER) - (before & MEMBER);
    const count = (this.#regions[this.#table.region[index]] ??= { members: 0, healthy: 0, ejected: 0 });
    count.members += change;
    count.healthy += ((after & IS_HEALTHY) - (before & IS_HEALTHY)) / IS_HEALTHY;
    count.ejected += ((after & IS_EJECTED) - (before & IS_EJECTED)) / IS_EJECTED;
    this.#members += change;
    if (change !== 0)
      for (const pool of this.#pools) if (pool.includes(index)) pool.countMember(index, change > 0 ? 1 : -1);
  }

  #place(index: number): void {
    const standing = this.#standingOf(index);
    for (const pool of this.#pools) if (pool.includes(index)) pool.setStanding(index, standing);
  }

  #standingOf(index: number): Standing {
    if (this.#table.state[index] !== READY || this.#seatless[index] === 1) return UNLISTED;
    return (this.#countedAs[index] & IS_HEALTHY) > 0 ? HEALTHY : DOUBTED;
  }

  #newPool(version: number, gameMode: number, now: number): NodePool | undefined {
    if (this.#pools.length >= this.#maxPools && !this.#dropOldest(now)) return undefined;
    const pool = new NodePool(this.#table, version, gameMode);
    for (let index = 0; index < this.#table.end; index++) {
      if (!this.#table.has(index) || !pool.includes(index)) continue;
      if ((this.#countedAs[index] & MEMBER) > 0) pool.countMember(index, 1);
      pool.setStanding(index, this.#standingOf(index));
    }
    this.#pools.push(pool);
    (this.#byFilter[version - ANY] ??= [])[gameMode - UNNAMED] = pool;
    return pool;
  }

  #dropOldest(now: number): boolean {
    let oldest = -1;
    for (let i = 1; i < this.#pools.length; i++)
      if (oldest < 0 || this.#pools[i].usedAt < this.#pools[oldest].usedAt) oldest = i;
    if (oldest < 0 || now - this.#pools[oldest].usedAt < KEEP_POOL_MS) return false;
    const [{ version, gameMode }] = this.#pools.splice(oldest, 1);
    this.#byFilter[version - ANY][gameMode - UNNAMED] = undefined;
    return true;
  }
}
