import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { receiptsIn } from "@riposte/simulation/rewind";
import { ReceiptFile } from "./receipt-file.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "receipts-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("receipts come back as they were written, also after another run", async (t) => {
  const path = join(folder(t), "shots");
  const given = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), new Uint8Array(5000).fill(7)];
  for (const receipts of [given.slice(0, 2), given.slice(2)]) {
    await using file = new ReceiptFile(path);
    for (const receipt of receipts) assert.equal(file.write(receipt), true);
  }
  const bytes = readFileSync(path);
  assert.deepEqual(
    Array.from(receiptsIn(bytes), (receipt) => Uint8Array.from(receipt)),
    given,
  );
  // A run that ended in the middle of one.
  assert.equal([...receiptsIn(bytes.subarray(0, -1))].length, 2);
});

test("what finds no room is dropped and counted", async (t) => {
  const path = join(folder(t), "shots");
  const file = new ReceiptFile(path, { maxQueueBytes: 1000, maxFileBytes: 1800 });
  const receipt = new Uint8Array(396);
  // Nothing is written before this function waits.
  assert.deepEqual(
    [1, 2, 3, 4].map(() => file.write(receipt)),
    [true, true, false, false],
  );
  while (file.written < 4) {
    await new Promise((resolve) => setImmediate(resolve));
    file.write(receipt);
  }
  assert.equal(file.write(receipt), false, "the file is full");
  await file.close();
  assert.equal(file.write(receipt), false, "it is closed");
  assert.equal([...receiptsIn(readFileSync(path))].length, file.written);
  assert.ok(file.dropped >= 4);
});

test("a file that cannot be written drops everything and says why", async (t) => {
  const file = new ReceiptFile(join(folder(t), "missing", "shots"));
  await assert.rejects(file.close(), { code: "ENOENT" });
  assert.equal(file.write(Uint8Array.of(1)), false);
  assert.throws(() => new ReceiptFile("x", { maxQueueBytes: 0 }), RangeError);
});
