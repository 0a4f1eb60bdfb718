import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { angle, defineState, float, StateTable, vec2 } from "../state/index.ts";
import { TeleportWatch } from "./teleport-watch.ts";

const coordinate = float({ min: -100, max: 100, step: 1 / 8 });
const State = defineState({
  position: vec2(coordinate, { teleport: 5 }),
  aim: angle({ bits: 10, teleport: 1 }),
});

describe("TeleportWatch", () => {
  it("takes for a jump exactly what a client would not blend across", () => {
    const table = new StateTable(State);
    const watch = new TeleportWatch(table);
    assert.equal(watch.idle, false);
    const row = table.spawn(0);
    watch.check(row.index);
    const before = new Int32Array(table.wordCount);
    const drawn = new StateTable(State);
    drawn.spawn(0);
    const step = (change: () => void): boolean => {
      table.readWords(row.index, before);
      const { x } = row.position;
      change();
      table.settle();
      drawn.blendWords(0, before, 0, table.words, 0, 0.5);
      const halfway = drawn.columns.position.x[0] === (x + row.position.x) / 2;
      const jumped = watch.check(row.index);
      assert.equal(halfway, !jumped, "what a client draws");
      return jumped;
    };
    const move = (x: number, y: number): void => {
      row.position = { x: row.position.x + x, y: row.position.y + y };
    };
    assert.equal(
      step(() => move(4, 0)),
      false,
    );
    assert.equal(
      step(() => move(4, 4)),
      true,
      "a diagonal of 5.7",
    );
    assert.equal(
      step(() => move(3, 3)),
      false,
    );
    row.aim = 3;
    assert.equal(
      step(() => move(1, 0)),
      true,
    );
    assert.equal(
      step(() => {
        move(1, 0);
        row.aim = -3;
      }),
      false,
      "the shorter way around",
    );
  });
});
