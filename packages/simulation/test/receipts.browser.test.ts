// A receipt is judged to the same verdict, bit for bit, in Node and Chromium (V8) and in Firefox (SpiderMonkey).
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { bundleForBrowser, engineOrSkip, runInBrowser } from "../../../scripts/browser-engines.ts";
import { TickRandom } from "../src/game/random.ts";
import { replayReceipt } from "../src/rewind/receipts/replay-receipt.ts";
import { replayAll } from "./receipt-replay.ts";
import type { Replays } from "./receipt-replay.ts";
import { createWorld, worlds } from "./receipt-worlds.ts";

const WORLDS_OF_A_KIND = 30;
/** Each world's shots. Most that hit are of bursts and balls. */
const SHOTS = [
  "rifle",
  "burst",
  "ball",
  "axe",
  "burst",
  "ball",
  "comb",
  "burst",
  "dry",
  "ball",
  "burst",
  "ball",
] as const;

describe("receipts replay alike", () => {
  const receipts: Uint8Array[] = [];
  let file = "";
  let here: Replays;
  let bundle = "";

  before(async () => {
    for (let seed = 0; seed < WORLDS_OF_A_KIND * worlds.length; seed++) receipts.push(...shootIn(seed));
    const lengths = receipts.map(({ length }) => Buffer.from(Uint32Array.of(length).buffer));
    file = Buffer.concat(receipts.flatMap((bytes, i) => [lengths[i], bytes])).toString("base64");
    here = replayAll(file);
    bundle = await bundleForBrowser(join(import.meta.dirname, "receipt-replay.ts"));
  });

  it("in Node, whatever is shot at", (t) => {
    assert.equal(receipts.length, WORLDS_OF_A_KIND * worlds.length * SHOTS.length);
    assert.equal(here.agreeing, receipts.length);
    const met = new Set<string>();
    let numberless = 0;
    let hulls = 0;
    for (const bytes of receipts) {
      const { recorded, receipt } = replayReceipt(bytes);
      const { kinds, names, pose } = receipt.histories[0].history.hitboxes;
      for (const { hitbox } of recorded.hits) {
        const shape = SHAPES[kinds[names.indexOf(hitbox)]];
        if (shape === "hull") hulls++;
        met.add(`${shape} ${pose}`);
      }
      for (const { entities } of receipt.histories.slice(1)) if (entities.length > 0) met.add("door");
      if (receipt.shapes.length > 0) met.add("wall");
      if (Number.isNaN(recorded.dx)) numberless++;
    }
    const posed = ["fixed", "palette", "posed"].flatMap((pose) => SHAPES.map((shape) => `${shape} ${pose}`));
    assert.deepEqual([...met].sort(), [...posed, "door", "wall"].sort());
    assert.ok(numberless > 5, `${numberless} directions that are none`);
    // Of their planes, and of them alone, some were once not the same in both engines.
    assert.ok(hulls > 100, `${hulls} hulls hit`);
    t.diagnostic(`${receipts.length} receipts, ${file.length} letters, ${hulls} hulls hit`);
  });

  for (const engine of ["chromium", "firefox"] as const)
    it(`in ${engine} as in Node`, { skip: engineOrSkip(engine).skip }, async () => {
      const there = (await runInBrowser(engine, bundle, `bundled.replayAll("${file}")`)) as Replays;
      assert.equal(there.agreeing, receipts.length);
      assert.equal(there.verdicts, here.verdicts);
    });
});

function shootIn(seed: number): readonly Uint8Array[] {
  const random = new TickRandom();
  random.reseed(seed, 1);
  const world = createWorld(seed, seed % worlds.length);
  for (const weapon of SHOTS) {
    const off = random.next() < 0.02 ? [NaN, Infinity][random.integer(2)] : random.between(-0.1, 0.1);
    world.shoot(weapon, random.integer(5), 7 + random.integer(9), off, random.between(-0.01, 0.12));
    if (random.next() < 0.7) world.next();
  }
  return world.receipts;
}

/** By kind. */
const SHAPES = ["sphere", "capsule", "box", "hull"] as const;
