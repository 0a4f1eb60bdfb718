import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { angle, defineState, float, StateTable, vec2 } from "../state/index.ts";
import { HistoryRecorder } from "./history-recorder.ts";

const coordinate = float({ min: -100, max: 100, step: 1 / 8 });
const State = defineState({
  position: vec2(coordinate, { teleport: 5 }),
  aim: angle({ bits: 10, teleport: 1 }),
});

describe("a recorded jump", () => {
  it("is exactly what a client would not blend across", () => {
    const table = new StateTable(State);
    const recorder = new HistoryRecorder(State, table, { tickMs: 10, windowMs: 500 });
    const { history } = recorder;
    const row = table.spawn(0);
    let tick = 1;
    recorder.record(tick);
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
      recorder.record(++tick);
      const jumped = history.jumped(history.at(0, tick - 1), history.at(0, tick));
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
    for (let i = 0; i < 4; i++) step(() => move(2, 0));
    const entries = [tick - 4, tick - 1, tick].map((at) => history.at(0, at));
    assert.equal(history.jumped(entries[1], entries[2]), false);
    assert.equal(history.jumped(entries[0], entries[2]), true, "8 are a jump, however many ticks they took");
    step(() => move(20, 0));
    step(() => move(-20, 0));
    assert.equal(history.jumped(history.at(0, tick - 2), history.at(0, tick)), false, "there and back");
  });
});
