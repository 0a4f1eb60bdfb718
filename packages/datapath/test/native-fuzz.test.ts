/**
 * The addon's own entry points under a caller who does everything wrong: hostile descriptors and sizes, arguments of
 * other types, closed sockets, released keys, foreign receivers, detached, resized, shared and aliased
 * buffers. Nothing outside the caller's buffers may change, and nothing but a TypeError or a RangeError may come of
 * it. Bytes around each buffer are watched here; reads and everything else by the sanitizers, see
 * native-sanitized.test.ts.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { AddressTable } from "../src/index.ts";
import { loadAddon } from "../src/native/addon.ts";
import type { NativeAddon, NativeProtection, NativeSocket } from "../src/native/addon.ts";
import { skipNative } from "./forms.ts";

const GUARD = 0xa5;
const GUARD_BYTES = 4096;
const DESCRIPTOR_BYTES = 36;
/** Numbers where checks break, in and around every range there is. */
const NUMBERS: readonly number[] = [
  0,
  1,
  -1,
  2,
  15,
  16,
  17,
  63,
  64,
  255,
  1200,
  2047,
  2048,
  65_507,
  65_535,
  65_536,
  2 ** 30,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  0.5,
  -0,
  Number.NaN,
  Infinity,
  -Infinity,
  1e300,
];
const HOSTS: readonly string[] = [
  "127.0.0.1",
  "::1",
  "::ffff:127.0.0.1",
  "fe80::1%lo",
  "",
  "x".repeat(70),
  "1.2.3.4.5",
];

/** A step of a run: what is done, and numbers that choose how. */
type Step = readonly [kind: number, a: number, b: number, c: number];

interface Done {
  readonly sealed: number;
  readonly sent: number;
  readonly received: number;
}

class Caller {
  readonly #addon: NativeAddon;
  readonly #guarded: Uint8Array[] = [];
  readonly #outers: Uint8Array[] = [];
  readonly #buffers: unknown[] = [];
  readonly #descriptors: unknown[] = [];
  readonly #tables: AddressTable[] = [];
  readonly #protections: NativeProtection[] = [];
  readonly #sockets: NativeSocket[] = [];
  #sealed = 0;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
    this.#addBuffer(4096);
    this.#addBuffer(65_536 * 2);
    this.#addDescriptors(64);
    this.#addDescriptors(1024);
    this.#tables.push(new addon.AddressTable(3));
    this.#protections.push(new addon.PacketProtection());
    for (const [cipher, length] of [16, 32, 32].entries()) {
      const key = new Uint8Array(length);
      this.#protections[0].addKey(key, new Uint8Array(21), cipher, new Uint8Array(12), cipher === 1 ? undefined : key);
    }
    this.#sockets.push(this.#bound(0));
  }

  /** Closes everything, and tells how many packets were sealed, sent and received. */
  close(): Done {
    const sum = (counter: number): number => this.#sockets.reduce((total, socket) => total + socket.count(counter), 0);
    const done = { sealed: this.#sealed, sent: sum(2), received: sum(0) };
    for (const socket of this.#sockets) socket.close();
    return done;
  }

  step([kind, a, b, c]: Step): void {
    const actions = [
      () => this.#prepare(a, b, c),
      () => this.#prepare(a, b, c),
      () => this.#protect(a, b, c),
      () => this.#protect(a, b, c),
      () => this.#move(a, b, c),
      () => this.#move(a, b, c),
      () => this.#key(a, b, c),
      () => this.#table(a, b, c),
      () => this.#socket(a, b, c),
      () => this.#memory(a, b, c),
      () => this.#foreign(a, b, c),
    ];
    try {
      actions[kind % actions.length]();
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    }
    for (const [i, outer] of this.#outers.entries()) {
      const inner = this.#guarded[i];
      if (inner.length === 0) continue;
      const end = GUARD_BYTES + inner.length;
      assert.ok(
        outer.subarray(0, GUARD_BYTES).every((byte) => byte === GUARD) &&
          outer.subarray(end).every((byte) => byte === GUARD),
        "bytes outside the buffer changed",
      );
    }
  }

  /** Descriptors that could be right, of which some words are then not. */
  #prepare(a: number, b: number, c: number): void {
    const descriptors = pick(this.#descriptors, a);
    if (!(descriptors instanceof ArrayBuffer) || descriptors.byteLength < DESCRIPTOR_BYTES) return;
    const capacity = Math.floor(descriptors.byteLength / DESCRIPTOR_BYTES);
    const numbers = new Float64Array(descriptors, 0, capacity);
    const columns = [8, 12, 16, 20, 24, 28].map((at) => new Int32Array(descriptors, capacity * at, capacity));
    const octets = new Uint8Array(descriptors, capacity * 32);
    for (let i = 0; i < Math.min(capacity, 32); i += 1) {
      numbers[i] = i;
      [i * 64, 40 + (b % 3), i % 3, c % 4, 9, 1].forEach((value, column) => (columns[column][i] = value));
    }
    for (let i = 0; i < b % 5; i += 1) {
      const at = (c + i * 7) % Math.min(capacity, 32);
      if ((b + i) % 9 === 0) numbers[at] = pick(NUMBERS, c + i);
      columns[(a + i) % columns.length][at] = pick(NUMBERS, b + c + i);
      octets[(b * 31 + i) % octets.length] = c;
    }
  }

  #protect(a: number, b: number, c: number): void {
    const protection = pick(this.#protections, a);
    const method = pick(["seal", "open", "unprotect"] as const, b);
    const count = this.#count(b + c);
    protection[method](this.#buffer(a), this.#descriptor(c), count);
    if (method === "seal") this.#sealed += count;
  }

  #move(a: number, b: number, c: number): void {
    const socket = pick(this.#sockets, a);
    if (b % 3 === 0) socket.receive(this.#buffer(b), this.#descriptor(a), c % 2 === 0 ? 2048 : pick(NUMBERS, c));
    else socket.send(this.#buffer(b), this.#descriptor(a), this.#count(c), b % 2 === 0 ? 0 : pick(NUMBERS, c));
  }

  #key(a: number, b: number, c: number): void {
    const protection = pick(this.#protections, a);
    if (b % 4 === 0) return protection.releaseKey(pick(NUMBERS, c));
    const length = c % 3 === 0 ? 16 : 32;
    const key = c % 11 === 0 ? this.#buffer(c) : new Uint8Array(length).fill(b);
    const prefix = b % 7 === 0 ? this.#buffer(b) : new Uint8Array(b % 65);
    const iv = c % 2 === 0 ? undefined : new Uint8Array(b % 9 === 0 ? 11 : 12);
    const headerKey = b % 2 === 0 ? undefined : key;
    protection.addKey(key, prefix, c % 13 === 0 ? pick(NUMBERS, a) : c % 3, iv, headerKey);
  }

  #table(a: number, b: number, c: number): void {
    const table = pick(this.#tables, a);
    const path = c % 3 === 0 ? pick(NUMBERS, b) : c % 4;
    const calls = [
      () => table.intern(pick(HOSTS, b), c % 2 === 0 ? c % 7 : pick(NUMBERS, c)),
      () => table.retain(path),
      () => table.release(path),
      () => table.name(path),
      () => table.has(path),
      () =>
        this.#tables.push(
          new this.#addon.AddressTable(
            pick(
              NUMBERS.filter((value) => value < 100_000),
              c,
            ),
          ),
        ),
    ];
    pick(calls, b)();
  }

  #socket(a: number, b: number, c: number): void {
    const socket = pick(this.#sockets, a);
    const calls = [
      () => socket.close(),
      () => socket.enableGro(),
      () => socket.count(pick(NUMBERS, c)),
      () => socket.bind(pick(this.#tables, c), () => {}, "127.0.0.1", 0, false, 4096),
      () => this.#sockets.length < 8 && this.#sockets.push(this.#bound(c)),
      () => this.#sockets.push(new this.#addon.UdpSocket()),
      () =>
        pick(this.#sockets, c).bind(
          this.#any(a) as AddressTable,
          this.#any(b) as () => void,
          pick(HOSTS, c),
          0,
          true,
          pick(NUMBERS, b),
        ),
    ];
    pick(calls, b)();
  }

  /** Memory that goes away, shrinks, is shared, or is two things at once. */
  #memory(a: number, b: number, c: number): void {
    const descriptors = pick(this.#descriptors, a);
    const buffer = pick(this.#buffers, b);
    const changes = [
      () => this.#addBuffer(b % 5000),
      () => this.#addDescriptors(c % 70),
      () => descriptors instanceof ArrayBuffer && this.#descriptors.length > 1 && descriptors.transfer(),
      () => buffer instanceof Uint8Array && buffer.buffer instanceof ArrayBuffer && buffer.buffer.transfer(),
      () => this.#buffers.push(new Uint8Array(new ArrayBuffer(8192, { maxByteLength: 65_536 }))),
      () =>
        buffer instanceof Uint8Array &&
        buffer.buffer instanceof ArrayBuffer &&
        buffer.buffer.resizable &&
        buffer.buffer.resize(c % 65_537),
      () => this.#buffers.push(new Uint8Array(new SharedArrayBuffer(8192))),
      () => this.#descriptors.push(new SharedArrayBuffer(DESCRIPTOR_BYTES * 16)),
      // The packets are the descriptors.
      () => descriptors instanceof ArrayBuffer && this.#buffers.push(new Uint8Array(descriptors)),
      () => this.#descriptors.push(new ArrayBuffer(c % 5000, { maxByteLength: 8192 })),
      () => descriptors instanceof ArrayBuffer && descriptors.resizable && descriptors.resize(b % 8193),
      () => this.#buffers.push(this.#any(c)),
      () => this.#descriptors.push(this.#any(b)),
    ];
    pick(changes, c)();
  }

  /** Methods of one class on objects of another. */
  #foreign(a: number, b: number, c: number): void {
    const classes = [this.#addon.AddressTable, this.#addon.PacketProtection, this.#addon.UdpSocket];
    const prototype = pick(classes, a).prototype as Record<string, unknown>;
    const name = pick(Object.getOwnPropertyNames(prototype), b);
    const receiver = c % 5 === 0 ? Object.create(pick(this.#sockets, c)) : this.#any(c);
    if (c % 7 === 0) Reflect.apply(pick(classes, b) as unknown as () => void, receiver, [1]);
    Reflect.apply(Reflect.get(prototype, name, receiver) as () => void, receiver, [
      this.#any(a),
      this.#any(b),
      this.#any(c),
    ]);
  }

  #any(n: number): unknown {
    const values = [
      undefined,
      null,
      "",
      {},
      [],
      Symbol.iterator,
      () => {},
      new Float64Array(4),
      new DataView(new ArrayBuffer(8)),
      pick(NUMBERS, n),
      pick(this.#tables, n),
      pick(this.#protections, n),
      pick(this.#sockets, n),
      pick(this.#buffers, n),
      pick(this.#descriptors, n),
      10n,
    ];
    return pick(values, n);
  }

  #buffer(n: number): Uint8Array {
    return pick(this.#buffers, n) as Uint8Array;
  }

  #descriptor(n: number): ArrayBuffer {
    return pick(this.#descriptors, n) as ArrayBuffer;
  }

  #count(n: number): number {
    return n % 4 === 0 ? pick(NUMBERS, n) : n % 33;
  }

  #addBuffer(bytes: number): void {
    const outer = new Uint8Array(bytes + 2 * GUARD_BYTES).fill(GUARD);
    const inner = outer.subarray(GUARD_BYTES, GUARD_BYTES + bytes).fill(0);
    this.#outers.push(outer);
    this.#guarded.push(inner);
    this.#buffers.push(inner);
  }

  #addDescriptors(count: number): void {
    this.#descriptors.push(new ArrayBuffer(count * DESCRIPTOR_BYTES));
  }

  #bound(n: number): NativeSocket {
    const socket = new this.#addon.UdpSocket();
    const table = pick(this.#tables, n);
    assert.equal(
      socket.bind(table, () => {}, n % 2 === 0 ? "127.0.0.1" : "::", 0, false, 65_536),
      0,
    );
    // So that what is sent can come back.
    table.intern("127.0.0.1", socket.port);
    return socket;
  }
}

describe("the addon under a hostile caller", { skip: skipNative }, () => {
  test("whatever it is called with, it stays within the caller's buffers", async () => {
    const addon = loadAddon();
    const all = { sealed: 0, sent: 0, received: 0 };
    const number = fc.nat(1_000_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(number, number, number, number), { minLength: 20, maxLength: 150 }),
        async (steps) => {
          const caller = new Caller(addon);
          try {
            for (const step of steps) caller.step(step);
          } finally {
            const done = caller.close();
            for (const key of ["sealed", "sent", "received"] as const) all[key] += done[key];
          }
          // Let libuv end what was closed, and events come for what was not.
          await new Promise((resolve) => setImmediate(resolve));
        },
      ),
      { seed: 21, numRuns: 300 },
    );
    // Not everything was refused at the door.
    assert.ok(all.sealed > 1000 && all.sent > 1000 && all.received > 100, JSON.stringify(all));
  });
});

function pick<T>(values: readonly T[], n: number): T {
  return values[Math.floor(Math.abs(n)) % values.length];
}
