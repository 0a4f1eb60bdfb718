/**
 * A token bucket for each remote address, in a table of bounded size: when it is full the address
 * heard of longest ago is forgotten. IPv6 addresses count by their /64, the smallest network that a
 * provider gives to one customer.
 */

export interface AddressRateLimiterOptions {
  /** Requests an address may make at once. */
  readonly burst: number;
  /** Requests an address gets back each second. */
  readonly perSec: number;
  /** Addresses remembered. Default 4096. */
  readonly maxAddresses?: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class AddressRateLimiter {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #maxAddresses: number;
  readonly #buckets: Map<string, Bucket> = new Map();

  constructor(options: AddressRateLimiterOptions) {
    if (!(options.burst >= 1)) throw new RangeError(`burst must be at least 1, got ${options.burst}`);
    if (!(options.perSec > 0)) throw new RangeError(`perSec must be positive, got ${options.perSec}`);
    this.#burst = options.burst;
    this.#perMs = options.perSec / 1000;
    this.#maxAddresses = options.maxAddresses ?? 4096;
  }

  /** Addresses remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one request from the address's bucket; false when it is empty. */
  take(address: string, now: number): boolean {
    const key = networkOf(address);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxAddresses) {
        for (const oldest of this.#buckets.keys()) {
          this.#buckets.delete(oldest);
          break;
        }
      }
      bucket = { tokens: this.#burst, at: now };
    } else {
      this.#buckets.delete(key);
      bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs);
      bucket.at = now;
    }
    // Set again, so that the map's order is the order of the last request.
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** The address itself for IPv4, the first 64 bits for IPv6. */
export function networkOf(address: string): string {
  const mapped = address.toLowerCase().startsWith("::ffff:") && address.includes(".");
  if (mapped) return address.slice(7);
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%")[0].split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const behind = tail === "" ? [] : tail.split(":");
    while (groups.length + behind.length < 8) groups.push("0");
    groups.push(...behind);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
