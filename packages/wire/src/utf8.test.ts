import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeUtf8, encodeUtf8, utf8Length } from "./utf8.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  // Lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

test("encodes as the platform does, lone surrogates included", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const expected = new TextEncoder().encode(text);
      assert.equal(utf8Length(text), expected.length);
      const target = new Uint8Array(expected.length + 4).fill(7);
      assert.equal(encodeUtf8(text, target, 2), expected.length + 2);
      assert.deepEqual(target.slice(2, -2), expected);
      assert.deepEqual([target[0], target[1], target.at(-2), target.at(-1)], [7, 7, 7, 7]);
    }),
    { seed: 301, numRuns: 500 },
  );
});

function assertAsPlatform(bytes: Uint8Array): void {
  let expected: string | undefined;
  try {
    expected = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    expected = undefined;
  }
  assert.equal(decodeUtf8(bytes, 0, bytes.length), expected);
}

test("accepts and refuses what the platform does", () => {
  const lead = fc.constantFrom(
    0x00,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xff,
    0x9f,
  );
  const mixed = fc.array(fc.oneof(lead, fc.nat(255)), { maxLength: 12 }).map((list) => Uint8Array.from(list));
  fc.assert(fc.property(fc.oneof(mixed, fc.uint8Array({ maxLength: 30 })), assertAsPlatform), {
    seed: 302,
    numRuns: 2000,
  });
  fc.assert(
    fc.property(anyText, fc.nat(), fc.nat(7), (text, at, bit) => {
      const bytes = new TextEncoder().encode(text);
      assertAsPlatform(bytes);
      if (bytes.length === 0) return;
      bytes[at % bytes.length] ^= 1 << bit;
      assertAsPlatform(bytes);
      assertAsPlatform(bytes.subarray(0, at % bytes.length));
    }),
    { seed: 303, numRuns: 500 },
  );
});
