import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Camera } from "../client/camera.ts";
import { FIELD, PLAYER_RADIUS, SIGHT_RADIUS } from "../src/rules.ts";

/** Window sizes: phones upright and across, old and new screens, the widest there are, and silly ones. */
const WINDOWS = [
  [360, 780],
  [780, 360],
  [640, 480],
  [960, 540],
  [1280, 720],
  [1920, 1200],
  [3440, 1440],
  [5120, 1440],
  [4000, 300],
  [300, 4000],
];

/** Players on a grid over the whole field, its edges and corners included. */
function* places(): Generator<[number, number]> {
  for (let x = -FIELD + 1; x < FIELD; x += 14) for (let y = -FIELD + 1; y < FIELD; y += 14) yield [x, y];
}

/** How far from the player the farthest point of the picture is. */
function farthest(camera: Camera, width: number, height: number, x: number, y: number): number {
  let far = 0;
  for (const pixelX of [0, width]) {
    for (const pixelY of [0, height])
      far = Math.max(far, Math.hypot(camera.toWorldX(pixelX) - x, camera.toWorldY(pixelY) - y));
  }
  return far;
}

describe("the camera", () => {
  it("never shows more than its player is told of, wherever it stands, leans and shakes", () => {
    for (const [width, height] of WINDOWS) {
      let most = 0;
      for (const [x, y] of places()) {
        for (const [cursorX, cursorY] of [
          [0, 0],
          [1, 1],
          [-1, 1],
          [1, -0.4],
          [-1, -1],
        ]) {
          const camera = new Camera();
          camera.resize(width, height);
          for (let frame = 0; frame < 40; frame++) {
            camera.shake(1.2);
            camera.follow(x, y, cursorX, cursorY, 0.1);
            most = Math.max(most, farthest(camera, width, height, x, y));
          }
        }
      }
      assert.ok(most < SIGHT_RADIUS - PLAYER_RADIUS, `${most.toFixed(1)} m in a window of ${width} x ${height}`);
    }
  });

  it("shows most of it all the same, leans towards the cursor, and stays back at the edge of the field", () => {
    const camera = new Camera();
    camera.resize(1280, 720);
    const at = (x: number, y: number, cursorX: number): { x: number; far: number } => {
      for (let frame = 0; frame < 60; frame++) camera.follow(x, y, cursorX, 0, 0.1);
      return { x: camera.x, far: farthest(camera, 1280, 720, x, y) };
    };
    assert.ok(at(0, 0, 0).far > 26);
    assert.ok(at(0, 0, 1).x > 2.5);
    assert.ok(at(FIELD - 2, 0, 0).x < FIELD - 4);
    assert.ok(at(FIELD - 2, FIELD - 2, -1).far > 28);
  });
});
