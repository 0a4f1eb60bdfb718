import assert from "node:assert/strict";
import { it } from "node:test";
import { createVerdict } from "../registration/hit-validation.ts";
import { RecentReceipts } from "./recent-receipts.ts";

it("RecentReceipts keeps each player's last ones whole, whatever their size, and what it gave stays as it was", () => {
  const recent = new RecentReceipts(4);
  const verdict = createVerdict("rifle");
  verdict.outcome = "hit";
  const write = (seat: number, size: number): Uint8Array => {
    const receipt = new Uint8Array(size).fill(size & 255);
    assert.equal(recent.keep(verdict, seat), true);
    assert.equal(recent.sink.write(receipt), true);
    return receipt;
  };
  assert.deepEqual(recent.of(1), []);
  const written = [900, 300, 2000, 40, 41, 1300, 700, 5, 901].map((size) => write(1, size));
  const other = write(2, 77);
  assert.deepEqual(recent.of(1), written.slice(-4));
  assert.deepEqual(recent.of(2), [other]);
  const given = recent.of(1);
  write(1, 1000);
  assert.deepEqual(given, written.slice(-4));
  recent.forget(1);
  assert.deepEqual([recent.of(1), recent.of(2)], [[], [other]]);
});
