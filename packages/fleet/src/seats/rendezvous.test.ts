import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { highestRanked, outranks, rendezvousScore } from "./rendezvous.ts";

const balancers = ["10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000"];
const keys = Array.from({ length: 8000 }, (_, i) => `key-${i}`);

describe("rendezvous hashing", () => {
  it("spreads keys evenly", () => {
    for (const balancer of balancers) {
      const share = keys.filter((key) => highestRanked(key, balancers) === balancer).length / keys.length;
      assert.ok(Math.abs(share - 0.25) < 0.02, `${balancer} is the first for ${share}`);
    }
  });

  it("moves only the keys of who goes, and those evenly", () => {
    const [gone, ...rest] = balancers;
    const moved = new Map<string, number>();
    for (const key of keys) {
      const before = highestRanked(key, balancers)!;
      const after = highestRanked(key, rest)!;
      if (before !== gone) assert.equal(after, before);
      else moved.set(after, (moved.get(after) ?? 0) + 1);
    }
    for (const count of moved.values()) assert.ok(count > 550 && count < 800, `${count}`);
  });

  it("does not depend on the order, and skips who is left out", () => {
    for (const key of keys.slice(0, 100)) {
      const ranked = balancers.toSorted((a, b) => (outranks(key, a, b) ? -1 : 1));
      assert.equal(highestRanked(key, balancers.toReversed()), ranked[0]);
      assert.equal(highestRanked(key, balancers, new Set([ranked[0]])), ranked[1]);
    }
    assert.equal(highestRanked("k", []), undefined);
  });

  it("is the same everywhere", () => {
    assert.equal(rendezvousScore("key-1", "10.0.0.1:7000"), 214764411);
  });
});
