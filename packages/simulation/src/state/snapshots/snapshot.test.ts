import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader, BitWriter } from "@riposte/wire";
import * as state from "../index.ts";
import type { AnyTable } from "../index.ts";

const coordinate = (velocity: string) => state.float({ min: -50, max: 50, step: 1 / 512, velocity });
const speed = state.float({ min: -20, max: 20, step: 1 / 64 });
const Player = state.defineState(
  {
    x: coordinate("vx"),
    y: coordinate("vy"),
    vx: speed,
    vy: speed,
    aim: state.angle({ bits: 10 }),
    health: state.uint({ max: 100 }),
    ammunition: state.uint({ max: 30, audience: "owner" }),
    spread: state.uint({ bits: 32, audience: "server" }),
    name: state.text({ maxBytes: 12 }),
  },
  { capacity: 64 },
);
const Crate = state.defineState(
  {
    position: state.vec2(state.float({ min: -50, max: 50, step: 1 / 64 })),
    spin: state.quaternion({ bits: 9 }),
    holder: state.entity(),
    contents: state.list(state.uint({ max: 200 }), { max: 4 }),
    kind: state.enumeration(["wood", "iron", "gold"]),
  },
  { capacity: 40, priority: 0.5 },
);

const definitions = { players: Player, crates: Crate };
/** What a player who does not own an entity may know of it, by word. */
const hidden = { ammunition: Player.entry("ammunition")?.word ?? -1, spread: Player.entry("spread")?.word ?? -1 };

/** mulberry32: the tests' own small generator. */
function createRandom(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let t = Math.imul(at ^ (at >>> 15), 1 | at);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A room whose entities move, spawn, vanish, change hands. */
class Room {
  readonly players = new state.StateTable(Player);
  readonly crates = new state.StateTable(Crate);
  readonly random: () => number;
  tick = 0;

  constructor(seed: number) {
    this.random = createRandom(seed);
    for (let i = 0; i < 20; i++) this.#spawn(i);
    for (let i = 0; i < 30; i++) this.crates.spawn(-1, { position: { x: this.#place(), y: this.#place() } });
  }

  get tables(): Readonly<Record<string, AnyTable>> {
    return { players: this.players, crates: this.crates };
  }

  step(): void {
    this.tick += 2;
    for (const player of this.players) {
      if (this.random() < 0.1) player.vx = (this.random() - 0.5) * 20;
      if (this.random() < 0.1) player.vy = (this.random() - 0.5) * 20;
      player.x += player.vx / 30;
      player.y += player.vy / 30;
      if (this.random() < 0.5) player.aim += (this.random() - 0.5) / 2;
      if (this.random() < 0.02) player.health -= 25;
      if (this.random() < 0.2) player.ammunition = Math.floor(this.random() * 31);
      player.spread = Math.floor(this.random() * 2 ** 32);
      if (this.random() < 0.005) this.players.despawn(player);
    }
    if (this.random() < 0.1 && !this.players.full) this.#spawn(Math.floor(this.random() * 20));
    if (this.random() < 0.05) this.players.setOwner(this.players.rowAt(3), Math.floor(this.random() * 20));
    for (const crate of this.crates) {
      if (this.random() > 0.03) continue;
      crate.position.x += this.random() - 0.5;
      crate.spin = { x: this.random(), y: this.random(), z: this.random(), w: 1 };
      crate.holder = this.players.idAt(Math.floor(this.random() * 20));
      if (!crate.contents.push(Math.floor(this.random() * 200))) crate.contents.clear();
      crate.kind = this.random() < 0.5 ? "iron" : "gold";
    }
    this.players.settle();
    this.crates.settle();
  }

  #spawn(owner: number): void {
    this.players.spawn(owner, { x: this.#place(), y: this.#place(), health: 100, name: `player ${owner}` });
  }

  #place(): number {
    return (this.random() - 0.5) * 100;
  }
}

/** What the server had at a tick. */
interface Past {
  readonly ids: ReadonlyMap<number, Int32Array>;
}

function remember(table: AnyTable): Past {
  const ids = new Map<number, Int32Array>();
  for (let index = 0; index < table.highWater; index++) {
    if (table.alive[index] === 1)
      ids.set(table.idAt(index), table.words.slice(index * table.wordCount, (index + 1) * table.wordCount));
  }
  return { ids };
}

interface Link {
  readonly seed: number;
  readonly loss: number;
  readonly budgetBytes: number;
  readonly radius: number;
  readonly delay: number;
  readonly encoder: "dense" | "shared";
  /** 5 owns players; 99 looks on only. */
  readonly seat: number;
}

/** Plays a room to one client over a bad link and checks after every snapshot that what the client has is what the server had. */
function play(link: Link, snapshots: number): { stream: state.SnapshotStream; receiver: state.SnapshotReceiver } {
  const room = new Room(link.seed);
  const random = createRandom(link.seed + 1);
  const { seat } = link;
  const shared =
    link.encoder === "shared"
      ? new state.SharedSnapshots({ tables: room.tables, maxBytes: link.seat === 5 ? 300 : 2000 })
      : undefined;
  const options = shared === undefined ? {} : { shared };
  const neighbour = new state.SnapshotStream({ tables: room.tables, clientId: 6, budgetBytes: 2000, ...options });
  const stream = new state.SnapshotStream({
    ...options,
    tables: room.tables,
    clientId: seat,
    budgetBytes: link.budgetBytes,
    relevanceRadius: link.radius,
    interest: new state.InterestGrid({ cellSize: 10 }),
  });
  const receiver = new state.SnapshotReceiver({ definitions, clientId: seat });
  const past = new Map<number, Readonly<Record<string, Past>>>();
  const flying: { at: number; bytes: Uint8Array }[] = [];
  const acks: { at: number; tick: number }[] = [];
  const buffer = new Uint8Array(8192);
  for (let n = 0; n < snapshots; n++) {
    room.step();
    past.set(room.tick, { players: remember(room.players), crates: remember(room.crates) });
    assert.ok(neighbour.write(room.tick, 0, 0, new BitWriter(buffer)));
    if (n > 2) neighbour.acknowledge(room.tick - 4);
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(room.tick, 0, 0, writer));
    const bytes = buffer.slice(0, writer.finish());
    if (random() >= link.loss) flying.push({ at: n + Math.floor(random() * link.delay), bytes });
    for (const packet of flying.filter(({ at }) => at === n)) {
      const tick = receiver.read(new BitReader(packet.bytes));
      assert.ok(tick > 0, JSON.stringify(receiver.stats));
      check(receiver, past, tick, seat);
      if (random() >= link.loss)
        acks.push({ at: n + 1 + Math.floor(random() * link.delay), tick: receiver.newestTick });
    }
    for (const { at, tick } of acks) if (at === n) stream.acknowledge(tick);
  }
  assert.ok(receiver.stats.received > snapshots / 3);
  return { stream, receiver };
}

function check(
  receiver: state.SnapshotReceiver,
  past: ReadonlyMap<number, Readonly<Record<string, Past>>>,
  tick: number,
  seat: number,
): void {
  for (const table of receiver.tables) {
    const view = table.viewOf(tick);
    assert.ok(view !== undefined);
    for (let entry = 0; entry < view.count; entry++) {
      // Left out or not: the record is the server's of the tick that it says.
      const truth: Int32Array | undefined = past.get(view.ticks[entry])?.[table.name].ids.get(view.ids[entry]);
      assert.ok(truth !== undefined, `${table.name} ${view.ids[entry]} is not of tick ${view.ticks[entry]}`);
      const words = view.words.slice(entry * view.wordCount, (entry + 1) * view.wordCount);
      if (table.name === "players") {
        assert.equal(words[hidden.spread], 0, "the server's own field is never sent");
        if (view.owners[entry] !== seat)
          assert.equal(words[hidden.ammunition], 0, "the owner's field is sent to the owner only");
        const expected = truth.slice();
        expected[hidden.spread] = 0;
        if (view.owners[entry] !== seat) expected[hidden.ammunition] = 0;
        assert.deepEqual(words, expected);
      } else assert.deepEqual(words, truth);
    }
    for (let index = 0; index < table.highWater; index++) {
      if (table.present[index] === 0) continue;
      const truth: Int32Array | undefined = past.get(table.updatedAt[index])?.[table.name].ids.get(table.ids[index]);
      assert.ok(truth !== undefined, "the newest known state is the server's of the tick that it says");
      const at = index * table.wordCount;
      for (let word = 0; word < table.wordCount; word++) {
        if (table.name === "players" && (word === hidden.spread || word === hidden.ammunition)) continue;
        assert.equal(table.words[at + word], truth[word]);
      }
    }
  }
}

void test("every snapshot that arrives gives the client exactly what the server had, over any link", () => {
  const links = fc.record({
    seed: fc.integer({ min: 0, max: 1e6 }),
    loss: fc.constantFrom(0, 0.05, 0.4),
    budgetBytes: fc.constantFrom(40, 150, 4000),
    radius: fc.constantFrom(15, 40, Infinity),
    delay: fc.constantFrom(1, 3, 8),
    encoder: fc.constantFrom("dense", "shared"),
    seat: fc.constantFrom(5, 99),
  });
  fc.assert(
    fc.property(links, (link) => void play(link, 120)),
    { seed: 5, numRuns: 40 },
  );
});

void test("a client that never acknowledges still gets whole snapshots, one that stops gets them again", () => {
  const room = new Room(1);
  const stream = new state.SnapshotStream({ tables: room.tables, clientId: 1, budgetBytes: 4000 });
  const receiver = new state.SnapshotReceiver({ definitions, clientId: 1 });
  const buffer = new Uint8Array(8192);
  for (let n = 0; n < 150; n++) {
    room.step();
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(room.tick, 0, 0, writer));
    const tick = receiver.read(new BitReader(buffer, 0, writer.finish()));
    assert.equal(tick, room.tick);
    if (n === 3) stream.acknowledge(tick);
    assert.equal(stream.baselineTick < 0, n < 3 || n >= 3 + 64, `snapshot ${n}`);
  }
  assert.equal(stream.stats.whole, 4 + 150 - 67);
});

void test("over budget the client's own entities come first and everybody gets a turn", () => {
  const room = new Room(2);
  const budgetBytes = 40;
  const stream = new state.SnapshotStream({ tables: { players: room.players }, clientId: 5, budgetBytes });
  const receiver = new state.SnapshotReceiver({ definitions: { players: Player }, clientId: 5 });
  const table = receiver.table("players");
  const buffer = new Uint8Array(8192);
  let largest = 0;
  let worstAge = 0;
  for (let n = 0; n < 300; n++) {
    room.step();
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(room.tick, 0, 0, writer));
    const end = writer.finish();
    if (n > 60) largest = Math.max(largest, end);
    stream.acknowledge(receiver.read(new BitReader(buffer, 0, end)));
    for (let index = 0; index < table.highWater; index++) {
      if (table.present[index] === 0 || n < 60) continue;
      if (table.owners[index] === 5)
        assert.equal(table.updatedAt[index], room.tick, "own entities are in every snapshot");
      worstAge = Math.max(worstAge, room.tick - table.updatedAt[index]);
    }
  }
  assert.ok(stream.stats.leftOut > 300);
  assert.ok(largest <= budgetBytes * 1.25, `largest ${largest}`);
  assert.ok(worstAge > 2 && worstAge < 120, `oldest knowledge ${worstAge} ticks`);
});

void test("over budget, what has come in does not vanish while its acknowledgement is under way", () => {
  for (const lossRate of [0, 0.2]) {
    const room = new Room(3);
    const stream = new state.SnapshotStream({ tables: { players: room.players }, clientId: 5, budgetBytes: 120 });
    const receiver = new state.SnapshotReceiver({ definitions: { players: Player }, clientId: 5 });
    const table = receiver.table("players");
    const buffer = new Uint8Array(8192);
    const underWay: number[] = [];
    const shown = new Set<number>();
    let vanished = 0;
    for (let n = 0; n < 200; n++) {
      room.step();
      const writer = new BitWriter(buffer);
      assert.ok(stream.write(room.tick, 0, 0, writer));
      if (room.random() >= lossRate) underWay.push(receiver.read(new BitReader(buffer, 0, writer.finish())));
      if (underWay.length > 5) stream.acknowledge(underWay.shift()!);
      for (let index = 0; index < table.capacity; index++) {
        const id = table.ids[index];
        if (table.present[index] === 1) shown.add(id);
        // (One that changed hands comes in anew.)
        else if (shown.delete(id) && room.players.get(id)?.owner === table.owners[index]) vanished++;
      }
    }
    assert.ok(stream.stats.leftOut > 200);
    assert.equal(vanished, 0, `at ${lossRate} loss`);
    assert.equal(table.count, room.players.count);
  }
});

void test("what is left out is not taken for unmoved", () => {
  const players = new state.StateTable(Player);
  for (let i = 0; i < 8; i++) players.spawn(i, { name: "x".repeat(12) });
  const stream = new state.SnapshotStream({ tables: { players }, clientId: 99, budgetBytes: 4000 });
  const receiver = new state.SnapshotReceiver({ definitions: { players: Player }, clientId: 99 });
  const table = receiver.table("players");
  const buffer = new Uint8Array(1000);
  const send = (tick: number, capacity: number): void => {
    const writer = new BitWriter(buffer, 0, capacity);
    assert.ok(stream.write(tick, 0, 0, writer));
    assert.equal(receiver.read(new BitReader(buffer, 0, writer.finish())), tick);
    stream.acknowledge(tick);
  };
  send(2, 1000);
  for (const player of players) if (player.index !== 6) player.name = `new ${player.index}`;
  players.settle();
  send(4, 40);
  const fresh = [...table.updatedAt.subarray(0, 8)].filter((tick) => tick === 4).length;
  assert.ok(fresh > 1 && fresh < 8);
  assert.equal(table.updatedAt[6], 4, "the one that did not change is known to be as it was");
});

void test("a snapshot of unchanged entities takes 4 bytes, and hysteresis keeps who is at the border", () => {
  const players = new state.StateTable(Player);
  for (let i = 0; i < 30; i++) players.spawn(i, { x: i });
  const stream = new state.SnapshotStream({ tables: { players }, clientId: 99, relevanceRadius: 10, hysteresis: 0.2 });
  const receiver = new state.SnapshotReceiver({ definitions: { players: Player } });
  const table = receiver.table("players");
  const buffer = new Uint8Array(2000);
  const send = (tick: number, viewX: number): number => {
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(tick, viewX, 0, writer));
    const end = writer.finish();
    assert.equal(receiver.read(new BitReader(buffer, 0, end)), tick);
    stream.acknowledge(tick);
    return end;
  };
  send(1, 0);
  assert.equal(table.viewOf(1)?.count, 11);
  assert.ok(send(3, 0) <= 4);
  send(5, 2);
  assert.equal(table.viewOf(5)?.count, 13, "0 to 12: who is inside stays until 12 away");
  send(7, -1.5);
  assert.equal(table.viewOf(7)?.count, 11, "11 and 12 are more than 12 away");
  send(9, 25);
  assert.equal(table.present[0], 0);
  assert.equal(table.present[20], 1);
});

void test("sample finds the records around a moment", () => {
  const players = new state.StateTable(Player);
  const row = players.spawn(0, { x: 0 });
  const stream = new state.SnapshotStream({ tables: { players }, clientId: 99 });
  const receiver = new state.SnapshotReceiver({ definitions: { players: Player } });
  const buffer = new Uint8Array(2000);
  for (const tick of [10, 12, 16]) {
    row.x = tick;
    players.settle();
    const writer = new BitWriter(buffer);
    stream.write(tick, 0, 0, writer);
    receiver.read(new BitReader(buffer, 0, writer.finish()));
  }
  const sample = state.createSnapshotSample();
  const table = receiver.table("players");
  assert.ok(table.sample(row.id, 13.5, sample));
  assert.deepEqual([sample.beforeTick, sample.afterTick], [12, 16]);
  const drawn = new state.StateTable(Player);
  const index = drawn.insert(row.id, 0).index;
  drawn.blendWords(index, sample.before, sample.beforeAt, sample.after, sample.afterAt, 0.5);
  assert.equal(drawn.columns.x[index], 14);
  assert.ok(table.sample(row.id, 9, sample));
  assert.deepEqual([sample.beforeTick, sample.afterTick], [-1, 10]);
  assert.ok(table.sample(row.id, 20, sample));
  assert.deepEqual([sample.beforeTick, sample.afterTick], [16, -1]);
  assert.equal(table.sample(row.id + 1, 20, sample), false);
  assert.equal(receiver.receiptMask, 0b101000);
});

/** Snapshots of a real game, each with the receiver's state before it. */
function recordSnapshots(seed: number, encoder: "dense" | "shared"): Uint8Array[] {
  const room = new Room(seed);
  const { tables } = room;
  const shared = encoder === "shared" ? { shared: new state.SharedSnapshots({ tables }) } : {};
  const stream = new state.SnapshotStream({ tables, clientId: 5, relevanceRadius: 40, budgetBytes: 300, ...shared });
  const buffer = new Uint8Array(8192);
  const recorded: Uint8Array[] = [];
  for (let n = 0; n < 12; n++) {
    room.step();
    const writer = new BitWriter(buffer);
    stream.write(room.tick, 0, 0, writer);
    recorded.push(buffer.slice(0, writer.finish()));
    if (n % 3 === 0) stream.acknowledge(room.tick);
  }
  return recorded;
}

/** Everything that a receiver shows, to see that a dropped snapshot changed nothing. */
function picture(receiver: state.SnapshotReceiver): unknown {
  const tables = receiver.tables.map((table) => [
    table.highWater,
    table.present.slice(),
    table.ids.slice(),
    table.words.slice(),
    table.updatedAt.slice(),
    table.viewOf(receiver.newestTick)?.count,
  ]);
  return [receiver.newestTick, receiver.count, tables];
}

for (const encoder of ["dense", "shared"] as const) {
  void test(`hostile ${encoder} snapshots are dropped, counted, change nothing, and are bounded by the tables' capacities`, () =>
    hostileSnapshots(encoder));
}

function hostileSnapshots(encoder: "dense" | "shared"): void {
  const recorded = recordSnapshots(7, encoder);
  const hostile = fc.oneof(
    fc.record({ kind: fc.constant("garbage" as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ kind: fc.constant("cut" as const), nth: fc.nat(11), length: fc.nat(400) }),
    fc.record({
      kind: fc.constant("flip" as const),
      nth: fc.nat(11),
      bits: fc.array(fc.nat(4000), { minLength: 1, maxLength: 8 }),
    }),
  );
  let dropped = 0;
  const property = fc.property(fc.nat(11), fc.array(hostile, { minLength: 1, maxLength: 6 }), (start, attacks) => {
    const receiver = new state.SnapshotReceiver({ definitions, clientId: 5 });
    for (const bytes of recorded.slice(0, start)) receiver.read(new BitReader(bytes));
    for (const attack of attacks) {
      let bytes = attack.kind === "garbage" ? attack.bytes : recorded[attack.nth].slice();
      if (attack.kind === "cut") bytes = bytes.subarray(0, attack.length % bytes.length);
      if (attack.kind === "flip") for (const bit of attack.bits) bytes[(bit >> 3) % bytes.length] ^= 1 << (bit & 7);
      const before = picture(receiver);
      const tick = receiver.read(new BitReader(bytes));
      if (tick >= 0) {
        checkBounds(receiver);
        continue;
      }
      dropped++;
      assert.deepEqual(picture(receiver), before);
    }
  });
  fc.assert(property, { seed: 11, numRuns: 300 });
  assert.ok(dropped > 300);
}

function checkBounds(receiver: state.SnapshotReceiver): void {
  for (const table of receiver.tables) {
    const view = table.viewOf(receiver.newestTick);
    assert.ok(view !== undefined && view.count <= table.capacity);
    const copy = new state.StateTable(table.definition);
    for (let entry = 0; entry < view.count; entry++) {
      assert.ok(view.indexAt(entry) < table.capacity);
      if (entry > 0) assert.ok(view.indexAt(entry) > view.indexAt(entry - 1));
      // Whatever was let through is a settled record.
      const index: number = copy.insert(view.ids[entry], -1).index;
      copy.writeWords(index, view.words, entry * view.wordCount);
      const words = copy.words.slice(index * view.wordCount, (index + 1) * view.wordCount);
      copy.settleRow(index);
      assert.deepEqual(copy.words.slice(index * view.wordCount, (index + 1) * view.wordCount), words);
    }
  }
}
