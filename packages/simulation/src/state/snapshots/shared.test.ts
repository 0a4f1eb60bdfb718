import assert from "node:assert/strict";
import { test } from "node:test";
import { BitReader, BitWriter } from "@riposte/wire";
import * as state from "../index.ts";

const Ball = state.defineState(
  {
    x: state.float({ min: -50, max: 50, step: 1 / 64 }),
    y: state.float({ min: -50, max: 50, step: 1 / 64 }),
    charge: state.uint({ max: 100, audience: "owner" }),
  },
  { capacity: 128 },
);

const BALLS = 100;
const BEHIND = 3;

interface Client {
  readonly stream: state.SnapshotStream;
  readonly receiver: state.SnapshotReceiver;
  bytes: Uint8Array;
}

/** A hundred balls, of which ball `n` belongs to seat `n` for the first `owned`, and a client for each of these seats. */
class Room {
  readonly balls = new state.StateTable(Ball);
  readonly shared: state.SharedSnapshots;
  readonly clients: Client[] = [];
  readonly #owned: number;
  #tick = 0;

  constructor(seats: readonly number[], options: { readonly maxBytes?: number; readonly owned?: number } = {}) {
    const { owned = 20, ...rest } = options;
    const tables = { balls: this.balls };
    this.#owned = owned;
    this.shared = new state.SharedSnapshots({ tables, ...rest });
    for (let n = 0; n < BALLS; n++) this.balls.spawn(n < owned ? n : -1, { x: n / 2, charge: n });
    for (const clientId of seats) {
      const stream = new state.SnapshotStream({ tables, clientId, shared: this.shared, budgetBytes: 6000 });
      const receiver = new state.SnapshotReceiver({ definitions: { balls: Ball }, clientId });
      this.clients.push({ stream, receiver, bytes: new Uint8Array(0) });
    }
  }

  step(): void {
    this.#tick++;
    for (const ball of this.balls) {
      if (ball.index % 3 === this.#tick % 3) ball.y += 0.25;
      ball.charge = (ball.charge + 1) % 100;
    }
    this.balls.settle();
    const buffer = new Uint8Array(8000);
    for (const client of this.clients) {
      client.stream.acknowledge(this.#tick - BEHIND);
      const writer = new BitWriter(buffer);
      assert.ok(client.stream.write(this.#tick, 0, 0, writer));
      client.bytes = buffer.slice(0, writer.finish());
      assert.equal(client.receiver.read(new BitReader(client.bytes)), this.#tick);
      this.#check(client);
    }
  }

  /** Everything is known as it is; what is others' is not known at all. */
  #check({ stream, receiver }: Client): void {
    const table = receiver.table("balls");
    assert.equal(table.count, this.balls.count);
    for (const ball of this.balls) {
      const known = state.wordsToValues(Ball, table.words, ball.index * table.wordCount);
      assert.deepEqual([known.x, known.y], [ball.x, ball.y]);
      assert.equal(known.charge, ball.owner === stream.clientId ? ball.charge : 0);
      assert.equal(table.owners[ball.index], ball.owner);
    }
    assert.ok(this.#owned <= BALLS);
  }
}

void test("onlookers get the same bytes, made once, however many they are", () => {
  const encoded = [2, 50].map((count) => {
    const room = new Room(Array.from({ length: count }, (_, n) => 1000 + n));
    for (let n = 0; n < 20; n++) room.step();
    for (const { bytes } of room.clients) assert.deepEqual(bytes, room.clients[0].bytes);
    return room.shared.stats.encoded;
  });
  assert.equal(encoded[0], encoded[1]);
});

void test("players share the records of what is not their own", () => {
  const room = new Room([0, 1, 2, 3, 4]);
  for (let n = 0; n < 20; n++) room.step();
  const { encoded, reused, unstored } = room.shared.stats;
  // A third of the balls moves; in each snapshot five of them are someone's own.
  assert.ok(reused > 3 * encoded, `${encoded} encoded, ${reused} reused, ${unstored} not stored`);
});

void test("what does not fit the store is encoded for each client, with the same result", () => {
  const room = new Room([0, 1, 1000, 1001], { maxBytes: 60 });
  for (let n = 0; n < 20; n++) room.step();
  const { reused, unstored } = room.shared.stats;
  assert.ok(unstored > 500 && unstored > reused, `${unstored} not stored, ${reused} reused`);
});

void test("an onlooker becomes a player and an onlooker again, and another ball is handed on between two clients of a tick", () => {
  const room = new Room([1000, 1001, 7]);
  for (let n = 0; n < 40; n++) {
    if (n === 10) room.balls.setOwner(room.balls.rowAt(50), 1000);
    if (n === 20) room.balls.setOwner(room.balls.rowAt(50), -1);
    if (n % 7 === 0) room.balls.setOwner(room.balls.rowAt(7), n % 2 === 0 ? 7 : 8);
    if (n === 25) room.balls.despawn(room.balls.rowAt(60));
    if (n === 27) room.balls.spawn(-1, { x: 3 });
    room.step();
    if (n > 20 + BEHIND) assert.deepEqual(room.clients[0].bytes, room.clients[1].bytes);
  }
});

void test("a client whose snapshots are few and whose acknowledged one is long ago loses it, and starts over", () => {
  const tables = { balls: new state.StateTable(Ball) };
  const row = tables.balls.spawn(-1, { x: 1 });
  const shared = new state.SharedSnapshots({ tables });
  const often = new state.SnapshotStream({ tables, clientId: 1, shared });
  const seldom = new state.SnapshotStream({ tables, clientId: 2, shared });
  const receiver = new state.SnapshotReceiver({ definitions: { balls: Ball } });
  const buffer = new Uint8Array(500);
  for (let tick = 1; tick < 400; tick++) {
    row.x = (tick % 90) / 2;
    tables.balls.settle();
    assert.ok(often.write(tick, 0, 0, new BitWriter(buffer)));
    if (tick % 50 !== 1 && tick !== 2) continue;
    const writer = new BitWriter(buffer);
    assert.ok(seldom.write(tick, 0, 0, writer));
    assert.equal(receiver.read(new BitReader(buffer, 0, writer.finish())), tick);
    if (tick < 3) seldom.acknowledge(tick);
    assert.equal(state.wordsToValues(Ball, receiver.table("balls").words, 0).x, row.x);
  }
  assert.ok(seldom.stats.whole > 1 && seldom.stats.whole < seldom.stats.snapshots);
});
