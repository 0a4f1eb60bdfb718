import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { TableView } from "../state/snapshots/table-view.ts";
import { ABSENT, REPLACED, SENT_SNAPSHOTS, SentSnapshots } from "./sent-snapshots.ts";

const CAPACITY = 40;

/** What one table's part of a snapshot tells: entities by rising index, generations above 16 bits, records so many ticks old. */
const told = fc
  .uniqueArray(fc.record({ index: fc.nat(CAPACITY - 1), generation: fc.nat(2), age: fc.nat(3) }), {
    selector: ({ index }) => index,
    maxLength: CAPACITY,
    size: "max",
  })
  .map((entities) => entities.toSorted((a, b) => a.index - b.index));

describe("SentSnapshots", () => {
  it("knows of each of the last snapshots from which tick a record in it is, however many entities there were", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(told, told), { minLength: SENT_SNAPSHOTS - 20, maxLength: SENT_SNAPSHOTS + 20 }),
        (snapshots) => {
          const sent = new SentSnapshots(2);
          const views = [new TableView(1, CAPACITY), new TableView(1, CAPACITY)];
          snapshots.forEach((tables, number) => {
            tables.forEach((entities, t) => {
              views[t].count = 0;
              for (const { index, generation, age } of entities)
                views[t].push(index | (generation << 16), -1, 0, number * 2 + 10 - age);
            });
            sent.note(number * 2 + 10, { lastSent: (t) => views[t] });
          });
          for (let number = sent.oldest; number < sent.count; number++) {
            const tick = number * 2 + 10;
            assert.equal(sent.numberOf(tick), number);
            const oldest = snapshots[number].map((entities) => Math.max(0, ...entities.map(({ age }) => age)));
            snapshots[number].forEach((entities, t) => {
              if (entities.length > 0) assert.equal(sent.oldestRecordTick(number, t), tick - oldest[t]);
              else assert.ok(sent.oldestRecordTick(number, t) > 2 ** 30);
              for (let index = 0; index < CAPACITY; index++) {
                const entity = entities.find((other) => other.index === index);
                const id = index | ((entity?.generation ?? 0) << 16);
                assert.equal(sent.recordTick(number, t, id), entity === undefined ? ABSENT : tick - entity.age);
                if (entity !== undefined) assert.equal(sent.recordTick(number, t, id + (1 << 16)), REPLACED);
              }
            });
            if (snapshots[number].some((entities) => entities.length > 0))
              assert.equal(sent.oldestRecordTick(number), tick - Math.max(...oldest));
          }
        },
      ),
      { numRuns: 5 },
    );
  });
});
