/** One netcode server and its clients on a network in memory, with time in the test's hands. */
import {
  NetcodeClient,
  NetcodeServer,
  SoftwareKeys,
  generateConnectToken,
  nobleCrypto,
} from "../../src/netcode/index.ts";
import type {
  ConnectTokenOptions,
  NetcodeClientState,
  NetcodeServerOptions,
  ServerDisconnectReason,
} from "../../src/netcode/index.ts";
import { createReceivedPacket, createTransmitSlot } from "../../src/machine.ts";
import type { Crypto, Machine, TransmitSlot } from "../../src/machine.ts";

export const PROTOCOL_ID = 0x1122334455667788n;
export const SERVER_ADDRESS = "127.0.0.1:40000";
export const PRIVATE_KEY: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
export const UNIX_SECONDS = 1_700_000_000;

/** Repeats itself from run to run; no key of a real service. */
export function testCrypto(seed = 1): Crypto {
  let state = seed;
  return nobleCrypto((length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

export function emptySlot(): TransmitSlot {
  return { ...createTransmitSlot(new Uint8Array(2048)), offset: 16, capacity: 2000, path: -1 };
}

/** Classifies, opens and hands over one datagram, as a driver does. */
export function deliver(
  machine: Machine<unknown>,
  keys: SoftwareKeys,
  bytes: Uint8Array,
  path: number,
  now: number,
): void {
  const buffer = new Uint8Array(bytes.length + 20);
  buffer.set(bytes, 4);
  const packet = { ...createReceivedPacket(buffer), offset: 4, length: bytes.length, path };
  machine.classify(packet);
  keys.open(packet);
  machine.receive(packet, now);
}

/** Everything the machine has to send now: path and sealed datagram. */
export function transmitAll(
  machine: Machine<unknown>,
  keys: SoftwareKeys,
  now: number,
): { path: number; bytes: Uint8Array }[] {
  const sent: { path: number; bytes: Uint8Array }[] = [];
  const slot = emptySlot();
  while (machine.pollTransmit(slot, now)) {
    keys.seal(slot);
    sent.push({ path: slot.path, bytes: slot.buffer.slice(slot.offset, slot.offset + slot.length) });
    if (sent.length > 10_000) throw new Error("pollTransmit never ends");
  }
  return sent;
}

export class TestClient {
  readonly machine: NetcodeClient;
  readonly keys: SoftwareKeys;
  /** The server sees this client under this path; the client sees the server under path 0. */
  readonly path: number;
  readonly states: NetcodeClientState[] = [];
  readonly received: string[] = [];
  readonly outbox: Uint8Array[] = [];

  constructor(path: number, token: Uint8Array, crypto: Crypto, now: number, serverPaths: readonly number[] = [0]) {
    this.path = path;
    this.keys = new SoftwareKeys(crypto);
    this.machine = new NetcodeClient({
      token,
      serverPaths,
      crypto,
      keys: this.keys,
      now,
      handler: {
        stateChanged: (state) => void this.states.push(state),
        payload: (packet, offset, length) => {
          if (length > 0)
            this.received.push(Buffer.from(packet.buffer.subarray(offset, offset + length)).toString("latin1"));
        },
        fill: (buffer, offset) => {
          const next = this.outbox.shift();
          if (next !== undefined) buffer.set(next, offset);
          return next?.length ?? 0;
        },
      },
    });
  }

  say(text: string): void {
    this.outbox.push(Uint8Array.from(Buffer.from(text, "latin1")));
    this.machine.wake();
  }
}

export interface Datagram {
  readonly toServer: boolean;
  readonly path: number;
  readonly bytes: Uint8Array;
}

export class NetcodeNetwork {
  readonly crypto: Crypto = testCrypto();
  readonly keys: SoftwareKeys = new SoftwareKeys(this.crypto);
  readonly server: NetcodeServer;
  readonly clients: TestClient[] = [];
  /** What happened on the server, as text. */
  readonly log: string[] = [];
  readonly ended: ServerDisconnectReason[] = [];
  readonly received: string[] = [];
  readonly outbox: Map<number, Uint8Array[]> = new Map();
  /** How often each path is retained. */
  readonly retained: Map<number, number> = new Map();
  /** What a path stands for, if not for an address of its own. */
  readonly addresses: Map<number, string> = new Map();
  /** Every datagram that was sent, in order. */
  readonly wire: Datagram[] = [];
  /** False loses the datagram. */
  pass: (datagram: Datagram) => boolean = () => true;
  now = 5000;
  #nextPath = 1;
  #tokens = 0;

  constructor(options: Partial<NetcodeServerOptions> = {}) {
    this.server = new NetcodeServer({
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 4,
      publicAddresses: [SERVER_ADDRESS],
      crypto: this.crypto,
      keys: this.keys,
      now: this.now,
      unixSeconds: UNIX_SECONDS,
      handler: {
        connected: (session) => void this.log.push(`+${session.index} ${session.clientId}`),
        disconnected: (session, reason) => {
          this.log.push(`-${session.index} ${reason}`);
          this.ended.push(reason);
        },
        payload: (session, packet, offset, length) => {
          if (length === 0) return;
          const text = Buffer.from(packet.buffer.subarray(offset, offset + length)).toString("latin1");
          this.received.push(`${session.index}:${text}`);
        },
        fill: (session, buffer, offset) => {
          const next = this.outbox.get(session.index)?.shift();
          if (next !== undefined) buffer.set(next, offset);
          return next?.length ?? 0;
        },
        retainPath: (path) => void this.retained.set(path, (this.retained.get(path) ?? 0) + 1),
        releasePath: (path) => {
          const left = (this.retained.get(path) ?? 0) - 1;
          if (left < 0) throw new Error(`path ${path} released too often`);
          if (left === 0) this.retained.delete(path);
          else this.retained.set(path, left);
        },
        addressOf: (path) => this.addresses.get(path) ?? `address ${path}`,
      },
      ...options,
    });
  }

  get unixNow(): number {
    return UNIX_SECONDS + (this.now - 5000) / 1000;
  }

  token(options: Partial<ConnectTokenOptions> = {}): Uint8Array {
    return generateConnectToken({
      protocolId: PROTOCOL_ID,
      clientId: BigInt(100 + this.#tokens++),
      privateKey: PRIVATE_KEY,
      serverAddresses: [SERVER_ADDRESS],
      nowSeconds: this.unixNow,
      crypto: this.crypto,
      timeoutSeconds: 5,
      ...options,
    });
  }

  client(token: Uint8Array = this.token(), path: number = this.#nextPath++): TestClient {
    const client = new TestClient(path, token, this.crypto, this.now);
    this.clients.push(client);
    return client;
  }

  /** A connected client. */
  connected(token?: Uint8Array, path?: number): TestClient {
    const client = this.client(token, path);
    this.run(300);
    if (client.machine.state !== "connected") throw new Error(`the client is ${client.machine.state}`);
    return client;
  }

  tell(index: number, text: string): void {
    const queue = this.outbox.get(index) ?? [];
    this.outbox.set(index, queue);
    queue.push(Uint8Array.from(Buffer.from(text, "latin1")));
    this.server.wake(index);
  }

  /** Passes `ms` in steps of 10, with every datagram delivered in the step it was sent in. */
  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 10) this.step();
  }

  step(): void {
    this.server.handleTimeout(this.now);
    for (const client of this.clients) client.machine.handleTimeout(this.now);
    for (let round = 0; round < 4; round++) {
      for (const client of this.clients) {
        for (const { bytes } of transmitAll(client.machine, client.keys, this.now)) {
          const datagram = { toServer: true, path: client.path, bytes };
          this.wire.push(datagram);
          if (this.pass(datagram)) this.toServer(bytes, client.path);
        }
      }
      for (const { path, bytes } of transmitAll(this.server, this.keys, this.now)) {
        const datagram = { toServer: false, path, bytes };
        this.wire.push(datagram);
        if (!this.pass(datagram)) continue;
        for (const client of this.clients) {
          if (client.path === path) deliver(client.machine, client.keys, bytes, 0, this.now);
        }
      }
    }
  }

  toServer(bytes: Uint8Array, path: number): void {
    deliver(this.server, this.keys, bytes, path, this.now);
  }

  /** Datagrams of one type on the wire so far. */
  sent(toServer: boolean, type: number): Datagram[] {
    return this.wire.filter((datagram) => datagram.toServer === toServer && (datagram.bytes[0] & 15) === type);
  }
}
