// The same bits in V8 (Node, Chromium) and SpiderMonkey (Firefox): the mathematics, and a game that uses it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { bundleForBrowser, engineOrSkip, runInBrowser } from "./browser-engines.ts";
import { result } from "../packages/simulation/test/engine-run.ts";
import type { EngineResult } from "../packages/simulation/test/engine-run.ts";
import { GOLDEN } from "../packages/simulation/test/math-samples.ts";

describe("engines agree", () => {
  let bundle = "";

  before(async () => {
    bundle = await bundleForBrowser(join(import.meta.dirname, "../packages/simulation/test/engine-run.ts"));
  });

  it("Node comes to the golden hashes", () => {
    assert.deepEqual(result.math, GOLDEN);
    assert.deepEqual(result.problems, []);
    assert.equal(result.checkpoints.length, 20);
  });

  for (const engine of ["chromium", "firefox"] as const)
    it(`${engine} comes to the same`, { skip: engineOrSkip(engine).skip }, async (t) => {
      const theirs = (await runInBrowser(engine, bundle)) as EngineResult;
      assert.deepEqual(theirs.math, GOLDEN);
      assert.deepEqual(theirs.checkpoints, result.checkpoints);
      assert.deepEqual(theirs.problems, []);
      const apart = Object.keys(GOLDEN).filter((name) => theirs.native[name] !== result.native[name]);
      t.diagnostic(`of the engine's own functions these differ from Node's: ${apart.join(", ") || "none"}`);
    });
});
