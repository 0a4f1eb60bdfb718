import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { IpAddress } from "./ip-address.ts";

const address = new IpAddress();

test("addresses in all their spellings", () => {
  const words = (text: string): number[] => {
    assert.ok(address.parse(text), text);
    return Array.from(address.words, (word) => word >>> 0);
  };
  assert.deepEqual(words("8.8.4.4"), [0x08080404, 0, 0, 0]);
  assert.equal(address.version, 4);
  assert.deepEqual(words("255.255.255.255"), [0xffffffff, 0, 0, 0]);
  assert.deepEqual(words("2001:db8::1"), [0x20010db8, 0, 0, 1]);
  assert.equal(address.version, 6);
  assert.deepEqual(words("1:2:3:4:5:6:7:8"), [0x10002, 0x30004, 0x50006, 0x70008]);
  assert.deepEqual(words("::"), [0, 0, 0, 0]);
  assert.deepEqual(words("1::"), [0x10000, 0, 0, 0]);
  assert.deepEqual(words("fe80::A%eth0"), [0xfe800000, 0, 0, 10]);
  assert.deepEqual(words("1:2:3::1.2.3.4"), [0x10002, 0x30000, 0, 0x01020304]);
  assert.deepEqual(words("1:2:3:4:5:6:1.2.3.4"), [0x10002, 0x30004, 0x50006, 0x01020304]);
  assert.deepEqual(words("1::2:3:4:1.2.3.4"), [0x10000, 2, 0x30004, 0x01020304]);
});

test("IPv4 inside IPv6 is IPv4", () => {
  for (const text of ["::ffff:8.8.4.4", "::FFFF:808:404", "0:0:0:0:0:ffff:8.8.4.4", "64:ff9b::8.8.4.4"]) {
    assert.ok(address.parse(text), text);
    assert.equal(address.version, 4);
    assert.deepEqual([...address.words], [0x08080404, 0, 0, 0]);
  }
  for (const text of ["::8.8.4.4", "::fffe:8.8.4.4", "64:ff9b:1::8.8.4.4", "1::ffff:8.8.4.4"]) {
    assert.ok(address.parse(text), text);
    assert.equal(address.version, 6, text);
  }
});

test("what is not an address is refused, as Node refuses it", () => {
  const texts = [
    "",
    ".",
    ":",
    ":::",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "1::2::3",
    "1:2:3:4:5:6:7",
  ];
  texts.push(
    "1:2:3:4:5:6:7:8:9",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "1:",
    ":1",
    "::1.2.3",
    "1.2.3.4::",
  );
  texts.push(
    "1:2:3:4:5:6:7:1.2.3.4",
    "1::1.2.3.4:5",
    "fe80::1%",
    "%eth0",
    "1.2.3.4%eth0",
    "\u0661.2.3.4",
    "::ffff:01.2.3.4",
  );
  for (const text of texts) {
    assert.equal(address.parse(text), isIP(text) !== 0, text);
    assert.equal(address.version !== 0, isIP(text) !== 0, text);
  }
  assert.equal(address.parse(`::1%${"x".repeat(1000)}`), false);
});

test("property: it accepts what Node accepts, and reads what BigInt reads", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "ff",
    "ffff",
    "00ab",
    "12345",
    ":",
    "::",
    ".",
    "255",
    "256",
    "1.2.3.4",
    "%",
    "/",
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 17 }).map((parts) => parts.join("")),
    fc.ipV6(),
    fc.ipV4(),
    fc.ipV4Extended(),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      if (candidate.includes("%")) return;
      assert.equal(address.parse(candidate), isIP(candidate) !== 0, candidate);
      if (isIP(candidate) !== 6 || address.version !== 6) return;
      assert.equal(asBigInt(address), naive(candidate), candidate);
    }),
    { numRuns: 5000 },
  );
});

test("property: what is written can be read", () => {
  fc.assert(
    fc.property(fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()), ([a, b, c, d]) => {
      address.setV6(a | 1, b, c, d);
      const copy = new IpAddress();
      assert.ok(copy.parse(address.toString()));
      assert.deepEqual([copy.version, ...copy.words], [6, a | 1, b, c, d]);
      address.setV4(a);
      assert.ok(copy.parse(address.toString()));
      assert.deepEqual([copy.version, ...copy.words], [4, a, 0, 0, 0]);
    }),
  );
});

test("prefixes", () => {
  const length = (text: string): number => address.parsePrefix(text);
  assert.equal(length("10.0.0.0/8"), 8);
  assert.equal(length("0.0.0.0/0"), 0);
  assert.equal(length("10.1.2.3"), 32);
  assert.equal(length("2001:db8::/32"), 32);
  assert.equal(length("2001:db8::1"), 128);
  assert.equal(length("::/0"), 0);
  assert.equal(length("::ffff:10.0.0.0/104"), 8);
  assert.equal(address.version, 4);
  for (const text of [
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/8x",
    "x/8",
    "::1/127",
    "10.0.0.0/ 8",
  ])
    assert.throws(() => length(text), RangeError, text);
  assert.throws(() => length("64:ff9b::/95"), RangeError);
});

function asBigInt({ words }: IpAddress): bigint {
  return words.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}

/** Of a correct IPv6 address. */
function naive(text: string): bigint {
  const [left, right] = text.split("::").map(groupsOf);
  const middle = right === undefined ? [] : Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...middle, ...(right ?? [])].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function groupsOf(part: string): readonly string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [group];
    const [a, b, c, d] = group.split(".").map(Number);
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  });
}
