import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { encodeLine, readJournal } from "./journal-record.ts";
import type { JournalChange } from "./journal-record.ts";
import { StoreError } from "./state-store.ts";

const change = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  value: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
  leaseMs: fc.option(fc.integer({ min: 100, max: 9999 }), { nil: undefined }),
});
const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });

/** The lines of a journal, and what it holds after each of them. */
function journalOf(
  asked: readonly (readonly { key: string; value: string | undefined; leaseMs: number | undefined }[])[],
): {
  lines: string[];
  states: Map<string, string>[];
} {
  const lines = [encodeLine({ format: 1, revision: 0 })];
  const states = [new Map<string, string>()];
  let revision = 0;
  for (const batch of asked) {
    const state = new Map(states[states.length - 1]);
    const changes = batch.map(({ key, value, leaseMs }): JournalChange => {
      if (value === undefined) state.delete(key);
      else state.set(key, value);
      if (value === undefined) return { deleted: key, revision: ++revision };
      const put = { put: key, value, revision: ++revision };
      return leaseMs === undefined ? put : Object.assign(put, { leaseMs });
    });
    lines.push(encodeLine(changes));
    states.push(state);
  }
  return { lines, states };
}

function valuesIn(bytes: Buffer): Map<string, string> {
  return new Map(Array.from(readJournal(bytes, "journal").entries, ([key, entry]) => [key, entry.value]));
}

const putAt = (revision: number): string => encodeLine([{ put: "a", value: "x", revision }]);
const byLine = (lines: readonly string[]): Buffer => Buffer.from(lines.join(""));

describe("a journal", () => {
  it("gives back what was written, whatever is in it", () => {
    fc.assert(
      fc.property(batches, (asked) => {
        const { lines, states } = journalOf(asked);
        const contents = readJournal(byLine(lines), "journal");
        assert.deepEqual(valuesIn(byLine(lines)), states[states.length - 1]);
        assert.equal(contents.tornBytes, 0);
        assert.equal(contents.revision, asked.flat().length);
      }),
      { seed: 31, numRuns: 200 },
    );
  });

  it("drops a torn end wherever it is torn: all batches before it are there, and nothing of it", () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.uint8Array({ maxLength: 3 }), (asked, cut, rubbish) => {
        const { lines, states } = journalOf(asked);
        const whole = byLine(lines);
        const header = Buffer.byteLength(lines[0]);
        const length = header + (cut % (whole.length - header));
        const bytes = Buffer.concat([whole.subarray(0, length), Buffer.from(rubbish.filter((byte) => byte !== 10))]);
        let batch = 0;
        let sound = header;
        while (batch + 1 < lines.length && sound + Buffer.byteLength(lines[batch + 1]) <= length)
          sound += Buffer.byteLength(lines[++batch]);
        const contents = readJournal(bytes, "journal");
        assert.deepEqual(valuesIn(bytes), states[batch]);
        assert.equal(contents.soundBytes, sound);
        assert.equal(contents.tornBytes, bytes.length - sound);
      }),
      { seed: 32, numRuns: 200 },
    );
  });

  it("refuses a broken byte that has something sound after it, and says what to do", () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (asked, at, flip) => {
        const { lines } = journalOf(asked);
        const bytes = byLine(lines);
        const last = bytes.length - Buffer.byteLength(lines[lines.length - 1]);
        bytes[at % last] ^= flip;
        assert.throws(
          () => readJournal(bytes, "/var/lib/journal"),
          (error) => error instanceof StoreError && error.code === "refused" && error.message.includes("backup"),
        );
      }),
      { seed: 33, numRuns: 200 },
    );
  });

  it("names the line, the byte, and the command that gives up the rest", () => {
    const { lines } = journalOf([1, 2, 3].map(() => [{ key: "a", value: "x", leaseMs: undefined }]));
    const at = Buffer.byteLength(lines[0] + lines[1]);
    const bytes = byLine([lines[0], lines[1], lines[2].replace("x", "y"), lines[3]]);
    assert.throws(() => readJournal(bytes, "/var/lib/journal"), {
      message: new RegExp(`line 3, at byte ${at}, is broken.*truncate -s ${at} /var/lib/journal`),
    });
    assert.deepEqual(valuesIn(bytes.subarray(0, at)), new Map([["a", "x"]]));
  });

  it("refuses what another program or version wrote, and revisions that go back", () => {
    const header = encodeLine({ format: 1, revision: 5 });
    const refused = { name: "StoreError", code: "refused" };
    assert.throws(() => readJournal(Buffer.alloc(0), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from("something else\n"), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from(putAt(1)), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from(header.replace('"format":1', '"format":2')), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from(header + header), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from(header + putAt(7) + putAt(7)), "journal"), refused);
    assert.throws(() => readJournal(Buffer.from(header + putAt(7) + putAt(3)), "journal"), refused);
    assert.equal(readJournal(Buffer.from(header + putAt(3) + putAt(7)), "journal").revision, 7);
  });
});
