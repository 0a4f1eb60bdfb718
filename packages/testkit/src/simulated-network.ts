import { Random } from "@riposte/protocol";
import type { Crypto } from "@riposte/protocol";
import { nobleCrypto } from "@riposte/protocol/netcode";
import { NetworkConditionSimulator } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { SimulatedHost } from "./simulated-host.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface SimulatedNetworkOptions {
  /** Everything random in this network comes from it: keys, losses, delays. */
  readonly seed: number;
  /** Of every link, in each direction. Default: perfect and immediate. */
  readonly conditions?: NetworkConditions;
  /** Default: `@noble/ciphers` with randomness from the seed. */
  readonly crypto?: Crypto;
}

const TIMER_STEP_MS = 0.25;
const MAX_PACKETS_PER_LINK = 4096;
const MAX_PACKET_BYTES = 9216;

/**
 * Hosts joined by bad links under one virtual clock: a whole network of peers runs in a test,
 * deterministically and faster than real time, from one seed.
 *
 * Every pair of hosts has its own link, one simulator for each direction, made when the first
 * packet goes. Nothing moves but in `runFor` and `runUntil`.
 */
export class SimulatedNetwork {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly crypto: Crypto;
  readonly seed: number;
  readonly hosts: SimulatedHost[] = [];
  /** Whose address it is; one that was given up leads nowhere. */
  readonly #owners: (SimulatedHost | undefined)[] = [];
  /** Addresses of one number belong to one host in one network. */
  readonly #networks: number[] = [];
  readonly #links = new Map<number, NetworkConditionSimulator>();
  readonly #overrides = new Map<number, NetworkConditions>();
  #conditions: NetworkConditions;

  constructor(options: SimulatedNetworkOptions) {
    this.seed = options.seed;
    this.random = new Random(options.seed);
    this.crypto = options.crypto ?? nobleCrypto((length) => this.random.bytes(length));
    this.#conditions = options.conditions ?? {};
  }

  /** Monotonic milliseconds, from 0. */
  get now(): number {
    return this.clock.now;
  }

  /** A new host; give it an endpoint by `run`. */
  addHost(): SimulatedHost {
    const id = this.#owners.length;
    const address = `10.0.${id >> 8}.${id & 255}:40000`;
    const host = new SimulatedHost(id, address, this, this.crypto);
    this.hosts.push(host);
    this.#owners.push(host);
    this.#networks.push(id);
    return host;
  }

  /** One more socket of a host, in another network unless it says otherwise; give its number to `host.pathBy`. */
  addSocket(host: SimulatedHost, options: { readonly sameNetwork?: boolean } = {}): number {
    const id = this.#owners.length;
    this.#owners.push(host);
    this.#networks.push(options.sameNetwork === true ? this.#networks[host.id] : id);
    return host.sockets.push(id) - 1;
  }

  /** A NAT gives a host's socket another port, without a word: what goes to the old one is lost. */
  rebind(host: SimulatedHost, socket = 0): void {
    const id = this.#owners.length;
    const before = host.sockets[socket];
    this.#owners.push(host);
    this.#networks.push(this.#networks[before]);
    this.#owners[before] = undefined;
    host.sockets[socket] = id;
  }

  /** A socket is gone: nothing leaves it and nothing reaches it. */
  closeSocket(host: SimulatedHost, socket: number): void {
    this.#owners[host.sockets[socket]] = undefined;
    host.sockets[socket] = -1;
  }

  isSameHost(a: number, b: number): boolean {
    return this.#networks[a] === this.#networks[b];
  }

  /** The host of a token's address. */
  hostAt(address: string): SimulatedHost | undefined {
    return this.hosts.find((host) => host.address === address);
  }

  /** Conditions of every link, or of one host's way out (`from`) or in (`to`), or of one direction of one link. */
  simulate(conditions: NetworkConditions, where: { readonly from?: number; readonly to?: number } = {}): void {
    if (where.from === undefined && where.to === undefined) {
      this.#conditions = conditions;
      this.#overrides.clear();
    } else {
      for (const from of where.from === undefined ? this.hosts.map(({ id }) => id) : [where.from]) {
        for (const to of where.to === undefined ? this.hosts.map(({ id }) => id) : [where.to]) {
          this.#overrides.set(linkKey(from, to), conditions);
        }
      }
    }
    for (const [key, link] of this.#links) link.conditions = this.#conditionsOf(key);
  }

  /** Puts a datagram on the way; hosts do this by themselves, tests to forge one. */
  transmit(from: number, to: number, buffer: Uint8Array, offset: number, length: number): void {
    if (this.#owners[to] === undefined) return;
    const key = linkKey(from, to);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new NetworkConditionSimulator({
        seed: this.seed + key + 1,
        conditions: this.#conditionsOf(key),
        maxPackets: MAX_PACKETS_PER_LINK,
        maxPacketBytes: MAX_PACKET_BYTES,
      });
      this.#links.set(key, link);
    }
    link.push(buffer, offset, length, 0, this.clock.now);
  }

  /** Lets time pass. */
  runFor(ms: number): void {
    const end = this.clock.now + ms;
    while (this.#step(end));
  }

  /** Lets time pass until the condition holds; throws, naming the seed, when it does not within `limitMs`. */
  runUntil(condition: () => boolean, what: string, limitMs = 60_000): void {
    const end = this.clock.now + limitMs;
    while (!condition()) {
      if (!this.#step(end)) {
        throw new Error(`${what}: not within ${limitMs} ms of virtual time (seed ${this.seed})`);
      }
    }
  }

  /** Those of the link itself, of either host's first address, or of all. */
  #conditionsOf(key: number): NetworkConditions {
    const own = this.#overrides.get(key);
    if (own !== undefined) return own;
    const from = this.#owners[Math.floor(key / MAX_HOSTS)]?.id ?? -1;
    const to = this.#owners[key % MAX_HOSTS]?.id ?? -1;
    return this.#overrides.get(linkKey(from, to)) ?? this.#conditions;
  }

  /** Goes to the next thing that happens, and lets it happen; false when the clock stands at `end`. */
  #step(end: number): boolean {
    const { now } = this.clock;
    if (now >= end) return false;
    let next = this.clock.nextTimeout();
    for (const link of this.#links.values()) next = Math.min(next, link.nextTimeout());
    for (const host of this.hosts) next = Math.min(next, host.nextTimeout());
    // Timers of real drivers have a grain too; it also keeps time moving when something is always due.
    const time = Math.min(end, next <= now ? now + TIMER_STEP_MS : next);
    this.clock.advanceTo(time);
    for (const [key, link] of this.#links) {
      const to = key % MAX_HOSTS;
      const from = Math.floor(key / MAX_HOSTS);
      for (let packet = link.pop(time); packet !== undefined; packet = link.pop(time)) {
        this.#owners[to]?.receive(packet.buffer, packet.offset, packet.length, from, to, time);
      }
    }
    for (const host of this.hosts) host.wake(time);
    return true;
  }
}

const MAX_HOSTS = 65_536;

function linkKey(from: number, to: number): number {
  return from * MAX_HOSTS + to;
}
