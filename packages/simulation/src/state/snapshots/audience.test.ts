import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader, BitWriter } from "@riposte/wire";
import * as state from "../index.ts";

const Soldier = state.defineState({
  x: state.float({ min: 0, max: 100, step: 0.1 }),
  // Its speed is the owner's: nobody else may be sent what follows from it.
  y: state.float({ min: 0, max: 100, step: 0.1, velocity: "dy" }),
  dy: state.float({ min: -9, max: 9, step: 0.1, audience: "owner" }),
  ammunition: state.uint({ max: 30, audience: "owner" }),
  inventory: state.list(state.uint({ max: 9 }), { max: 4, audience: "owner" }),
  password: state.text({ maxBytes: 8, audience: "owner" }),
  recoil: state.vec2(state.f32(), { audience: "owner" }),
  seed: state.uint({ bits: 32, audience: "server" }),
  plan: state.enumeration(["hide", "attack"], { audience: "server" }),
  aim: state.quaternion({ audience: "server" }),
});
type Fields = (typeof Soldier)["fields"];

interface Secrets {
  readonly owner: Partial<state.Values<Fields>>;
  readonly server: Partial<state.Values<Fields>>;
}

const secrets: fc.Arbitrary<Secrets> = fc.record({
  owner: fc.record({
    ammunition: fc.nat(30),
    inventory: fc.array(fc.nat(9), { maxLength: 4 }),
    password: fc.string({ maxLength: 8 }),
    recoil: fc.record({ x: fc.double(), y: fc.double() }),
    dy: fc.double({ min: -9, max: 9, noNaN: true }),
  }),
  server: fc.record({
    seed: fc.nat(),
    plan: fc.constantFrom<"hide" | "attack">("hide", "attack"),
    aim: fc.record({ x: fc.double(), y: fc.double(), z: fc.double(), w: fc.double() }),
  }),
});

type Encoder = "dense" | "shared";
const ENCODERS: readonly Encoder[] = ["dense", "shared"];

/**
 * Two seats; what is open moves the same way in every run. Returns every byte that goes to `viewer`, and its receiver.
 * The other seat is served first, from the same store of shared records; with `swapAt` the other's soldier is the
 * viewer's for the two steps from there on.
 */
function run(
  viewer: number,
  steps: readonly (readonly Secrets[])[],
  encoder: Encoder = "dense",
  swapAt = -1,
): { bytes: Uint8Array[]; receiver: state.SnapshotReceiver } {
  const soldiers = new state.StateTable(Soldier);
  for (let seat = 0; seat < 2; seat++) soldiers.spawn(seat);
  const tables = { soldiers };
  const options = encoder === "shared" ? { tables, shared: new state.SharedSnapshots({ tables }) } : { tables };
  const stream = new state.SnapshotStream({ ...options, clientId: viewer });
  const others = new state.SnapshotStream({ ...options, clientId: 1 - viewer });
  const receiver = new state.SnapshotReceiver({ definitions: { soldiers: Soldier }, clientId: viewer });
  const buffer = new Uint8Array(2000);
  const bytes: Uint8Array[] = [];
  steps.forEach((step, n) => {
    if (n === swapAt) soldiers.setOwner(soldiers.rowAt(1 - viewer), viewer);
    if (n === swapAt + 2 && swapAt >= 0) soldiers.setOwner(soldiers.rowAt(1 - viewer), 1 - viewer);
    step.forEach((secret, index) =>
      soldiers.assign(index, { ...secret.owner, ...secret.server, x: n + index, y: 2 * n }),
    );
    soldiers.settle();
    assert.ok(others.write(n, 0, 0, new BitWriter(buffer)));
    if (n % 2 === 0) others.acknowledge(n);
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(n, 0, 0, writer));
    const end = writer.finish();
    bytes.push(buffer.slice(0, end));
    const tick = receiver.read(new BitReader(buffer, 0, end));
    assert.equal(tick, n);
    if (n % 2 === 0) stream.acknowledge(tick);
  });
  return { bytes, receiver };
}

for (const encoder of ENCODERS) {
  void test(`${encoder}: what a client may not know does not change one bit of what it is sent`, () => {
    const step = fc.tuple(secrets, secrets);
    const steps = fc.array(fc.tuple(step, step), { minLength: 1, maxLength: 8 });
    const property = fc.property(steps, fc.integer({ min: -1, max: 5 }), (pairs, swapAt) => {
      // Seat 0 looks. In the second run the other's secrets and the server's secrets are different ones.
      const isOwn = (n: number): boolean => swapAt >= 0 && n >= swapAt && n < swapAt + 2;
      const first = pairs.map(([[mine, other]]) => [mine, other]);
      const second = pairs.map(([[mine, before], [otherMine, other]], n) => [
        { owner: mine.owner, server: otherMine.server },
        // While it is the viewer's, only the server's secrets are secret.
        isOwn(n) ? { owner: before.owner, server: other.server } : other,
      ]);
      assert.deepEqual(run(0, first, encoder, swapAt).bytes, run(0, second, encoder, swapAt).bytes);
    });
    fc.assert(property, { seed: 21, numRuns: 60 });
  });
}

function soldier(ammunition: number): Secrets {
  return { owner: { ammunition, password: "tea" }, server: { seed: 7, plan: "attack" } };
}

for (const encoder of ENCODERS) {
  void test(`${encoder}: the owner does get its own fields, and nobody the server's`, () => ownFields(encoder));
}

function ownFields(encoder: Encoder): void {
  const steps = [
    [soldier(3), soldier(4)],
    [soldier(5), soldier(6)],
  ];
  const { receiver } = run(1, steps, encoder);
  const { words, wordCount } = receiver.table("soldiers");
  const other = state.wordsToValues(Soldier, words, 0);
  const own = state.wordsToValues(Soldier, words, wordCount);
  assert.deepEqual([other.ammunition, other.password, other.seed, other.plan], [0, "", 0, "hide"]);
  assert.deepEqual([own.ammunition, own.password, own.seed, own.plan], [6, "tea", 0, "hide"]);
}

void test("a field that was the owner's is gone for whoever loses the entity", () => {
  const soldiers = new state.StateTable(Soldier);
  const row = soldiers.spawn(0, { ammunition: 12, x: 3 });
  const stream = new state.SnapshotStream({ tables: { soldiers }, clientId: 0 });
  const receiver = new state.SnapshotReceiver({ definitions: { soldiers: Soldier }, clientId: 0 });
  const buffer = new Uint8Array(500);
  const send = (tick: number): state.Values<Fields> => {
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(tick, 0, 0, writer));
    stream.acknowledge(receiver.read(new BitReader(buffer, 0, writer.finish())));
    return state.wordsToValues(Soldier, receiver.table("soldiers").words, 0);
  };
  assert.equal(send(1).ammunition, 12);
  soldiers.setOwner(row, 1);
  row.ammunition = 20;
  soldiers.settle();
  assert.equal(send(2).ammunition, 0);
  assert.equal(receiver.table("soldiers").owners[0], 1);
  soldiers.setOwner(row, 0);
  assert.equal(send(3).ammunition, 20);
});
