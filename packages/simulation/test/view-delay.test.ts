/** Others stay in the picture, however far behind the newest snapshot the view has to be. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineGame } from "@riposte/simulation";
import { game, still } from "./shooting-game.ts";
import { TestNetwork } from "./link.ts";

/** Frames of a watcher that does not see a mover, of all frames after the watcher has joined and has seen it once. */
function unseenFrames(tickRate: number, snapshotRate: number, burstMs: number): { unseen: number; frames: number } {
  const network = new TestNetwork(defineGame({ ...game, tickRate, snapshotRate }));
  const mover = network.add({ latencyMs: 20 }, { ...still, moveX: 0.2 });
  network.run(500);
  const watcher = network.add({ latencyMs: 40 }, still);
  watcher.down.burstMs = burstMs;
  let unseen = 0;
  let frames = 0;
  watcher.onFrame = (): void => {
    const seen = [...watcher.client.view.players].some((row) => row.owner === mover.seat);
    if (frames === 0 && !seen) return;
    frames++;
    if (!seen) unseen++;
  };
  network.run(8000);
  return { unseen, frames };
}

describe("a view that is many snapshots behind", () => {
  for (const [tickRate, snapshotRate, burstMs] of [
    [60, 60, 280],
    [128, 128, 150],
    [240, 240, 0],
    [240, 240, 300],
    // Longer than any view delay: what is known is too new, and still nobody vanishes.
    [60, 60, 900],
  ]) {
    it(`draws everybody at ${snapshotRate} snapshots a second that come every ${burstMs} ms`, () => {
      const { unseen, frames } = unseenFrames(tickRate, snapshotRate, burstMs);
      assert.ok(frames > 300, `${frames} frames with somebody in sight`);
      assert.equal(unseen, 0, `of ${frames} frames`);
    });
  }
});
