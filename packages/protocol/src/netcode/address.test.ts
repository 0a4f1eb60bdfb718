import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader, ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { addressesEqual, formatAddress, parseAddress, readAddress, toAddress, writeAddress } from "./address.ts";
import type { NetcodeAddress } from "./address.ts";

const port = fc.integer({ min: 0, max: 65_535 });
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 }));
const address: fc.Arbitrary<NetcodeAddress> = fc.oneof(
  fc.record({
    family: fc.constant<4>(4),
    groups: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
    port,
  }),
  fc.record({ family: fc.constant<6>(6), groups: fc.array(group, { minLength: 8, maxLength: 8 }), port }),
);

test("text and bytes give an address back", () => {
  fc.assert(
    fc.property(address, (value) => {
      const parsed = parseAddress(formatAddress(value));
      assert.ok(parsed !== undefined && addressesEqual(parsed, value), formatAddress(value));
      const writer = new ByteWriter(new Uint8Array(32));
      writeAddress(writer, value);
      assert.equal(writer.length, value.family === 4 ? 7 : 19);
      const read = readAddress(new ByteReader(writer.written()));
      assert.ok(read !== undefined && addressesEqual(read, value));
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("text as people write it", () => {
  const cases: [string, string | undefined][] = [
    ["127.0.0.1:40000", "127.0.0.1:40000"],
    ["10.0.0.1", "10.0.0.1"],
    ["[::1]:40001", "[::1]:40001"],
    ["::", "::"],
    ["::1", "::1"],
    ["[2001:DB8:0:0:1::1]:7", "[2001:db8::1:0:0:1]:7"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["[::ffff:10.1.2.3]:80", "[::ffff:a01:203]:80"],
    ["127.0.0.1:65536", undefined],
    ["256.0.0.1:1", undefined],
    ["1.2.3:1", undefined],
    ["1.2.3.4:", undefined],
    ["1.2.3.4:-1", undefined],
    ["localhost:7777", undefined],
    ["[::1", undefined],
    ["[1:2:3]:4", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1::2::3", undefined],
    ["::12345", undefined],
    ["[fe80::1%eth0]:1", undefined],
    ["", undefined],
    [":1", undefined],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseAddress(text);
    assert.equal(parsed === undefined ? undefined : formatAddress(parsed), expected, text);
  }
  assert.throws(() => toAddress("example.invalid:1"), /example\.invalid:1/);
});

test("any text is parsed or refused, never thrown at", () => {
  const odd = fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.[]%- ".split("")) });
  fc.assert(
    fc.property(fc.oneof(odd, fc.string()), (text) => {
      const parsed = parseAddress(text);
      if (parsed === undefined) return;
      const again = parseAddress(formatAddress(parsed));
      assert.ok(again !== undefined && addressesEqual(parsed, again));
    }),
    { seed: 6, numRuns: 1000 },
  );
});

test("types other than 1 and 2, and short input, are refused", () => {
  for (const type of [0, 3, 255]) assert.equal(readAddress(new ByteReader(new Uint8Array(32).fill(type))), undefined);
  const whole = Uint8Array.of(1, 127, 0, 0, 1, 64, 156);
  for (let end = 0; end < whole.length; end++) {
    assert.equal(readAddress(new ByteReader(whole, 0, end)), undefined, `${end} bytes`);
  }
});
