import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { emptySample } from "../prediction/interpolation/record-blend.ts";
import { StateInterpolator } from "../prediction/interpolation/state-interpolator.ts";
import { TableView } from "../state/snapshots/table-view.ts";
import { SentSnapshots } from "./sent-snapshots.ts";
import { createDrawnPicture, ViewResolver } from "./view-resolver.ts";

const MAX_EXTRAPOLATION_TICKS = 12;

/** Counts what is looked up. */
class CountedSnapshots extends SentSnapshots {
  lookups = 0;

  override recordTick(number: number, table: number, id: number): number {
    this.lookups++;
    return super.recordTick(number, table, id);
  }
}

const view = new TableView(1, 16);

/** The snapshot of `tick` has one entity, 0, with a record of that tick; -1: it has none. */
function note(sent: SentSnapshots, tick: number, recordTick: number): void {
  view.count = 0;
  if (recordTick >= 0) view.push(0, -1, 0, recordTick);
  sent.note(tick, { lastSent: () => view });
}

/** What each snapshot has of the entity: nothing, or a record that was there so many snapshots ago; and whether it came. */
const snapshot = fc.record({
  gapTicks: fc.integer({ min: 1, max: 3 }),
  present: fc.boolean(),
  olderBy: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
  arrives: fc.constantFrom(true, true, true, false),
});

describe("ViewResolver", () => {
  it("mixes what StateInterpolator mixes, whatever came, went, was left out or lost", () => {
    const inputs = fc.record({
      snapshots: fc.array(snapshot, { minLength: 2, maxLength: 90 }),
      always: fc.boolean(),
      back: fc.double({ min: -15, max: 15, noNaN: true }),
    });
    fc.assert(
      fc.property(inputs, ({ snapshots, always, back }) => {
        const sent = new SentSnapshots(1);
        const interpolator = new StateInterpolator(1, 1, 128);
        // As a client's table says it. The record is its tick, so that a picture shows what it is made from.
        const state = {
          highWater: 1,
          present: Uint8Array.of(0),
          ids: Int32Array.of(0),
          owners: Int32Array.of(-1),
          words: Int32Array.of(-1),
          updatedAt: Float64Array.of(-1),
        };
        const records: number[] = [];
        let tick = 0;
        let newest = -1;
        for (const { gapTicks, present, olderBy, arrives } of snapshots) {
          tick += gapTicks;
          const isThere = always || present;
          const record = olderBy === 0 ? tick : (records.at(-olderBy) ?? tick);
          if (isThere) records.push(record);
          note(sent, tick, isThere ? record : -1);
          if (!arrives) continue;
          sent.noteReceived(tick, 0);
          newest = tick;
          state.present[0] = isThere ? 1 : 0;
          if (isThere) state.words[0] = state.updatedAt[0] = Math.max(state.updatedAt[0], record);
          interpolator.update(tick, state);
        }
        const resolver = new ViewResolver(sent, MAX_EXTRAPOLATION_TICKS);
        const viewTick = Math.max(0, newest + back);
        if (!resolver.begin({ viewTick, snapshotTick: newest, receiptMask: 0, mode: "linear" })) return;
        const picture = createDrawnPicture();
        const sample = emptySample();
        const drawn = interpolator.sample(0, viewTick, MAX_EXTRAPOLATION_TICKS, sample);
        assert.equal(resolver.resolve(0, 0, picture), drawn);
        if (!drawn) return;
        const { words } = interpolator;
        const shown = words[sample.from] + (words[sample.to] - words[sample.from]) * sample.fraction;
        const { fromTick, toTick, fraction } = picture;
        assert.ok(Math.abs(fromTick + (toTick - fromTick) * fraction - shown) < 1e-9);
        // For curves, which the updates before count for, too: the very same of everything.
        assert.ok(resolver.resolve(0, 0, picture, true));
        const tickOf = (record: number): number => (record < 0 ? -1 : words[record]);
        assert.deepEqual(picture, {
          fromTick: tickOf(sample.from),
          toTick: tickOf(sample.to),
          fraction: sample.fraction,
          beyondTicks: sample.beyondTicks,
          earlierTick: tickOf(sample.earlier),
          earliestTick: tickOf(sample.earliest),
          mode: "linear",
        });
      }),
      { seed: 91, numRuns: 2000 },
    );
  });

  it("looks at a few snapshots only, also beyond the newest one and for who was never there", () => {
    const sent = new CountedSnapshots(1);
    for (let tick = 1; tick <= 200; tick++) {
      note(sent, tick, tick);
      sent.noteReceived(tick, -1);
    }
    const resolver = new ViewResolver(sent, MAX_EXTRAPOLATION_TICKS);
    const picture = createDrawnPicture();
    assert.ok(resolver.begin({ viewTick: 200.5, snapshotTick: 200, receiptMask: -1, mode: "linear" }));
    assert.equal(resolver.resolve(0, 0, picture), true);
    assert.deepEqual([picture.fromTick, picture.toTick, picture.fraction], [199, 200, 1.5]);
    assert.equal(resolver.resolve(0, 1, picture), false);
    assert.ok(sent.lookups <= 8, `${sent.lookups} lookups`);
  });
});
