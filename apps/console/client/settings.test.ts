import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { documentPatch, documentsOf, patchOf, readValue, settingsOf } from "./settings.ts";

describe("settings", () => {
  it("are the leaves of a configuration, but for lists and what is by region", () => {
    const config = {
      routing: { strategy: "composite", weights: { load: 40 } },
      queue: { admissionsPerSec: null },
      scaling: { eu: { minNodes: 1 } },
      geoip: { overrides: [] },
    };
    assert.deepEqual(settingsOf(config), [
      { path: ["routing", "strategy"], value: "composite" },
      { path: ["routing", "weights", "load"], value: 40 },
      { path: ["queue", "admissionsPerSec"], value: null },
    ]);
    assert.deepEqual(documentsOf(config), [
      { path: ["scaling"], value: { eu: { minNodes: 1 } } },
      { path: ["geoip", "overrides"], value: [] },
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
    assert.deepEqual(patchOf(changes), {
      routing: { weights: { load: 1, cpu: 2 } },
      queue: { maxWaiting: null },
    });
    const before = { eu: { minNodes: 1 }, us: { minNodes: 2 }, as: { minNodes: 3 } };
    assert.equal(documentPatch(before, structuredClone(before)), undefined);
    const after = { eu: { minNodes: 1 }, us: { minNodes: 5 }, af: {} };
    assert.deepEqual(documentPatch(before, after), { as: null, us: { minNodes: 5 }, af: {} });
    assert.deepEqual(documentPatch([1, 2], [2]), [2]);
    assert.equal(documentPatch([1], [1]), undefined);
  });
});
