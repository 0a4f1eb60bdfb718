import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteCopier } from "./index.ts";

test("copies what set would copy, at any length and place, whichever buffers take turns", () => {
  const buffers = Array.from({ length: 3 }, (_, i) => {
    const memory = new Uint8Array(700);
    return memory.subarray(i, i + 600).map((_value, at) => (at * 31 + i * 7) & 255);
  });
  // One of them is a window of a larger buffer.
  buffers.push(new Uint8Array(900).subarray(123, 723));
  const copier = new ByteCopier();
  const index = fc.nat(3);
  fc.assert(
    fc.property(index, index, fc.nat(300), fc.nat(300), fc.nat(300), (s, t, from, at, length) => {
      fc.pre(s !== t);
      const [source, target] = [buffers[s], buffers[t]];
      const expected = target.slice();
      for (let i = 0; i < length; i++) expected[at + i] = source[from + i];
      copier.copy(source, from, length, target, at);
      assert.deepEqual(target, expected);
    }),
    { numRuns: 500 },
  );
});

test("runs outside of a buffer throw, and overwrite nothing beyond it", () => {
  const copier = new ByteCopier();
  const target = new Uint8Array(16);
  assert.throws(() => copier.copy(new Uint8Array(64), 0, 24, target, 0), RangeError);
  assert.throws(() => copier.copy(new Uint8Array(8), 0, 16, target, 0), RangeError);
  assert.throws(() => copier.copy(new Uint8Array(400), 0, 300, target, 0), RangeError);
});
