import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeMmdb } from "../../test/mmdb-writer.ts";
import type { MmdbOptions, MmdbValue } from "../../test/mmdb-writer.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import { IpAddress } from "./ip-address.ts";
import { LocationDatabase } from "./location-database.ts";
import { MmdbFile } from "./mmdb-file.ts";
import { MmdbRecords } from "./mmdb-record.ts";

const address = new IpAddress();
const NETWORKS: MmdbOptions["networks"] = [
  ["1.0.0.0/8", { name: "eight" }],
  ["1.2.0.0/16", { name: "sixteen" }],
  ["1.2.3.0/24", { name: "twenty-four" }],
  ["1.2.3.4/32", { name: "host" }],
  ["128.0.0.0/1", { name: "half" }],
];

test("finds the record of the longest network, as maxmind does", () => {
  for (const ipVersion of [4, 6] as const)
    for (const recordBits of [24, 28, 32] as const) {
      const networks = [...NETWORKS, ...(ipVersion === 6 ? [["2001:db8::/33", { name: "six" }] as const] : [])];
      const file = new MmdbFile(writeMmdb({ networks, ipVersion, recordBits }));
      const seen = new Map<number, unknown>();
      const texts = [
        "1.2.3.4",
        "1.2.3.5",
        "1.2.4.0",
        "1.255.255.255",
        "200.1.1.1",
        "2.0.0.0",
        "0.0.0.0",
        "2001:db8::1",
      ];
      for (const text of [...texts, "2001:db8:8000::1", "::1.2.3.4"]) {
        assert.ok(address.parse(text));
        // The reference takes an IPv6 address for IPv4 where the tree is one of IPv4.
        const expected = address.version > file.ipVersion ? null : file.reference.get(text);
        const offset = file.find(address);
        assert.equal(offset >= 0, expected !== null, `${text} ${ipVersion} ${recordBits}`);
        if (offset >= 0) assert.deepEqual(seen.get(offset) ?? expected, expected);
        if (offset >= 0) seen.set(offset, expected);
      }
      assert.equal(seen.size, ipVersion === 6 ? 6 : 5);
      const visited: string[] = [];
      file.forEachV4((offset, length) => visited.push(`${JSON.stringify(seen.get(offset))}/${length}`));
      assert.ok(visited.includes('{"name":"host"}/32') && visited.includes('{"name":"half"}/1'), visited.join(" "));
    }
});

test("property: any networks, any address: the same as maxmind", () => {
  const prefix = fc.tuple(fc.integer(), fc.integer({ min: 1, max: 32 })).map(([word, length]) => {
    address.setV4(length === 32 ? word : word & ~(0xffffffff >>> length));
    return `${address.toString()}/${length}`;
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(prefix, { maxLength: 30 }),
      fc.array(fc.integer(), { maxLength: 20 }),
      (prefixes, words) => {
        const sorted = prefixes.toSorted((a, b) => Number(a.split("/")[1]) - Number(b.split("/")[1]));
        const networks = sorted.map((text, i) => [text, { city: text, longitude: 1 + i, latitude: 45 }] as const);
        const file = new MmdbFile(writeMmdb({ networks }));
        const database = new LocationDatabase(file, 50);
        const near = sorted.map((text) => text.split("/")[0]);
        for (const text of [...near, ...words.map((word) => (address.setV4(word), address.toString()))]) {
          assert.ok(address.parse(text));
          const expected = file.reference.get(text) as { longitude: number } | null;
          assert.equal(database.locate(address)?.coordinates.longitude, expected?.longitude);
          assert.equal(database.locate(address)?.coordinates.longitude, expected?.longitude, "from the cache");
        }
      },
    ),
  );
});

test("what is no MMDB file is refused, and at once", () => {
  const bytes = writeMmdb({ networks: NETWORKS });
  refused(Buffer.alloc(0), /no metadata/);
  refused(Buffer.from("<html>404</html>"), /no metadata/);
  refused(bytes.subarray(0, bytes.length - 200), /no metadata/);
  refused(Buffer.concat([bytes, Buffer.alloc(128 * 1024)]), /no metadata/);
  refused(bytes.subarray(0, bytes.length - 60), /cannot be read|nodes|version|built/);
  // Its tree is cut short, its metadata is whole.
  refused(bytes.subarray(bytes.length - 260), /cut short/);
  const version3 = Buffer.from(bytes);
  version3[version3.indexOf("binary_format_major_version") + "binary_format_major_version".length + 1] = 3;
  refused(version3, /version 3/);
});

test("property: damaged files are refused or read, but never throw or hang when asked", () => {
  const place = { city: "Sydney", country_code: "AU", latitude: -33.9, longitude: 151.2 };
  const bytes = writeMmdb({
    networks: [
      ["0.0.0.0/1", place],
      [
        "10.0.0.0/8",
        { country: { iso_code: "CH", names: { en: "Switzerland" } }, location: { latitude: 46.9, longitude: 7.4 } },
      ],
      ["128.0.0.0/2", { ...place, list: [1n, [2n, true]], city: "Perth", longitude: 115.8 }],
    ],
  });
  const treeBytes = bytes.indexOf("city") - 1;
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(damage, (changes) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of changes) damaged[at] = value;
      let file: MmdbFile;
      try {
        file = new MmdbFile(damaged);
      } catch (error) {
        assert.ok(error instanceof GeoIpError);
        return;
      }
      const database = new LocationDatabase(file, 50);
      for (const word of [0, 0x0a000001, 0x7fffffff, -1, -0x70000000]) {
        address.setV4(word);
        const location = database.locate(address);
        if (location !== undefined) assert.ok(Math.abs(location.coordinates.latitude) <= 90);
      }
      for (let at = treeBytes - 20; at < damaged.length; at++) database.read(at);
    }),
    { numRuns: 300 },
  );
});

test("what is learnt of one file is not believed of another", () => {
  // The same length, so that other keys lie at the same place.
  const first = { latitude: 50.5, longitude: 9.5, city: "A" };
  const second = { longitude: 9.5, latitude: 50.5, city: "A" };
  address.parse("1.1.1.1");
  for (const record of [first, second, first]) {
    const database = new LocationDatabase(new MmdbFile(writeMmdb({ networks: [["1.0.0.0/8", record]] })), 50);
    assert.deepEqual(database.locate(address)?.coordinates, { latitude: 50.5, longitude: 9.5 });
  }
});

test("what lies outside of the records is nothing", () => {
  // A text before the records, an integer in them, a text that reaches beyond their end.
  const bytes = Buffer.from([0x42, 0x44, 0x45, 0xa1, 7, 0x42, 0x44, 0x45]);
  const records = new MmdbRecords(bytes, 3, 7);
  assert.equal(records.number(3), 7);
  for (const offset of [-1, 0, 5, 7, 8, 100]) {
    assert.equal(records.countryCode(offset), 0, `${offset}`);
    assert.equal(records.isFilled(offset), false, `${offset}`);
    assert.ok(Number.isNaN(records.number(offset)), `${offset}`);
  }
  assert.equal(new MmdbRecords(bytes, 0, 8).countryCode(5), 0x4445);
});

test("a map of many values is given up, not walked through", () => {
  const inner = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, true]));
  address.parse("1.1.1.1");
  assert.equal(withMap({ a: true }).locate(address)?.source, "city");
  assert.equal(withMap(inner).locate(address), undefined);
});

function withMap(map: Readonly<Record<string, MmdbValue>>): LocationDatabase {
  const record = { map, city: "x", latitude: 1.5, longitude: 2.5 };
  return new LocationDatabase(new MmdbFile(writeMmdb({ networks: [["1.0.0.0/8", record]] })), 50);
}

function refused(candidate: Buffer, message: RegExp): void {
  assert.throws(
    () => new MmdbFile(candidate),
    (error: unknown) => error instanceof GeoIpError && error.code === "format" && message.test(error.message),
  );
}
