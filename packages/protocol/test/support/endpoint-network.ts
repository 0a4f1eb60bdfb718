/** A server endpoint and client endpoints on a network in memory, with time in the test's hands. */
import type { CarrierTraits, Channel, Connection, ConnectionSink } from "../../src/channel/index.ts";
import { ClientEndpoint, ServerEndpoint } from "../../src/endpoint/index.ts";
import type { EndpointDriver, EndpointEvent, ServerEndpointOptions } from "../../src/endpoint/index.ts";
import { SoftwareKeys, generateConnectToken } from "../../src/netcode/index.ts";
import type { ConnectTokenOptions } from "../../src/netcode/index.ts";
import {
  PRIVATE_KEY,
  PROTOCOL_ID,
  SERVER_ADDRESS,
  UNIX_SECONDS,
  deliver,
  testCrypto,
  transmitAll,
} from "./netcode-network.ts";

export const SCHEMA: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
export const MEMORY: CarrierTraits = { name: "memory", maxPayloadBytes: 1200, reliable: false };

/** Counts retained paths and lets a test block one. */
export class TestDriver implements EndpointDriver {
  readonly retained: Map<number, number> = new Map();
  readonly blocked: Set<number> = new Set();

  carrierOf(): CarrierTraits {
    return MEMORY;
  }

  retainPath(path: number): void {
    this.retained.set(path, (this.retained.get(path) ?? 0) + 1);
  }

  releasePath(path: number): void {
    const left = (this.retained.get(path) ?? 0) - 1;
    if (left < 0) throw new Error(`path ${path} released too often`);
    if (left === 0) this.retained.delete(path);
    else this.retained.set(path, left);
  }

  writable(path: number): boolean {
    return !this.blocked.has(path);
  }
}

/** Remembers what it was given. */
export class TestSink implements ConnectionSink {
  readonly messages: { connection: Connection; channel: Channel | "raw"; text: string }[] = [];

  message(connection: Connection, channel: Channel, buffer: Uint8Array, offset: number, length: number): void {
    this.messages.push({ connection, channel, text: textOf(buffer, offset, length) });
  }

  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void {
    this.messages.push({ connection, channel: "raw", text: textOf(buffer, offset, length) });
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }
}

export class Peer {
  readonly endpoint: ClientEndpoint;
  readonly keys: SoftwareKeys;
  readonly driver: TestDriver = new TestDriver();
  readonly sink: TestSink = new TestSink();
  readonly events: EndpointEvent[] = [];
  readonly path: number;

  constructor(network: EndpointNetwork, path: number, token: Uint8Array, schemaHash: Uint8Array | undefined) {
    const { crypto, now } = network;
    const { driver, sink } = this;
    this.path = path;
    this.keys = new SoftwareKeys(crypto);
    this.endpoint = new ClientEndpoint({
      token,
      serverPaths: [0],
      schemaHash,
      crypto,
      keys: this.keys,
      driver,
      sink,
      now,
    });
  }

  get connection(): Connection {
    const { connection } = this.endpoint;
    if (connection === undefined) throw new Error("not admitted");
    return connection;
  }

  get lastEvent(): EndpointEvent | undefined {
    return this.events.at(-1);
  }
}

export class EndpointNetwork {
  readonly crypto = testCrypto(3);
  readonly keys: SoftwareKeys = new SoftwareKeys(this.crypto);
  readonly driver: TestDriver = new TestDriver();
  readonly sink: TestSink = new TestSink();
  readonly server: ServerEndpoint;
  /** What became of connections at the server; `progress` has "admitted" and "closing" as well. */
  readonly events: EndpointEvent[] = [];
  readonly progress: EndpointEvent[] = [];
  readonly peers: Peer[] = [];
  /** False loses the datagram. */
  pass: (toServer: boolean, path: number, bytes: Uint8Array) => boolean = () => true;
  now = 1000;
  /** `pollTransmit` calls on the server that gave a packet. */
  serverPackets = 0;
  #nextPath = 1;
  #nextClientId = 1n;

  constructor(options: Partial<ServerEndpointOptions> = {}) {
    const { crypto, keys, driver, sink, now } = this;
    this.server = new ServerEndpoint({
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 8,
      publicAddresses: [SERVER_ADDRESS],
      schemaHash: SCHEMA,
      crypto,
      keys,
      driver,
      sink,
      now,
      unixSeconds: UNIX_SECONDS,
      ...options,
    });
  }

  token(options: Partial<ConnectTokenOptions> = {}): Uint8Array {
    return generateConnectToken({
      protocolId: PROTOCOL_ID,
      clientId: this.#nextClientId++,
      privateKey: PRIVATE_KEY,
      serverAddresses: [SERVER_ADDRESS],
      nowSeconds: UNIX_SECONDS + (this.now - 1000) / 1000,
      timeoutSeconds: 5,
      crypto: this.crypto,
      ...options,
    });
  }

  peer(token: Uint8Array = this.token(), schemaHash: Uint8Array | undefined = SCHEMA): Peer {
    const peer = new Peer(this, this.#nextPath++, token, schemaHash);
    this.peers.push(peer);
    return peer;
  }

  /** A peer of a server that is a plain netcode program as far as it knows. */
  plainPeer(): Peer {
    const peer = new Peer(this, this.#nextPath++, this.token(), undefined);
    this.peers.push(peer);
    return peer;
  }

  connected(token?: Uint8Array): Peer {
    const peer = this.peer(token);
    this.run(300);
    if (peer.lastEvent?.type !== "connected") throw new Error(`the last event is ${peer.lastEvent?.type}`);
    return peer;
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 10) this.step();
  }

  step(): void {
    const { server, keys, now } = this;
    server.handleTimeout(now);
    for (const { endpoint } of this.peers) endpoint.handleTimeout(now);
    for (let round = 0, busy = true; busy && round < 4; round++) {
      busy = false;
      for (const peer of this.peers) {
        for (const { bytes } of transmitAll(peer.endpoint, peer.keys, now)) {
          busy = true;
          if (this.pass(true, peer.path, bytes)) deliver(server, keys, bytes, peer.path, now);
        }
      }
      for (const { path, bytes } of transmitAll(server, keys, now)) {
        busy = true;
        this.serverPackets++;
        // Paths are given out in order, from 1.
        const peer = this.peers[path - 1];
        if (this.pass(false, path, bytes)) deliver(peer.endpoint, peer.keys, bytes, 0, now);
      }
    }
    const first = this.progress.length;
    drain(server, this.progress);
    this.events.push(...this.progress.slice(first).filter(isOutcome));
    for (const { endpoint, events } of this.peers) drain(endpoint, events);
  }
}

function isOutcome({ type }: EndpointEvent): boolean {
  return type !== "admitted" && type !== "closing";
}

function drain(from: { pollEvent(): EndpointEvent | undefined }, to: EndpointEvent[]): void {
  for (let event = from.pollEvent(); event !== undefined; event = from.pollEvent()) to.push(event);
}

function textOf(buffer: Uint8Array, offset: number, length: number): string {
  return Buffer.from(buffer.subarray(offset, offset + length)).toString("latin1");
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
