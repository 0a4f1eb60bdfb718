import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ToldReceipts } from "./told-receipts.ts";

describe("ToldReceipts", () => {
  it("knows what was told with the inputs up to a tick", () => {
    const told = new ToldReceipts();
    assert.equal(told.newestAt(100), -1);
    told.note(10, 4);
    told.note(12, 4);
    told.note(13, 8);
    // Overtaken on the way.
    told.note(11, 6);
    told.note(14, 7);
    assert.deepEqual(
      [9, 10, 12, 13, 99].map((tick) => told.newestAt(tick)),
      [-1, 4, 4, 8, 8],
    );
    told.clear();
    assert.equal(told.newestAt(99), -1);
  });

  it("remembers the last 64", () => {
    const told = new ToldReceipts();
    for (let i = 0; i < 1000; i++) told.note(i, i * 2);
    assert.equal(told.newestAt(999), 1998);
    assert.equal(told.newestAt(940), 1880);
    assert.equal(told.newestAt(900), -1);
  });
});
