import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { patchOf, readValue, scalingPatch, settingsOf } from "./settings.ts";

describe("settings", () => {
  it("are the leaves of a configuration, but for what is by region", () => {
    const config = {
      routing: { strategy: "composite", weights: { load: 40 } },
      queue: { admissionsPerSec: null },
      scaling: { eu: { minNodes: 1 } },
    };
    assert.deepEqual(settingsOf(config), [
      { path: ["routing", "strategy"], value: "composite" },
      { path: ["routing", "weights", "load"], value: 40 },
      { path: ["queue", "admissionsPerSec"], value: null },
    ]);
  });

  it("are read as what stood there, and what is no number is left to the API", () => {
    assert.equal(readValue(" 60 ", 400), 60);
    assert.equal(readValue("16,384", 1), 16_384);
    assert.equal(readValue("", 5), null);
    assert.equal(readValue("no limit", null), null);
    assert.equal(readValue("much", 5), "much");
    assert.equal(readValue("latency ", "composite"), "latency");
  });

  it("become the smallest patch", () => {
    const changes = [
      { path: ["routing", "weights", "load"], value: 1 },
      { path: ["routing", "weights", "cpu"], value: 2 },
      { path: ["queue", "maxWaiting"], value: null },
    ];
    assert.deepEqual(patchOf(changes, undefined), {
      routing: { weights: { load: 1, cpu: 2 } },
      queue: { maxWaiting: null },
    });
    const before = { eu: { minNodes: 1 }, us: { minNodes: 2 }, as: { minNodes: 3 } };
    assert.equal(scalingPatch(before, structuredClone(before)), undefined);
    const patch = scalingPatch(before, { eu: { minNodes: 1 }, us: { minNodes: 5 }, af: {} });
    assert.deepEqual(patchOf([], patch), { scaling: { as: null, us: { minNodes: 5 }, af: {} } });
  });
});
