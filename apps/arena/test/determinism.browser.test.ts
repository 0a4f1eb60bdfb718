// The arena comes to the same states in Node and Chromium (V8) and in Firefox (SpiderMonkey).
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { DeterminismReport } from "@riposte/simulation/determinism";
import { bundleForBrowser, engineOrSkip, runInBrowser } from "../../../scripts/browser-engines.ts";
import { result } from "./determinism-run.ts";

describe("the arena's game is deterministic", () => {
  let bundle = "";

  before(async () => {
    bundle = await bundleForBrowser(join(import.meta.dirname, "determinism-run.ts"));
  });

  it("in Node, from run to run, after use and after rollbacks", () => {
    assert.deepEqual(result.problems, []);
    assert.equal(new Set(result.checkpoints.map(({ checksum }) => checksum)).size, 10);
  });

  for (const engine of ["chromium", "firefox"] as const)
    it(`in ${engine} as in Node`, { skip: engineOrSkip(engine).skip }, async () => {
      const theirs = (await runInBrowser(engine, bundle)) as DeterminismReport;
      assert.deepEqual(theirs.problems, []);
      assert.deepEqual(theirs.checkpoints, result.checkpoints);
    });
});
