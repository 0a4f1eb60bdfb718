/** How far the view is behind is a matter of the link and of one frame, however irregular the page that draws. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineGame } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import { TestNetwork } from "./link.ts";
import { game, still } from "./shooting-game.ts";

const FRAME_MS = 1000 / 60;
const WAY_MS = 20;
/** 30 a second. */
const INTERVAL_MS = 1000 / 30;
/** Reserve, and the grain of a test network. */
const SLACK_MS = 8;

interface Drawn {
  /** How far the view was behind what could have been known, on average. */
  readonly behindMs: number;
  /** The farthest that it was said to be behind. */
  readonly delayMs: number;
  /** Part of the frames that had no newer snapshot. */
  readonly starved: number;
  readonly frames: number;
}

/**
 * Draws for half a minute over a link that delays everything the same. `frameMs` gives the lengths of frames. While the
 * page is `busy`, what has arrived waits until after the next frame; a page that is not handles everything at once.
 */
function draw(frameMs: (random: TickRandom) => number, busy: boolean, lossRate = 0): Drawn {
  const network = new TestNetwork(defineGame({ ...game, tickRate: 60, snapshotRate: 30 }));
  const player = network.add({ latencyMs: WAY_MS * 2, lossRate }, still);
  const random = new TickRandom();
  random.reseed(3, 3);
  player.busy = busy;
  let frames = 0;
  let starved = 0;
  let behindMs = 0;
  let delayMs = 0;
  player.onFrame = (now): void => {
    player.frameMs = frameMs(random);
    if (now < 15_000) return;
    const { view, snapshotTick, stats } = player.client;
    frames++;
    if (view.tick > snapshotTick) starved++;
    delayMs = Math.max(delayMs, stats.interpolationDelayMs);
    behindMs += now - WAY_MS - view.tick * (1000 / 60);
  };
  network.run(45_000);
  return { behindMs: behindMs / frames, delayMs, starved: starved / frames, frames };
}

describe("the view of a page that handles what arrives between its frames", () => {
  const kinds: [string, (random: TickRandom) => number][] = [
    ["every 16.7 ms", () => FRAME_MS],
    ["every 100 ms", () => 100],
    ["now and then late", (random) => (random.next() < 0.03 ? 120 : FRAME_MS)],
    ["now and then very late", (random) => (random.next() < 0.03 ? 300 : FRAME_MS)],
    ["irregularly, every 50 to 240 ms", (random) => random.between(50, 240)],
    ["irregularly, every 50 to 300 ms", (random) => random.between(50, 300)],
  ];
  for (const [name, frameMs] of kinds) {
    it(`is one snapshot behind, and has the next one, when it draws ${name}`, () => {
      const { behindMs, delayMs, starved, frames } = draw(frameMs, false);
      assert.ok(frames > 100);
      assert.ok(behindMs < INTERVAL_MS + SLACK_MS, `${behindMs} ms behind`);
      assert.ok(delayMs < INTERVAL_MS + SLACK_MS, `said to be ${delayMs} ms behind`);
      assert.ok(starved <= 0.01, `${starved} without a newer snapshot`);
    });
  }
});

describe("the view over a link that loses a twentieth of the snapshots", () => {
  for (const busy of [false, true]) {
    for (const length of [FRAME_MS, 100]) {
      it(`has a newer one for 99 % of frames of ${Math.round(length)} ms, ${busy ? "busy" : "idle"} between them`, () => {
        const { starved } = draw(() => length, busy, 0.05);
        assert.ok(starved <= 0.015, `${starved} without a newer snapshot`);
      });
    }
  }
});

describe("the view of a page that handles what arrived only after its next frame", () => {
  for (const length of [FRAME_MS, 100]) {
    it(`is a frame farther behind when it draws every ${Math.round(length)} ms`, () => {
      const { behindMs, starved } = draw(() => length, true);
      assert.ok(behindMs < INTERVAL_MS + length + SLACK_MS, `${behindMs} ms behind`);
      assert.ok(starved <= 0.01, `${starved} without a newer snapshot`);
    });
  }

  it("has a newer snapshot also where the display leaves out every fifth picture", () => {
    const { behindMs, starved } = draw((random) => (random.next() < 0.2 ? FRAME_MS * 2 : FRAME_MS), true);
    assert.ok(behindMs < INTERVAL_MS + FRAME_MS * 2 + SLACK_MS, `${behindMs} ms behind`);
    assert.ok(starved <= 0.015, `${starved} without a newer snapshot`);
  });

  for (const late of [120, 300]) {
    it(`does not take a few frames of ${late} ms for a bad link`, () => {
      const { behindMs, starved } = draw((random) => (random.next() < 0.03 ? late : FRAME_MS), true);
      assert.ok(behindMs < INTERVAL_MS + FRAME_MS * 2.1 + SLACK_MS, `${behindMs} ms behind`);
      // Those of the late frames themselves.
      assert.ok(starved <= 0.035, `${starved} without a newer snapshot`);
    });
  }

  it("is at most a frame behind when all of them are irregular", () => {
    const { behindMs } = draw((random) => random.between(50, 240), true);
    assert.ok(behindMs < INTERVAL_MS + 240 + SLACK_MS, `${behindMs} ms behind`);
  });
});
