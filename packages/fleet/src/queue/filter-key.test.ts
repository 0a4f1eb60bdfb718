import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { filterKeyOf } from "./filter-key.ts";

describe("filterKeyOf", () => {
  it("is the same for the same filter in another order", () => {
    const a = filterKeyOf({ labels: { a: "1", b: "2" }, regions: ["eu", "us"], exceptNodes: ["n2", "n1"] });
    const b = filterKeyOf({ exceptNodes: ["n1", "n2"], regions: ["us", "eu"], labels: { b: "2", a: "1" } });
    assert.equal(a, b);
  });

  it("is empty for none", () => {
    assert.equal(filterKeyOf(undefined), "");
    assert.equal(filterKeyOf({}), "");
    assert.equal(filterKeyOf({ labels: {}, regions: [] }), "");
  });

  it("differs where the filter does, wherever the text stands", () => {
    const filters = [
      { version: "x" },
      { gameMode: "x" },
      { regions: ["x"] },
      { exceptNodes: ["x"] },
      { labels: { x: "" } },
      { labels: { x: "x" } },
      { regions: ["x", "y"] },
      { regions: ["x,y"] },
    ];
    assert.equal(new Set(filters.map(filterKeyOf)).size, filters.length);
  });
});
