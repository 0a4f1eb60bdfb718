import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { StoreEntry, StoreEvent } from "../state-store.ts";
import { WatchView } from "./watch-view.ts";

/** What a listener makes of what it hears. */
class Listener {
  readonly entries = new Map<string, StoreEntry>();
  readonly heard: StoreEvent[] = [];

  hear(events: readonly (StoreEvent | undefined)[]): void {
    for (const event of events) {
      if (event === undefined) continue;
      this.heard.push(event);
      if ("put" in event) this.entries.set(event.put.key, event.put);
      else assert.ok(this.entries.delete(event.deleted), `${event.deleted} was not there`);
    }
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ put: fc.constantFrom("a", "b", "c", "d") }) },
  { weight: 3, arbitrary: fc.record({ deleted: fc.constantFrom("a", "b", "c", "d") }) },
  { weight: 1, arbitrary: fc.constant("break" as const) },
  { weight: 1, arbitrary: fc.constant("mend" as const) },
  { weight: 1, arbitrary: fc.constant("wipe" as const) },
);

describe("what a watch has told", () => {
  it("is what there is after each reading, whatever happened meanwhile", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const view = new WatchView();
        const listener = new Listener();
        const store = new Map<string, StoreEntry>();
        let identity = 0;
        let revision = 0;
        let follows = false;
        const read = (): void => {
          listener.hear(view.replace([...store.values()], revision, String(identity)));
          assert.deepEqual(listener.entries, store);
          follows = true;
        };
        read();
        for (const one of steps) {
          if (one === "break") follows = false;
          else if (one === "mend") read();
          else if (one === "wipe") {
            // A member that comes back from nothing has ended every watch.
            follows = false;
            store.clear();
            revision = 0;
            identity++;
          } else if ("put" in one) {
            const put = { key: one.put, value: `${identity} ${revision}`, revision: ++revision };
            store.set(put.key, put);
            if (follows) listener.hear([view.apply({ put })]);
          } else if (store.delete(one.deleted)) {
            revision++;
            if (follows) listener.hear([view.apply({ deleted: one.deleted, revision })]);
          }
        }
        read();
      }),
      { seed: 34, numRuns: 500 },
    );
  });

  it("tells a loss from a deletion", () => {
    const entries = [
      { key: "a", value: "1", revision: 5 },
      { key: "b", value: "1", revision: 7 },
    ];
    const afterwards = (read: [StoreEntry[], number, string | undefined]): StoreEvent[] => {
      const view = new WatchView();
      view.replace(entries, 9, "one");
      return view.replace(...read);
    };
    assert.deepEqual(afterwards([[entries[1]], 10, "one"]), [{ deleted: "a", revision: 10 }]);
    const lost = [
      { deleted: "a", revision: 3, lost: true },
      { deleted: "b", revision: 3, lost: true },
    ];
    assert.deepEqual(afterwards([[], 3, "two"]), lost);
    assert.deepEqual(afterwards([[], 3, undefined]), lost);
    // A backup has the same identity, and goes back.
    assert.deepEqual(afterwards([[entries[0]], 6, "one"]), [
      { put: entries[0] },
      { deleted: "b", revision: 6, lost: true },
    ]);
    // Another store may have come further: everything in it is news.
    const other = { key: "a", value: "2", revision: 4 };
    assert.deepEqual(afterwards([[other], 20, "two"]), [{ put: other }, { deleted: "b", revision: 20, lost: true }]);
  });

  it("tells nothing twice", () => {
    const view = new WatchView();
    const put = { key: "a", value: "1", revision: 5 };
    assert.deepEqual(view.replace([put], 5, "one"), [{ put }]);
    assert.equal(view.apply({ put }), undefined);
    assert.equal(view.apply({ deleted: "b", revision: 6 }), undefined);
    assert.deepEqual(view.replace([put], 6, "one"), []);
    assert.deepEqual(view.apply({ deleted: "a", revision: 7 }), { deleted: "a", revision: 7 });
    assert.equal(view.apply({ deleted: "a", revision: 7 }), undefined);
  });
});
