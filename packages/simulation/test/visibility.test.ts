/** Walls hide: what a player does not see is not in the bytes that it is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bool,
  defineEvent,
  defineGame,
  defineInput,
  defineMessage,
  defineState,
  float,
  GameClient,
  lineOfSight,
  Match,
  MessageKind,
} from "@riposte/simulation";
import { outgoingMessage } from "@riposte/simulation/game";
import { SnapshotStream, StateTable } from "@riposte/simulation/state";
import { BitWriter } from "@riposte/wire";
import type { InterestOptions, RowIdentity } from "@riposte/simulation";
import type { AnyTable } from "@riposte/simulation/state";

const coordinate = float({ min: -50, max: 50, step: 1 / 64 });
const Spy = defineState({ x: coordinate, y: coordinate });
const Score = defineState({ points: float({ min: 0, max: 99, step: 1 }) });

const Shot = defineEvent("shot", {});
const Bang = defineMessage("bang", { x: coordinate });

type Encoder = "dense" | "shared";
const ENCODERS: readonly Encoder[] = ["dense", "shared"];

/** A wall from (4, -10) to (5, 10); the player looks from the origin. */
function spyGame(encoder: Encoder, interest: InterestOptions = {}) {
  return defineGame({
    tickRate: 60,
    states: { spies: Spy, scores: Score },
    input: defineInput({ fire: bool() }),
    events: [Shot],
    messages: [Bang],
    statics: { boxes: [{ x: 4.5, y: 0, width: 1, height: 20 }] },
    snapshots: { encoder },
    interest: { radius: 40, visible: lineOfSight(), lingerMs: 100, ...interest },
    join(world, client) {
      world.spies.spawn(client.id, { x: 0, y: 0 });
    },
    step() {
      // The tests move the spies.
    },
  });
}

/** Plays and returns what goes to the player; `move` is called before every tick. */
type SpyGame = ReturnType<typeof spyGame>;

function play(
  game: SpyGame,
  ticks: number,
  move: (tick: number, spy: { x: number; y: number } & RowIdentity, match: Match<SpyGame>) => void,
): { readonly bytes: readonly Uint8Array[]; readonly seen: readonly boolean[]; readonly counts: unknown } {
  const match = new Match(game, { seed: 1 });
  const client = new GameClient(game);
  const seat = match.join(1n);
  const spy = match.world.spies.spawn(-1, { x: 20, y: 0 });
  match.world.scores.spawn(-1, { points: 7 });
  const out = outgoingMessage();
  const buffer = new Uint8Array(1500);
  const bytes: Uint8Array[] = [];
  const seen: boolean[] = [];
  for (let tick = 1; tick <= ticks; tick++) {
    const now = tick * game.tickMs;
    move(tick, spy, match);
    match.tick();
    while (match.pollMessage(seat, out)) client.receive(out.buffer, out.offset, out.length, now);
    const length = match.writeSnapshot(seat, buffer);
    assert.ok(length > 0);
    bytes.push(buffer.slice(0, length));
    client.receive(buffer, 0, length, now);
    client.advance(now, { fire: false });
    while (client.pollMessage(out)) match.receive(seat, out.buffer, out.offset, out.length);
    seen.push([...client.view.spies.all()].some(({ id }) => id === spy.id));
  }
  const { scores, spies } = client.view;
  return { bytes, seen, counts: { scores: scores.count, spies: spies.count } };
}

for (const encoder of ENCODERS) {
  void test(`${encoder}: nothing of a spy behind a wall is in the bytes, wherever it goes there`, () => {
    const game = spyGame(encoder);
    const still = play(game, 120, () => {});
    const busy = play(game, 120, (tick, spy) => {
      spy.x = 7 + (tick % 30);
      spy.y = Math.sin(tick) * 5;
    });
    assert.deepEqual(busy.bytes, still.bytes);
    assert.ok(!busy.seen.includes(true) && !still.seen.includes(true));
    // And without the predicate it would be there.
    const open = play(spyGame(encoder, { visible: () => true }), 60, () => {});
    assert.ok(open.seen.includes(true));
    assert.notDeepEqual(open.bytes, still.bytes.slice(0, 60));
  });

  void test(`${encoder}: a spy that shows itself is seen, and gone soon after it has hidden again`, () => {
    const game = spyGame(encoder);
    const shown = [40, 80];
    const visit = (hiddenX: number) => (tick: number, spy: { x: number; y: number }) => {
      const isOut = tick > shown[0] && tick <= shown[1];
      spy.x = isOut ? 2 : tick > shown[1] + 12 ? hiddenX : 20;
      spy.y = isOut ? 3 : 0;
    };
    const { seen, bytes } = play(game, 200, visit(20));
    assert.ok(!seen.slice(0, shown[0]).includes(true), "before it came out");
    assert.ok(seen.slice(shown[0], shown[1]).includes(true), "while it was out");
    assert.ok(!seen.slice(150).includes(true), "afterwards");
    // It lingers for 6 ticks; where it is later is nobody's knowledge.
    assert.deepEqual(play(game, 200, visit(30)).bytes, bytes);
  });
}

void test("a body of which a side shows is seen, own entities and states without a place always are", () => {
  const behind = play(spyGame("dense"), 30, (_, spy) => {
    spy.x = 8;
    spy.y = 19.8;
  });
  // The ray to its middle meets the wall 0.1 below the corner (4, 10).
  const hidden = play(spyGame("dense", { visible: lineOfSight({ halfWidth: 0 }) }), 30, (_, spy) => {
    spy.x = 8;
    spy.y = 19.8;
  });
  assert.ok(behind.seen.includes(true));
  assert.ok(!hidden.seen.includes(true));
  assert.deepEqual(hidden.counts, { scores: 1, spies: 1 });
});

void test("tests of sight are bounded for a snapshot: everybody has a turn, and who had none is hidden", () => {
  let calls = 0;
  let most = 0;
  const game = spyGame("dense", { maxSightTests: 3, visible: () => ++calls > 0 });
  const counts: number[] = [];
  play(game, 30, (tick, _, match) => {
    most = Math.max(most, calls);
    calls = 0;
    if (tick === 1) for (let i = 0; i < 9; i++) match.world.spies.spawn(-1, { x: i, y: 1 });
    counts.push(match.world.spies.count);
  });
  assert.equal(most, 3);
  assert.equal(counts.at(-1), 11);
});

void test("tests of sight go round all states: one that takes them all leaves another its turn", () => {
  const asked = { crowd: 0, few: 0 };
  const crowd = new StateTable(Spy, { capacity: 64 });
  const few = new StateTable(Spy, { capacity: 64 });
  for (let i = 0; i < 8; i++) crowd.spawn(-1, { x: i, y: 0 });
  for (let i = 0; i < 3; i++) few.spawn(-1, { x: i, y: 1 });
  for (const table of [crowd, few]) table.settle();
  const sees = (table: AnyTable): boolean => {
    asked[table === crowd ? "crowd" : "few"]++;
    return true;
  };
  const stream = new SnapshotStream({
    tables: { crowd, few },
    clientId: 1,
    visibility: { sees, lingerTicks: 6, maxTests: 4 },
  });
  const writer = new BitWriter();
  const buffer = new Uint8Array(1200);
  for (let tick = 1; tick <= 33; tick++) {
    assert.ok(stream.write(tick, 0, 0, writer.reset(buffer)));
    stream.acknowledge(tick);
  }
  assert.deepEqual([stream.lastSent(0).count, stream.lastSent(1).count], [8, 3]);
  // Eleven rows, three snapshots a round.
  assert.deepEqual(asked, { crowd: 88, few: 33 });
});

void test("what happens to whom a player does not see, it does not hear of: events, and messages about it", () => {
  for (const radius of [40, undefined]) {
    const interest = { visible: lineOfSight(), lingerMs: 100, ...(radius === undefined ? {} : { radius }) };
    const match = new Match(defineGame({ ...spyGame("dense"), interest }));
    const { world } = match;
    const seat = match.join(1n);
    const spy = world.spies.spawn(-1, { x: 20, y: 0 });
    const out = outgoingMessage();
    const buffer = new Uint8Array(1500);
    const heard: string[] = [];
    const told: string[] = [];
    for (let tick = 1; tick <= 120; tick++) {
      // Out in the open from tick 41 to 60.
      spy.y = tick > 40 && tick <= 60 ? 15 : 0;
      spy.x = tick > 40 && tick <= 60 ? 2 : 20;
      match.tick();
      world.emit(Shot, spy, {});
      world.broadcastNear(Bang, { x: spy.x }, spy.x, spy.y, undefined, spy);
      while (match.pollMessage(seat, out)) {
        if (out.buffer[out.offset] === MessageKind.event) heard.push(`${tick}`);
        if (out.buffer[out.offset] === MessageKind.message) told.push(`${tick}`);
      }
      assert.ok(match.writeSnapshot(seat, buffer) > 0);
    }
    // It lingers for 6 ticks, as in snapshots.
    const expected = Array.from({ length: 26 }, (_, i) => `${41 + i}`);
    assert.deepEqual(heard, expected);
    assert.deepEqual(told, expected);
    assert.throws(() => world.broadcastNear(Bang, { x: 0 }, 0, 0, 9, { id: 1, owner: 1, index: 1 }), TypeError);
    // Its own, a player hears of wherever it is.
    const own = world.spies.firstOwnedBy(seat) ?? assert.fail();
    world.emit(Shot, own, {});
    assert.ok(match.pollMessage(seat, out));
  }
});
