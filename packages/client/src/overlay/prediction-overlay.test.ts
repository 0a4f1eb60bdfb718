import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PredictionProbe } from "@riposte/simulation/debug";
import { PredictionOverlay } from "./index.ts";
import type { OverlayCanvas } from "./index.ts";

const nothing = (): void => undefined;

/** A canvas that remembers what it was told. */
function recordingCanvas() {
  const texts: string[] = [];
  const points: [number, number][] = [];
  const dots: number[][] = [];
  /** Where lines begin, by the number of points before. */
  const starts: number[] = [];
  const canvas: OverlayCanvas = {
    save: nothing,
    restore: nothing,
    beginPath: nothing,
    stroke: nothing,
    fill: nothing,
    fillRect: nothing,
    moveTo: (x, y) => {
      starts.push(points.length);
      points.push([x, y]);
    },
    lineTo: (x, y) => void points.push([x, y]),
    arc: (x, y) => void dots.push([x, y]),
    fillText: (text) => void texts.push(text),
    fillStyle: "",
    strokeStyle: "",
    lineWidth: 1,
    lineJoin: "round",
    font: "",
    textAlign: "left",
    textBaseline: "top",
    globalAlpha: 1,
  };
  return { canvas, texts, points, dots, starts };
}

/** `jumpAt`: the frame in which the player is somewhere else all at once. */
function filledProbe(jumpAt = -1): PredictionProbe {
  const probe = new PredictionProbe({ frames: 50, pathPoints: 20 });
  for (let frame = 0; frame < 60; frame++) {
    probe.curves.predictionError.push(frame === 40 ? 0.5 : 0);
    probe.curves.corrections.push(frame === 40 ? 1 : 0);
    probe.curves.inputBufferDepth.push(3);
    probe.curves.inputRate.push(1.05);
    probe.curves.viewRate.push(0.98);
    probe.curves.interpolationDelayMs.push(66);
    probe.predicted.ticks.push(frame + 10);
    probe.predicted.x.push(frame + 10);
    probe.predicted.y.push(0);
    probe.predicted.jumps.push(Number(frame === jumpAt));
    if (frame % 2 === 1) continue;
    probe.server.ticks.push(frame);
    probe.server.x.push(frame);
    probe.server.y.push(frame === 58 ? 0.25 : 0);
  }
  return probe;
}

describe("PredictionOverlay", () => {
  it("says in numbers what it draws", () => {
    const { canvas, texts, points } = recordingCanvas();
    const overlay = new PredictionOverlay(filledProbe(), { x: 100, y: 50, width: 200, rowHeight: 30, unit: "m" });
    overlay.draw(canvas);
    assert.deepEqual(
      [
        ["Prediction error", "0.50 m"],
        ["Corrections", "1"],
        ["Input buffer", "3 ticks"],
        ["Time dilation", "+5.0 / -2.0 %"],
        ["Interpolation delay", "66 ms"],
      ].flat(),
      texts,
    );
    assert.equal(points.length, 6 * 50, "a point for each frame in each curve");
    for (const [x, y] of points) assert.ok(x >= 100 && x <= 300 && y >= 50 && y <= 50 + 5 * 30 + 12, `${x}, ${y}`);
    const { values } = overlay;
    assert.ok(Math.abs(values.inputDilation - 5) < 1e-9 && Math.abs(values.viewDilation + 2) < 1e-9);
    assert.equal(values.pathGap, 0.25, "at the newest tick that both know");
  });

  it("draws both ways where they are in the world", () => {
    const { canvas, points, dots, starts } = recordingCanvas();
    const overlay = new PredictionOverlay(filledProbe());
    overlay.drawPaths(canvas, { x: (x) => x * 10, y: (_x, y) => 100 - y * 10 });
    assert.deepEqual([points.length, points[0], points.at(-1)], [20, [500, 100], [690, 100]]);
    assert.deepEqual([dots.length, dots[0], dots.at(-1)], [20, [200, 100], [580, 97.5]]);
    assert.deepEqual(starts, [0], "one line");
  });

  it("draws no line to where the player was put", () => {
    const { canvas, points, starts } = recordingCanvas();
    new PredictionOverlay(filledProbe(52)).drawPaths(canvas, { x: (x) => x, y: (_x, y) => y });
    assert.deepEqual(starts, [0, 12]);
    assert.deepEqual([points.length, points[12]], [20, [62, 0]]);
  });

  it("has nothing to say before the first frame", () => {
    const { canvas, texts } = recordingCanvas();
    const overlay = new PredictionOverlay(new PredictionProbe());
    overlay.draw(canvas, { x: (x) => x, y: (_x, y) => y });
    assert.ok(texts.includes("+0.0 / +0.0 %"));
    assert.equal(overlay.values.pathGap, Number.NaN);
  });
});
