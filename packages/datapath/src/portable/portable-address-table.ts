import { SocketAddress, isIPv4, isIPv6 } from "node:net";
import type { AddressTable } from "../datapath.ts";

const NONE = -1;
const MAPPED_PREFIX = "::ffff:";
/** fe80::/10 */
const LINK_LOCAL = /^fe[89ab]/;
/** The native table's limit. */
const MAX_CAPACITY = 1 << 22;

/** See `AddressTable`. Keys are texts, as node:dgram names addresses. */
export class PortableAddressTable implements AddressTable {
  readonly capacity: number;
  readonly #paths = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #hosts: string[] = [];
  readonly #hosts6: string[] = [];
  readonly #ports: Int32Array;
  readonly #retained: Int32Array;
  /** The unretained paths as a list, oldest use first. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  #oldest = NONE;
  #newest = NONE;
  #recycled = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY)
      throw new RangeError(`capacity must be an integer from 1 to ${MAX_CAPACITY}, not ${capacity}`);
    this.capacity = capacity;
    this.#ports = new Int32Array(capacity);
    this.#retained = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  get size(): number {
    return this.#keys.length;
  }

  get recycled(): number {
    return this.#recycled;
  }

  intern(host: string, port: number): number {
    // Nearly always it is known, and written as here.
    const known = this.#use(`${unmapped(host)} ${port}`);
    if (known !== NONE) return known;
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new RangeError(`port must be an integer from 0 to 65535, not ${port}`);
    const plain = canonical(host);
    const key = `${plain} ${port}`;
    const rewritten = this.#use(key);
    return rewritten === NONE ? this.#add(key, plain, port) : rewritten;
  }

  retain(path: number): void {
    this.#check(path);
    if (this.#retained[path]++ === 0) this.#unlink(path);
  }

  release(path: number): void {
    this.#check(path);
    if (this.#retained[path] === 0) throw new RangeError(`path ${path} is not retained`);
    if (--this.#retained[path] === 0) this.#link(path);
  }

  name(path: number): string {
    this.#check(path);
    return this.#keys[path];
  }

  host(path: number): string {
    this.#check(path);
    return this.#hosts[path];
  }

  /** The address as a dual-stack socket names it: IPv4 mapped into IPv6. */
  host6(path: number): string {
    this.#check(path);
    return this.#hosts6[path];
  }

  port(path: number): number {
    this.#check(path);
    return this.#ports[path];
  }

  has(path: number): boolean {
    return path >= 0 && path < this.#keys.length;
  }

  /** The path of a known key, used just now; else -1. */
  #use(key: string): number {
    const path = this.#paths.get(key);
    if (path === undefined) return NONE;
    if (this.#retained[path] === 0 && path !== this.#newest) {
      this.#unlink(path);
      this.#link(path);
    }
    return path;
  }

  #add(key: string, plain: string, port: number): number {
    let path = this.#keys.length;
    if (path === this.capacity) {
      path = this.#oldest;
      if (path === NONE) return NONE;
      this.#unlink(path);
      this.#paths.delete(this.#keys[path]);
      this.#recycled += 1;
    }
    this.#paths.set(key, path);
    this.#keys[path] = key;
    this.#hosts[path] = plain;
    this.#hosts6[path] = plain.includes(":") ? plain : MAPPED_PREFIX + plain;
    this.#ports[path] = port;
    this.#link(path);
    return path;
  }

  #check(path: number): void {
    if (!this.has(path)) throw new RangeError(`unknown path ${path}`);
  }

  #link(path: number): void {
    this.#next[path] = NONE;
    this.#previous[path] = this.#newest;
    if (this.#newest === NONE) this.#oldest = path;
    else this.#next[this.#newest] = path;
    this.#newest = path;
  }

  #unlink(path: number): void {
    const next = this.#next[path];
    const previous = this.#previous[path];
    if (next === NONE) this.#newest = previous;
    else this.#previous[next] = previous;
    if (previous === NONE) this.#oldest = next;
    else this.#next[previous] = next;
  }
}

/** IPv4 mapped into IPv6 as the IPv4 address. */
function unmapped(host: string): string {
  return host.startsWith(MAPPED_PREFIX) && host.includes(".") ? host.slice(MAPPED_PREFIX.length) : host;
}

/** The one way an address is written here: node:dgram's. */
function canonical(host: string): string {
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) throw new RangeError(`host must be an IP address, not ${host}`);
  const [address, scope] = host.split("%");
  const plain = unmapped(new SocketAddress({ address, family: "ipv6" }).address);
  return scope !== undefined && LINK_LOCAL.test(plain) ? `${plain}%${scope}` : plain;
}
