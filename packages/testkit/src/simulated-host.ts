import { createReceivedPacket, createTransmitSlot, NO_KEY } from "@riposte/protocol";
import type { Crypto, ReceivedPacket, TransmitSlot } from "@riposte/protocol";
import type { CarrierTraits } from "@riposte/protocol/channel";
import type { Endpoint, EndpointDriver, EndpointEvent } from "@riposte/protocol/endpoint";
import { SoftwareKeys } from "@riposte/protocol/netcode";

const SLOT_BYTES = 9216;
/** Largest UDP payload. */
const MAX_DATAGRAM_BYTES = 8972;
/** Paths of a host's first socket are below it, those of the next below twice as much, and so on. */
const PATHS_PER_SOCKET = 65_536;

export const MEMORY_TRAITS: CarrierTraits = {
  name: "memory",
  maxPayloadBytes: 1200,
  reliable: false,
  path: { ipVersion: 4, maxPacketBytes: 1500 },
};

/** What a host asks of the network it stands in. */
export interface HostNetwork {
  /** Bytes are copied. */
  transmit(from: number, to: number, buffer: Uint8Array, offset: number, length: number): void;
  /** Whether two addresses are of one host that has not changed its network. */
  isSameHost(a: number, b: number): boolean;
}

/**
 * One machine in a simulated network: an endpoint with a driver in memory. Its first socket's paths
 * are the addresses of the other hosts; `pathBy` names those of further sockets.
 */
export class SimulatedHost {
  /** The number by which others send to it, as long as it does not change its address. */
  readonly id: number;
  /** "host:port", as tokens name it. */
  readonly address: string;
  /** Address of each of its sockets; -1: closed. Changed by `SimulatedNetwork`. */
  readonly sockets: number[];
  readonly keys: SoftwareKeys;
  /** How often each path is retained; empty when the endpoint gave everything back. */
  readonly retained: Map<number, number> = new Map();
  /** Datagrams sent and received, and their bytes. */
  readonly stats: { packetsSent: number; packetsReceived: number; bytesSent: number; bytesReceived: number } = {
    packetsSent: 0,
    packetsReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
  /** False holds back everything the endpoint has for any path, as a full socket does. */
  writable = true;
  /** The endpoint's events, as they come. */
  onEvent: (event: EndpointEvent) => void = () => {};
  readonly driver: EndpointDriver;

  readonly #network: HostNetwork;
  #endpoint: Endpoint | undefined;
  readonly #packet: ReceivedPacket;
  readonly #slot: TransmitSlot;

  constructor(id: number, address: string, network: HostNetwork, crypto: Crypto) {
    this.id = id;
    this.address = address;
    this.sockets = [id];
    this.#network = network;
    this.keys = new SoftwareKeys(crypto);
    this.driver = {
      carrierOf: () => MEMORY_TRAITS,
      maxDatagramBytes: MAX_DATAGRAM_BYTES,
      isSameHost: (a, b) =>
        network.isSameHost(a % PATHS_PER_SOCKET, b % PATHS_PER_SOCKET) && socketOf(a) === socketOf(b),
      retainPath: (path) => this.retained.set(path, (this.retained.get(path) ?? 0) + 1),
      releasePath: (path) => {
        const count = this.retained.get(path);
        if (count === undefined) throw new RangeError(`path ${path} is not retained`);
        if (count === 1) this.retained.delete(path);
        else this.retained.set(path, count - 1);
      },
      writable: () => this.writable,
    };
    this.#packet = createReceivedPacket(new Uint8Array(SLOT_BYTES));
    this.#slot = createTransmitSlot(new Uint8Array(SLOT_BYTES));
  }

  /** The endpoint this host runs; a host without one drops what comes. */
  run(endpoint: Endpoint | undefined): void {
    this.#endpoint = endpoint;
  }

  /** The path to another host by one of this host's sockets, 0 being the first. */
  pathBy(socket: number, to: SimulatedHost): number {
    return socket * PATHS_PER_SOCKET + to.id;
  }

  /** One datagram from another address, at one of this host's own. */
  receive(buffer: Uint8Array, offset: number, length: number, from: number, at: number, now: number): void {
    const endpoint = this.#endpoint;
    this.stats.packetsReceived += 1;
    this.stats.bytesReceived += length;
    if (endpoint === undefined || length > SLOT_BYTES) return;
    const packet = this.#packet;
    packet.buffer.set(buffer.subarray(offset, offset + length));
    packet.offset = 0;
    packet.length = length;
    packet.path = this.sockets.indexOf(at) * PATHS_PER_SOCKET + from;
    packet.key = NO_KEY;
    packet.opened = false;
    endpoint.classify(packet);
    if (packet.key !== NO_KEY) this.keys.open(packet);
    endpoint.receive(packet, now);
  }

  /** The carrier below a path broke: the endpoint is told. */
  closePath(path: number, now: number): void {
    this.#endpoint?.handlePathClosed(path, now);
  }

  /** Timeouts, events, and everything there is to send. */
  wake(now: number): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    endpoint.handleTimeout(now);
    do this.#transmit(endpoint, now);
    while (this.#pollEvents(endpoint));
  }

  /** Everything there is to send now, as a game does at the end of its tick. */
  flush(now: number): void {
    if (this.#endpoint === undefined) return;
    this.#endpoint.flush();
    this.#transmit(this.#endpoint, now);
  }

  nextTimeout(): number {
    return this.#endpoint === undefined ? Infinity : this.#endpoint.nextTimeout();
  }

  #pollEvents(endpoint: Endpoint): boolean {
    let any = false;
    for (let event = endpoint.pollEvent(); event !== undefined; event = endpoint.pollEvent()) {
      any = true;
      this.onEvent(event);
    }
    return any;
  }

  #transmit(endpoint: Endpoint, now: number): void {
    const slot = this.#slot;
    for (;;) {
      slot.offset = 0;
      slot.capacity = SLOT_BYTES;
      slot.ecn = 0;
      slot.key = NO_KEY;
      if (!endpoint.pollTransmit(slot, now)) return;
      this.keys.seal(slot);
      const from = this.sockets[socketOf(slot.path)];
      if (from < 0) continue;
      this.stats.packetsSent += 1;
      this.stats.bytesSent += slot.length;
      this.#network.transmit(from, slot.path % PATHS_PER_SOCKET, slot.buffer, slot.offset, slot.length);
    }
  }
}

function socketOf(path: number): number {
  return Math.floor(path / PATHS_PER_SOCKET);
}
