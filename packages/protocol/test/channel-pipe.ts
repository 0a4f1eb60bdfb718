/** Two connections with a lossy link between them under virtual time: the test bench of the channel layer. */

import { Connection } from "../src/channel/index.ts";
import type { CarrierTraits, Channel, ConnectionOptions, ConnectionSink } from "../src/channel/index.ts";
import { Random } from "../src/random.ts";

/** As large as the largest packet any test allows. */
const SLOT_BYTES = 9_000;

export interface LinkConditions {
  /** One way. */
  latencyMs?: number;
  jitterMs?: number;
  lossRate?: number;
  duplicateRate?: number;
  /** Bytes per millisecond with a tail-drop queue; unlimited when left out. */
  bytesPerMs?: number;
  queueBytes?: number;
  /** UDP payloads above it are lost. */
  mtuBytes?: number;
}

export interface Received {
  channel: Channel | "raw";
  bytes: Uint8Array;
  at: number;
}

interface Flight {
  at: number;
  order: number;
  bytes: Uint8Array;
  packetNumber: number;
}

export const UDP: CarrierTraits = { name: "udp", maxPayloadBytes: 1200, reliable: false };
/** A carrier whose packets are never cut, so that the path can be searched for larger ones. */
export const UNCUT_UDP: CarrierTraits = { ...UDP, path: { ipVersion: 4, maxPacketBytes: 1500 } };
export const WEBSOCKET: CarrierTraits = { name: "websocket", maxPayloadBytes: 1200, reliable: true };

/** One end: a connection, its sink, and the link that leads away from it. */
export class End implements ConnectionSink {
  readonly connection: Connection;
  readonly received: Received[] = [];
  /** Called instead of recording, if set. */
  onMessage:
    | ((channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number) => void)
    | undefined;
  /** How often the sink heard that the reliable queue has room again. */
  drainedCount = 0;
  conditions: LinkConditions = {};
  packetNumber = 0;
  /** Packets that left, with when: for looking at what was sent. */
  sent: { at: number; bytes: Uint8Array }[] = [];
  keepSent = false;
  sentBytes = 0;
  sentPackets = 0;
  readonly flights: Flight[] = [];
  linkFreeAt = 0;
  readonly #pipe: Pipe;

  constructor(pipe: Pipe, options: Omit<ConnectionOptions, "sink" | "owner" | "now">) {
    this.#pipe = pipe;
    this.connection = new Connection({ ...options, sink: this, owner: { wake: () => undefined }, now: pipe.now });
  }

  message(
    _connection: Connection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void {
    if (this.onMessage !== undefined) this.onMessage(channel, buffer, offset, length, stream);
    else this.received.push({ channel, bytes: buffer.slice(offset, offset + length), at: this.#pipe.now });
  }

  raw(_connection: Connection, buffer: Uint8Array, offset: number, length: number): void {
    this.received.push({ channel: "raw", bytes: buffer.slice(offset, offset + length), at: this.#pipe.now });
  }

  drained(): void {
    this.drainedCount++;
  }

  of(channel: Channel | "raw"): Uint8Array[] {
    return this.received.filter((message) => message.channel === channel).map((message) => message.bytes);
  }
}

export class Pipe {
  now = 1_000;
  readonly client: End;
  readonly server: End;
  readonly random: Random;
  #order = 0;
  readonly #slot = new Uint8Array(SLOT_BYTES + 100);

  constructor(
    seed: number,
    options: {
      carrier?: CarrierTraits;
      client?: Partial<ConnectionOptions>;
      server?: Partial<ConnectionOptions>;
      conditions?: LinkConditions;
    } = {},
  ) {
    this.random = new Random(seed);
    const carrier = options.carrier ?? UDP;
    const hello = { version: 1 as const, schemaHash: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    this.client = new End(this, { role: "client", carrier, hello, ...options.client });
    this.server = new End(this, { role: "server", carrier, hello, ...options.server });
    this.setConditions(options.conditions ?? {});
  }

  setConditions(conditions: LinkConditions): void {
    this.client.conditions = conditions;
    this.server.conditions = conditions;
  }

  /** Lets both ends do what is due and send what they have. */
  flush(): void {
    this.#flushEnd(this.client);
    this.#flushEnd(this.server);
  }

  /** Runs for `ms`, waking each end when it asked for it and when packets come. */
  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Runs until `done` or for `ms` at most; returns how long it took. */
  runUntil(done: () => boolean, ms: number): number {
    const startedAt = this.now;
    const end = startedAt + ms;
    this.flush();
    while (!done()) {
      const next = Math.min(this.#nextEvent(), end);
      if (next >= end) {
        this.now = end;
        break;
      }
      this.now = Math.max(this.now, next);
      this.#deliver(this.client, this.server);
      this.#deliver(this.server, this.client);
      this.flush();
    }
    return this.now - startedAt;
  }

  /** Calls `tick` every `tickMs` for `ms`. */
  runTicks(ms: number, tickMs: number, tick: (index: number) => void): void {
    const ticks = Math.round(ms / tickMs);
    for (let index = 0; index < ticks; index++) {
      tick(index);
      this.run(tickMs);
    }
  }

  open(): this {
    this.runUntil(() => this.client.connection.state === "open" && this.server.connection.state === "open", 10_000);
    return this;
  }

  #nextEvent(): number {
    let next = Math.min(this.client.connection.nextTimeout(), this.server.connection.nextTimeout());
    for (const flight of this.client.flights) next = Math.min(next, flight.at);
    for (const flight of this.server.flights) next = Math.min(next, flight.at);
    return next;
  }

  #flushEnd(end: End): void {
    end.connection.handleTimeout(this.now);
    for (let i = 0; ; i++) {
      const length = end.connection.fillPayload(this.#slot, 100, SLOT_BYTES, end.packetNumber, this.now);
      if (length === 0) break;
      if (length > SLOT_BYTES || i > 100_000) throw new Error(`payload of ${length} bytes, packet ${i} of one flush`);
      this.#launch(end, this.#slot.slice(100, 100 + length), end.packetNumber++);
    }
    const next = end.connection.nextTimeout();
    if (next <= this.now) throw new Error(`nothing to send, yet nextTimeout is ${next} at ${this.now}`);
  }

  #launch(end: End, bytes: Uint8Array, packetNumber: number): void {
    const { conditions } = end;
    end.sentBytes += bytes.length;
    end.sentPackets++;
    if (end.keepSent) end.sent.push({ at: this.now, bytes });
    if (bytes.length + 18 > (conditions.mtuBytes ?? Infinity)) return;
    if (this.random.next() < (conditions.lossRate ?? 0)) return;
    const copies = this.random.next() < (conditions.duplicateRate ?? 0) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      let leaves = this.now;
      if (conditions.bytesPerMs !== undefined) {
        const waiting = Math.max(0, end.linkFreeAt - this.now);
        if (waiting * conditions.bytesPerMs > (conditions.queueBytes ?? 64_000)) continue;
        end.linkFreeAt = this.now + waiting + bytes.length / conditions.bytesPerMs;
        leaves = end.linkFreeAt;
      }
      const at = leaves + (conditions.latencyMs ?? 0) + this.random.next() * (conditions.jitterMs ?? 0);
      end.flights.push({ at, order: this.#order++, bytes, packetNumber });
    }
  }

  #deliver(from: End, to: End): void {
    const due = from.flights.filter((flight) => flight.at <= this.now);
    if (due.length === 0) return;
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const flight of due) {
      from.flights.splice(from.flights.indexOf(flight), 1);
      to.connection.receivePayload(flight.bytes, 0, flight.bytes.length, flight.packetNumber, 0, this.now);
    }
  }
}

/** A message that says which one it is, and whose every byte can be checked. */
export function pattern(id: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (id * 31 + i * 7 + (i >> 8)) & 0xff;
  if (length >= 4) new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

export function idOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}
