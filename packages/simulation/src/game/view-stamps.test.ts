/** What a client may claim to have seen (docs/lag-compensation.md, "What a cheat can gain"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InputHistory } from "../prediction/input/input-history.ts";
import { InputWriter } from "../prediction/input/input-message.ts";
import { bool, defineInput, defineState, float } from "../state/index.ts";
import { defineGame, Match } from "./index.ts";

const Input = defineInput({ fire: bool() });
/** What the player of seat 0 was judged to see: the tick, and where the other one was then. */
const seen = { viewTick: Number.NaN, x: Number.NaN };
const pose = { x: 0, y: 0, angle: 0 };

/** The second player is at x = tick, or a hundred farther in the odd ticks: snapshots, which go out on even ones, never say so. */
const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState({
      x: float({ min: 0, max: 4000, step: 1 / 256 }),
      y: float({ min: 0, max: 1, step: 1 }),
    }),
  },
  input: Input,
  join(world, client) {
    world.players.spawn(client.id);
  },
  step(world, inputs) {
    const me = world.players.firstOwnedBy(0);
    const target = world.players.firstOwnedBy(1);
    if (me === undefined || target === undefined) return;
    target.x = world.tick + (world.tick % 2) * 100;
    if (!inputs.of(me).fire) return;
    const sight = world.players.seenBy(me);
    assert.ok(sight.poseOf(target, pose));
    seen.viewTick = sight.viewTick;
    seen.x = pose.x;
  },
});

interface Claim {
  readonly viewTick: number;
  readonly snapshotTick: number;
  readonly receiptMask: number;
}

/** 200 ticks with a snapshot on every second one; the input of the last tick has the claim. Returns how many claims were cut. */
function judge(claim: Claim): number {
  const match = new Match(game);
  match.join(1n);
  match.join(2n);
  const buffer = new Uint8Array(1400);
  for (let tick = 1; tick < 200; tick++) {
    match.tick();
    if (tick % 2 === 0) assert.ok(match.writeSnapshot(0, buffer) > 0);
  }
  const history = new InputHistory(Input.wordCount, 8);
  history.words[history.add(200, { ...claim, mode: "linear" })] = 1;
  const length = new InputWriter(Input).write(history, 200, 1, claim.snapshotTick, claim.receiptMask, buffer);
  assert.ok(match.receive(0, buffer, 0, length));
  seen.viewTick = seen.x = Number.NaN;
  match.tick();
  return match.seat(0)?.stats.clampedViews ?? Number.NaN;
}

/** Of the last snapshots, as an honest client has them: 198, 196, 194, ... */
const EVERY_SECOND = 0xaaaaaaaa | 0;

describe("a view stamp", () => {
  it("is believed when it is what an honest client says", () => {
    assert.equal(judge({ viewTick: 191, snapshotTick: 198, receiptMask: EVERY_SECOND }), 0);
    assert.deepEqual(seen, { viewTick: 191, x: 191 }, "between the snapshots of 190 and 192");
    // Only these two arrived.
    assert.equal(judge({ viewTick: 193, snapshotTick: 198, receiptMask: 1 << 9 }), 0);
    assert.deepEqual(seen, { viewTick: 193, x: 193 });
  });

  it("is cut when it is farther back than the limit", () => {
    assert.equal(judge({ viewTick: 100, snapshotTick: 198, receiptMask: EVERY_SECOND }), 1);
    assert.deepEqual(seen, { viewTick: 170, x: 170 }, "500 ms are 30 ticks");
    assert.equal(judge({ viewTick: 170, snapshotTick: 198, receiptMask: EVERY_SECOND }), 0);
  });

  it("is cut when it is newer than the moment in which its input is judged", () => {
    assert.equal(judge({ viewTick: 199, snapshotTick: 198, receiptMask: EVERY_SECOND }), 0);
    assert.equal(seen.x, 199);
    assert.equal(judge({ viewTick: 1000, snapshotTick: 198, receiptMask: EVERY_SECOND }), 1);
    assert.deepEqual(seen, { viewTick: 199, x: 199 });
  });

  it("gains nothing from snapshots that were never sent", () => {
    // As if it had those of the odd ticks, too, in which the target was elsewhere.
    assert.equal(judge({ viewTick: 191, snapshotTick: 198, receiptMask: -1 }), 1);
    assert.deepEqual(seen, { viewTick: 191, x: 191 });
    assert.equal(judge({ viewTick: 195.5, snapshotTick: 199, receiptMask: 0 }), 1);
    assert.equal(seen.viewTick, 195.5);
    assert.equal(judge({ viewTick: 197, snapshotTick: 250, receiptMask: 0 }), 1);
    assert.equal(seen.viewTick, 197);
  });
});
