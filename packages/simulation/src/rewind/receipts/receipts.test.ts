import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { createWorld, kit, worlds } from "../../../test/receipt-worlds.ts";
import { EngineCalls } from "../../determinism/engine-calls.ts";
import { HIT_REASONS } from "../registration/hit-validation.ts";
import { ReceiptError } from "./receipt-limits.ts";
import { replayReceipt } from "./replay-receipt.ts";
import { readReceipt } from "./shot-receipt.ts";

const shots = fc.array(
  fc.record({
    weapon: fc.constantFrom(...kit.weapons.map(({ name }) => name)),
    shooter: fc.nat(4),
    target: fc.integer({ min: 7, max: 15 }),
    // Now and then no direction at all.
    off: fc.oneof(
      { weight: 50, arbitrary: fc.double({ min: -0.1, max: 0.1, noNaN: true }) },
      fc.constantFrom(NaN, Infinity),
    ),
    pitch: fc.double({ min: -0.15, max: 0.1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 12 },
);

function someReceipts(): Uint8Array[] {
  return worlds.flatMap((_, kind) => {
    const world = createWorld(kind * 2 + 11, kind);
    for (const { name } of kit.weapons) world.shoot(name, 1, 9, 0, 0);
    return world.receipts;
  });
}

describe("receipts", () => {
  worlds.forEach((_, kind) => {
    it(`replay to the same verdict, bit for bit, in random worlds of kind ${kind}`, (t) => {
      const seen = { hit: 0, miss: 0, rejected: 0 };
      const reasons = new Set<string>();
      const protections = { dash: 0, behindCover: 0, coverBudget: 0, fur: 0 };
      let beastsHit = 0;
      let coveredByDoors = 0;
      let bytes = 0;
      fc.assert(
        fc.property(fc.nat(100_000), fc.boolean(), shots, (seed, together, list) => {
          const world = createWorld(seed, kind);
          for (const { weapon, shooter, target, off, pitch } of list) {
            const { outcome } = world.shoot(weapon, shooter, target, off, pitch);
            seen[outcome]++;
            if (!together) world.next();
          }
          coveredByDoors += world.coveredByDoors();
          assert.equal(world.receipts.length, list.length);
          for (const receipt of world.receipts) {
            bytes += receipt.length;
            const { agrees, recorded, replayed } = replayReceipt(receipt);
            assert.deepEqual(replayed, recorded);
            assert.ok(agrees);
            recorded.reasons.forEach((reason) => reasons.add(reason));
            for (const { table, protection } of recorded.hits) {
              if (protection !== undefined) protections[protection as keyof typeof protections]++;
              if (table === "beasts") beastsHit++;
            }
          }
        }),
        { numRuns: 150, seed: 12 + kind },
      );
      const count = seen.hit + seen.miss + seen.rejected;
      t.diagnostic(
        `${JSON.stringify({ ...seen, ...protections, coveredByDoors, beastsHit })}, ${Math.round(bytes / count)} bytes each; ${[...reasons].join(" ")}`,
      );
      assert.ok(seen.hit > 50 && seen.miss > 50 && seen.rejected > 50);
      assert.ok(protections.dash > 10 && protections.behindCover > 3 && coveredByDoors > 30);
      assert.ok(protections.fur > 2 && beastsHit > 50);
      // A claimed target is seldom in line, and too far.
      const never = HIT_REASONS.filter((reason) => !reasons.has(reason) && reason !== "range");
      assert.deepEqual(never, []);
    });
  });

  it("follow from arithmetic alone that is the same in every engine", () => {
    const calls = new EngineCalls([]);
    let hulls = 0;
    calls.watch(0, () => {
      for (const bytes of someReceipts()) {
        const { agrees, receipt } = replayReceipt(bytes);
        assert.ok(agrees);
        if (receipt.histories[0].history.hitboxes.hulls.some((hull) => hull !== undefined)) hulls++;
      }
    });
    assert.deepEqual(calls.found, []);
    assert.ok(hulls > 0);
  });

  it("tell what was looked at", () => {
    const [bytes] = someReceipts();
    const { shot, targets, histories, verdict, shapes } = readReceipt(bytes);
    assert.equal(shot.weapon.name, "rifle");
    assert.equal(verdict.weapon, "rifle");
    assert.deepEqual(
      histories.map(({ table, blocks }) => [table, blocks]),
      [
        ["players", false],
        ["beasts", false],
        ["doors", true],
      ],
    );
    assert.ok(histories[0].entities.length > 0 && targets === 2 && shapes.length <= 4);
  });

  it("never throw anything but a ReceiptError when their bytes are damaged", () => {
    const receipts = someReceipts();
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(receipts.length - 1), fc.nat(5000)).map(([which, at]) => receipts[which].slice(0, at)),
      fc
        .tuple(
          fc.nat(receipts.length - 1),
          fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        )
        .map(([which, changes]) => {
          const bytes = receipts[which].slice();
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          return bytes;
        }),
    );
    assert.throws(() => readReceipt(new Uint8Array(70_000)), ReceiptError);
    let refused = 0;
    let differed = 0;
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          if (!replayReceipt(bytes).agrees) differed++;
        } catch (error) {
          assert.ok(error instanceof ReceiptError, String(error));
          refused++;
        }
      }),
      { numRuns: 3000, seed: 3 },
    );
    assert.ok(refused > 500 && differed > 100, `${refused} refused, ${differed} with another verdict`);
  });

  it("differ when an entity stood elsewhere: the replay can fail", () => {
    const world = createWorld(3, 0);
    let found = 0;
    for (let i = 0; i < 40; i++) {
      world.shoot("ball", i % 5, 7 + (i % 9), 0, 0);
      world.next();
    }
    for (const bytes of world.receipts) {
      const { verdict, histories } = readReceipt(bytes);
      if (verdict.hits.length === 0 || verdict.hits[0].distance === 0) continue;
      const index = histories[0].entities.findIndex(({ id }) => id === verdict.hits[0].id);
      const entries = histories[0].entities[index].entries.filter((entry) => entry !== undefined);
      // Wherever they are in the bytes.
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at + 8 <= bytes.length; at++) {
        if (!entries.some((entry) => view.getInt32(at, true) === entry[0] && view.getInt32(at + 4, true) === entry[1]))
          continue;
        view.setFloat32(at + 4, view.getFloat32(at + 4, true) + 0.25, true);
        found++;
      }
      assert.equal(replayReceipt(bytes).agrees, false);
    }
    assert.ok(found > 3);
  });

  it("are kept as the game wants, and counted when there is no room", () => {
    const kept = createWorld(1, 0, { keep: ({ weapon }, seat) => weapon === "axe" && seat === 1 });
    for (const { name } of kit.weapons) for (const shooter of [0, 1]) kept.shoot(name, shooter, 9, 0, 0);
    assert.equal(kept.receipts.length, 1);
    assert.deepEqual(kept.desk.receipts.counters, { kept: 1, dropped: 0 });
    const full = createWorld(1, 0, { sink: { write: () => false } });
    full.shoot("axe", 1, 9, 0, 0);
    assert.deepEqual(full.desk.receipts.counters, { kept: 0, dropped: 1 });
  });
});
