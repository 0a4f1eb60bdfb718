/**
 * What each network prefix (IPv4 /24, IPv6 /48) may still do: a token bucket for its requests and a count of its open
 * connections. A bucket that is asked for more than it holds goes into debt: a prefix whose debt is as large as its burst is
 * *blocked* until its rate has paid it. Addresses that have authenticated count alone, so that a node is not kept
 * out by its neighbours. Limits are read at each call, so that they change live. Reads no clock.
 */
import type { LimitConfig } from "../config/load-balancer-config.ts";

export type RequestVerdict = "pass" | "refuse" | "blocked";

export interface PrefixLimitsOptions {
  readonly limits: () => LimitConfig;
  /** Prefixes remembered; the one heard of longest ago is forgotten. Default 65536. */
  readonly maxPrefixes?: number;
  /** An address that has authenticated counts alone for so long. Default 60000 ms. */
  readonly trustMs?: number;
}

interface Bucket {
  tokens: number;
  at: number;
  isBlocked: boolean;
}

export class PrefixLimits {
  readonly #limits: () => LimitConfig;
  readonly #maxPrefixes: number;
  readonly #trustMs: number;
  readonly #buckets: Map<string, Bucket> = new Map();
  readonly #connections: Map<string, number> = new Map();
  readonly #trustedUntil: Map<string, number> = new Map();
  #open = 0;

  constructor({ limits, maxPrefixes = 65536, trustMs = 60_000 }: PrefixLimitsOptions) {
    this.#limits = limits;
    this.#maxPrefixes = maxPrefixes;
    this.#trustMs = trustMs;
  }

  /** Connections open now. */
  get open(): number {
    return this.#open;
  }

  /** Prefixes remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** What `address` is counted under. */
  keyOf(address: string, now: number): string {
    const until = this.#trustedUntil.get(address);
    return until !== undefined && now < until ? `=${address}` : prefixOf(address);
  }

  /** `address` has shown who it is. */
  trust(address: string, now: number): void {
    this.#trustedUntil.delete(address);
    forgetOldest(this.#trustedUntil, this.#maxPrefixes);
    this.#trustedUntil.set(address, now + this.#trustMs);
  }

  isBlocked(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return false;
    this.#fill(bucket, now);
    return bucket.isBlocked;
  }

  /** Counts a request against the bucket of `key`. */
  take(key: string, now: number): RequestVerdict {
    const burst = this.#limits().requestBurst;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      forgetOldest(this.#buckets, this.#maxPrefixes);
      bucket = { tokens: burst, at: now, isBlocked: false };
    } else {
      // Set again below, so that the map's order is the order of the last request.
      this.#buckets.delete(key);
      this.#fill(bucket, now);
    }
    this.#buckets.set(key, bucket);
    if (bucket.isBlocked) return "blocked";
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return "pass";
    }
    bucket.tokens -= 1;
    bucket.isBlocked = bucket.tokens <= -burst;
    return bucket.isBlocked ? "blocked" : "refuse";
  }

  /**
   * A request that passed costs so much more. False: its prefix is in debt already; else it may go into debt, so that one that
   * costs more than a burst is possible, too.
   */
  charge(key: string, more: number, now: number): boolean {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return true;
    this.#fill(bucket, now);
    if (bucket.tokens < 0) return false;
    bucket.tokens = Math.max(bucket.tokens - more, 1 - this.#limits().requestBurst);
    return true;
  }

  /** Whether a connection may be opened under `key`; where it may, it counts until `closeConnection`. */
  openConnection(key: string): boolean {
    const { connections, connectionsPerPrefix } = this.#limits();
    const own = this.#connections.get(key) ?? 0;
    // When it gets tight, nobody may hold many of the places that are left.
    const isTight = this.#open >= connections * 0.75;
    const most = isTight ? Math.max(1, Math.floor(connectionsPerPrefix / 8)) : connectionsPerPrefix;
    if (this.#open >= connections || own >= most) return false;
    this.#connections.set(key, own + 1);
    this.#open++;
    return true;
  }

  closeConnection(key: string): void {
    const own = this.#connections.get(key) ?? 0;
    if (own === 0) return;
    this.#open--;
    if (own === 1) this.#connections.delete(key);
    else this.#connections.set(key, own - 1);
  }

  #fill(bucket: Bucket, now: number): void {
    const { requestBurst, requestsPerSec } = this.#limits();
    const earned = (Math.max(0, now - bucket.at) * requestsPerSec) / 1000;
    bucket.tokens = Math.min(requestBurst, bucket.tokens + earned);
    bucket.at = now;
    if (bucket.tokens >= 0) bucket.isBlocked = false;
  }
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  if (map.size < max) return;
  // Several at once: to find the first entry of a map takes as long as many were deleted before it.
  let left = Math.ceil(max / 16);
  for (const oldest of map.keys()) {
    map.delete(oldest);
    if (--left === 0) return;
  }
}

/** Without the "::ffff:" of an IPv4 address that came by an IPv6 socket. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** The first 24 bits of an IPv4 address, the first 48 of an IPv6 one. */
export function prefixOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(":")) return plain.slice(0, plain.lastIndexOf(".") + 1);
  const [head = "", tail] = plain.split("%")[0].split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const behind = tail === "" ? [] : tail.split(":");
    while (groups.length + behind.length < 8) groups.push("0");
    groups.push(...behind);
  }
  const first = groups.slice(0, 3).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::`;
}
