import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BitReader } from "@riposte/wire";
import { bool, defineInput, defineState, float, uint } from "../state/index.ts";
import { defineCall, defineGame, GameClient, Match, outgoingMessage } from "./index.ts";
import type { GameClientOptions, MatchOptions } from "./index.ts";
import type { IncomingCall } from "./message-router.ts";
import { InputBuffer } from "../prediction/input/input-buffer.ts";
import { createViewStamp } from "../prediction/input/player-input.ts";
import { InputReader } from "../prediction/input/input-message.ts";

const Player = defineState({ x: float({ min: -9, max: 9, step: 1 / 8 }), y: float({ min: -9, max: 9, step: 1 / 8 }) });
const Input = defineInput({ fire: bool() });
const Ask = defineCall("ask", { question: uint({ max: 255 }) }, { answer: uint({ max: 255 }) });

function gameOf(options: { readonly capacity?: number; readonly flashes?: boolean } = {}) {
  return defineGame({
    tickRate: 60,
    states: { players: defineState(Player.fields, { capacity: options.capacity ?? 8 }), shots: Player },
    input: Input,
    messages: [Ask],
    join(world, client) {
      world.shots.spawn(client.id);
      world.players.spawn(client.id, { x: client.id });
    },
    step(world) {
      if (options.flashes === true) world.shots.despawn(world.shots.spawn(0));
    },
  });
}

type Game = ReturnType<typeof gameOf>;

/** Hands everything that waits on one side to the other. */
function toServer(client: GameClient<Game>, match: Match<Game>, seat: number): void {
  const out = outgoingMessage();
  while (client.pollMessage(out)) match.receive(seat, out.buffer.slice(), out.offset, out.length);
}

function toClient(match: Match<Game>, seat: number, client: GameClient<Game>, now: number): void {
  const out = outgoingMessage();
  while (match.pollMessage(seat, out)) client.receive(out.buffer.slice(), out.offset, out.length, now);
}

function snapshotOf(match: Match<Game>, seat: number): Uint8Array {
  const buffer = new Uint8Array(1400);
  return buffer.slice(0, match.writeSnapshot(seat, buffer));
}

/** How many inputs are in each message of a client that makes one in every frame. */
function inputsPerMessage(options: GameClientOptions, lossRate: number): number {
  const game = gameOf();
  const match = new Match(game);
  const client = new GameClient(game, options);
  client.updateLink(50, lossRate);
  const seat = match.join(1n);
  toClient(match, seat, client, 0);
  const out = outgoingMessage();
  const counts: number[] = [];
  for (let frame = 0; frame < 50; frame++) {
    client.advance(frame * game.tickMs, { fire: false });
    while (client.pollMessage(out)) {
      const bits = new BitReader().reset(out.buffer, out.offset, out.offset + out.length);
      bits.bits(8);
      bits.bits(32);
      counts.push(bits.bits(5) + 1);
    }
  }
  const [count, ...others] = new Set(counts.slice(-10));
  assert.deepEqual(others, []);
  return count;
}

describe("Match", () => {
  it("remembers a tick whose step throws, and those before", () => {
    const game = defineGame({
      tickRate: 60,
      states: { players: Player },
      input: Input,
      join: (world, client) => void world.players.spawn(client.id),
      step(world) {
        for (const player of world.players) player.x = world.tick;
        if (world.tick === 20) throw new Error("a mistake of the game");
      },
    });
    const match = new Match(game);
    match.join(1n);
    for (let tick = 1; tick < 20; tick++) match.tick();
    assert.throws(() => match.tick(), /a mistake of the game/);
    match.tick();
    assert.deepEqual(
      match.rewindHistory().map(({ snapshots }) => snapshots),
      [21],
    );
  });

  it("remembers of each state no more than it may", () => {
    const game = gameOf();
    const histories = (options: MatchOptions): Record<string, number> =>
      Object.fromEntries(
        new Match(game, options).rewindHistory().map(({ state, maxSnapshots }) => [state, maxSnapshots]),
      );
    const { tickMs } = game;
    const whole = Math.ceil(1000 / tickMs) + 1;
    for (const ticks of Object.values(histories({}))) assert.equal(ticks, whole, "500 ms, and 500 for late updates");
    for (const ticks of Object.values(histories({ rewindHistory: { maxSnapshots: 10 } }))) assert.equal(ticks, 10);
    for (const { bytes, maxSnapshots } of new Match(game, { rewindHistory: { maxBytes: 60_000 } }).rewindHistory())
      assert.ok(maxSnapshots > 2 && bytes <= 60_000, `${maxSnapshots} ticks, ${bytes} bytes`);
    const match = new Match(game, { rewindHistory: { maxSnapshots: 10 } });
    for (let tick = 0; tick < 30; tick++) match.tick();
    for (const { snapshots, windowMs } of match.rewindHistory())
      assert.deepEqual([snapshots, windowMs], [10, 9 * tickMs]);
  });

  it("keeps no seat and no entity of a player whose join failed", () => {
    const match = new Match(gameOf({ capacity: 1 }), { maxSeats: 2 });
    assert.equal(match.join(1n), 0);
    for (let i = 0; i < 3; i++) assert.throws(() => match.join(2n), RangeError);
    assert.equal(match.seatOf(2n), -1);
    assert.equal(match.hasSeatFor(3n), true);
    assert.equal(match.world.shots.count, 1);
    match.remove(0);
    assert.equal(match.join(2n), 0);
  });

  it("gives up the seat kept longest when a full match is joined, and only then", () => {
    const match = new Match(gameOf(), { maxSeats: 2 });
    match.join(1n);
    match.join(2n);
    assert.equal(match.hasSeatFor(3n), false);
    assert.equal(match.join(3n), -1);
    match.leave(1);
    match.tick();
    match.leave(0);
    assert.equal(match.hasSeatFor(3n), true);
    assert.equal(match.join(3n), 1);
    assert.deepEqual([match.seatOf(1n), match.seatOf(2n)], [0, -1]);
    assert.equal(match.world.shots.count, 2);
    assert.equal(match.join(1n), 0, "the other one may still come back");
    assert.equal(match.join(2n), -1);
  });

  it("answers a call of an old session to nobody", () => {
    const game = gameOf();
    const match = new Match(game);
    const calls: IncomingCall<typeof Ask.reply>[] = [];
    match.router.onCall(Ask, (_request, call) => void calls.push(call));
    const seat = match.join(1n);
    const before = new GameClient(game);
    toClient(match, seat, before, 0);
    before.call(Ask, { question: 1 }, 0, () => {});
    toServer(before, match, seat);
    // The page is loaded anew: its calls are numbered from 1 again.
    match.join(1n);
    const after = new GameClient(game);
    toClient(match, seat, after, 0);
    const outcomes: unknown[] = [];
    after.call(Ask, { question: 2 }, 0, (outcome) => outcomes.push(outcome));
    toServer(after, match, seat);
    assert.equal(calls.length, 2);
    assert.equal(calls[0].reply({ answer: 1 }), false);
    assert.equal(calls[1].reply({ answer: 2 }), true);
    toClient(match, seat, after, 0);
    assert.deepEqual(outcomes, [{ ok: true, value: { answer: 2 } }]);
  });
});

describe("GameClient", () => {
  it("despawns nothing but what it is told to, when a step despawns what it has just spawned", () => {
    const game = gameOf({ flashes: true });
    const match = new Match(game);
    const client = new GameClient(game);
    const seat = match.join(1n);
    for (let now = 0; now < 200; now += 16) {
      match.tick();
      toClient(match, seat, client, now);
      const snapshot = snapshotOf(match, seat);
      client.receive(snapshot, 0, snapshot.length, now);
      client.advance(now, { fire: false });
      toServer(client, match, seat);
    }
    assert.equal(match.world.shots.count, 1);
    assert.equal(client.world.shots.count, 1);
    assert.equal(client.view.shots.count, 1);
    assert.equal(client.stats.prediction.corrections, 0);
  });

  it("sends as many older inputs again as it is told to, or more as packets get lost", () => {
    assert.equal(inputsPerMessage({}, 0), 3);
    assert.equal(inputsPerMessage({}, 0.1), 4);
    assert.equal(inputsPerMessage({}, 0.9), 32);
    assert.equal(inputsPerMessage({ inputRedundancy: 0 }, 0.1), 1);
    assert.equal(inputsPerMessage({ inputRedundancy: 7 }, 0), 8);
    for (const inputRedundancy of [-1, 32, Number.NaN])
      assert.throws(() => new GameClient(gameOf(), { inputRedundancy }), RangeError);
  });

  it("claims to have seen only snapshots that went into the picture", () => {
    const game = gameOf();
    const match = new Match(game);
    const client = new GameClient(game);
    const seat = match.join(1n);
    for (let tick = 1; tick <= 20; tick++) match.tick();
    const snapshots = [];
    for (let i = 0; i < 4; i++) {
      match.tick();
      snapshots.push(snapshotOf(match, seat));
    }
    toClient(match, seat, client, 0);
    // The third comes last: by then the picture is made without it.
    for (const i of [0, 1, 3, 2]) client.receive(snapshots[i], 0, snapshots[i].length, 0);
    client.advance(0, { fire: false });
    client.advance(17, { fire: false });
    const out = outgoingMessage();
    let mask = -1;
    const inputs = new InputBuffer({ wordCount: Input.wordCount });
    const reader = new InputReader(Input);
    while (client.pollMessage(out)) {
      inputs.reset(20);
      assert.ok(reader.read(out.buffer, out.offset, out.length, inputs));
      assert.equal(reader.snapshotTick, 24);
      const stamp = createViewStamp();
      const words = new Int32Array(Input.wordCount);
      for (let tick = 21; tick <= inputs.newestTick; tick++)
        if (inputs.take(tick, words, 0, stamp) === 0) mask = stamp.receiptMask;
    }
    assert.equal(mask, 0b110, "ticks 22 and 21, not 23");
  });
});

describe("defineGame", () => {
  it("gives games that cannot talk to each other different schema hashes", () => {
    assert.deepEqual(gameOf().schemaHash, gameOf({ flashes: true }).schemaHash);
    assert.notDeepEqual(gameOf().schemaHash, gameOf({ capacity: 9 }).schemaHash, "snapshots are bounded by capacity");
  });
});
