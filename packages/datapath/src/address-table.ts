const NONE = -1;
const MAPPED_PREFIX = "::ffff:";

/**
 * Names remote addresses by small integers, paths, so that machines and descriptors carry one
 * number each.
 *
 * Bounded: when every path is taken, `intern` forgets the path that was used longest ago among
 * those nobody retains, so a flood from forged addresses cannot push out a connection. IPv4
 * addresses mapped into IPv6 count as the IPv4 address they stand for.
 */
export class AddressTable {
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
  /** Addresses forgotten for newer ones. */
  recycled = 0;

  /** `capacity` defaults to 32,768 paths. */
  constructor(capacity = 32_768) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be at least 1, not ${capacity}`);
    this.capacity = capacity;
    this.#ports = new Int32Array(capacity);
    this.#retained = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  /** Paths in use. */
  get size(): number {
    return this.#keys.length;
  }

  /** The path of an address; -1 when the table is full of retained paths. */
  intern(host: string, port: number): number {
    const plain = host.startsWith(MAPPED_PREFIX) && host.includes(".") ? host.slice(MAPPED_PREFIX.length) : host;
    const key = `${plain} ${port}`;
    const known = this.#paths.get(key);
    if (known !== undefined) {
      if (this.#retained[known] === 0 && known !== this.#newest) {
        this.#unlink(known);
        this.#link(known);
      }
      return known;
    }
    let path = this.#keys.length;
    if (path === this.capacity) {
      path = this.#oldest;
      if (path === NONE) return NONE;
      this.#unlink(path);
      this.#paths.delete(this.#keys[path]);
      this.recycled += 1;
    }
    this.#paths.set(key, path);
    this.#keys[path] = key;
    this.#hosts[path] = plain;
    this.#hosts6[path] = plain.includes(":") ? plain : MAPPED_PREFIX + plain;
    this.#ports[path] = port;
    this.#link(path);
    return path;
  }

  /** Keeps the path's meaning until as many `release` calls. */
  retain(path: number): void {
    this.#check(path);
    if (this.#retained[path]++ === 0) this.#unlink(path);
  }

  release(path: number): void {
    this.#check(path);
    if (this.#retained[path] === 0) throw new RangeError(`path ${path} is not retained`);
    if (--this.#retained[path] === 0) this.#link(path);
  }

  /** Host and port as one text: the same whenever this address has a path. */
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

  /** True for a path that stands for an address now. */
  has(path: number): boolean {
    return path >= 0 && path < this.#keys.length;
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
