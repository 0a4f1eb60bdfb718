/** Finds the longest of many IP prefixes that an address is in: a binary tree in one array for each family. */
import type { IpAddress } from "./ip-address.ts";

export class PrefixTable<T extends {}> {
  /** Of each node the next ones, by bit; 0: none. The first two nodes are the roots, IPv4's and IPv6's. */
  #next: Uint32Array = new Uint32Array(128);
  readonly #values: (T | undefined)[] = [undefined, undefined];

  /** Sets the value of the first `length` bits of `address`; false: it had one. */
  add(address: IpAddress, length: number, value: T): boolean {
    let node = rootOf(address);
    for (let i = 0; i < length; i++) {
      const edge = node * 2 + address.bit(i);
      node = this.#next[edge];
      if (node !== 0) continue;
      node = this.#newNode();
      // Only now: the array may have been replaced by a larger one.
      this.#next[edge] = node;
    }
    if (this.#values[node] !== undefined) return false;
    this.#values[node] = value;
    return true;
  }

  find(address: IpAddress): T | undefined {
    const next = this.#next;
    const values = this.#values;
    const bits = address.version === 4 ? 32 : 128;
    let node = rootOf(address);
    let found = values[node];
    for (let i = 0; i < bits; i++) {
      node = next[node * 2 + address.bit(i)];
      if (node === 0) break;
      found = values[node] ?? found;
    }
    return found;
  }

  #newNode(): number {
    const node = this.#values.push(undefined) - 1;
    if (node * 2 + 1 >= this.#next.length) {
      const larger = new Uint32Array(this.#next.length * 2);
      larger.set(this.#next);
      this.#next = larger;
    }
    return node;
  }
}

function rootOf(address: IpAddress): number {
  return address.version === 4 ? 0 : 1;
}
