import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ClientLocation } from "../routing/route-request.ts";
import { countryCentre } from "./country-centres.ts";
import { IpAddress } from "./ip-address.ts";
import { LocationOverrides } from "./location-overrides.ts";
import type { LocationOverride, RegionCoordinates } from "./location-overrides.ts";
import { isPublicAddress } from "./special-addresses.ts";

const address = new IpAddress();
const BERLIN = { latitude: 52.5, longitude: 13.4 };
const SYDNEY = { latitude: -33.9, longitude: 151.2 };

function find(
  list: readonly LocationOverride[],
  ip: string,
  regions: RegionCoordinates = () => undefined,
): ClientLocation | "unknown" | undefined {
  assert.ok(address.parse(ip));
  return new LocationOverrides(list, 100, regions).find(address);
}

test("the longest prefix counts", () => {
  const list = [
    { prefix: "10.0.0.0/8", coordinates: SYDNEY, country: "AU" },
    { prefix: "10.1.0.0/16", coordinates: BERLIN, accuracyKm: 5 },
    { prefix: "2001:db8::/32", country: "CA" },
    { prefix: "2001:db8::7", unknown: true },
  ];
  assert.deepEqual(find(list, "10.9.9.9"), { coordinates: SYDNEY, source: "override", accuracyKm: 25, country: "AU" });
  assert.deepEqual(find(list, "::ffff:10.1.0.1"), { coordinates: BERLIN, source: "override", accuracyKm: 5 });
  assert.deepEqual(find(list, "2001:db8::1"), { ...countryCentre("CA"), source: "override" });
  assert.equal(find(list, "2001:db8::7"), "unknown");
  assert.equal(find(list, "11.0.0.0"), undefined);
  assert.equal(find([], "10.0.0.1"), undefined);
});

test("a region is looked up when it is asked for", () => {
  const regions = new Map<string, typeof BERLIN>();
  const list = [
    { prefix: "10.0.0.0/8", region: "eu" },
    { prefix: "11.0.0.0/8", region: "eu", country: "FR" },
  ];
  const overrides = new LocationOverrides(list, 100, (region) => regions.get(region));
  const at = (ip: string): ClientLocation | "unknown" | undefined => (address.parse(ip), overrides.find(address));
  assert.equal(at("10.1.1.1"), undefined);
  assert.deepEqual(at("11.1.1.1"), { ...countryCentre("FR"), source: "override" });
  regions.set("eu", BERLIN);
  assert.deepEqual(at("10.1.1.1"), { coordinates: BERLIN, source: "override", accuracyKm: 25 });
  assert.deepEqual(at("11.1.1.1"), { coordinates: BERLIN, source: "override", accuracyKm: 25, country: "FR" });
});

test("what cannot be is refused", () => {
  refused({ prefix: "10.0.0.0/8" });
  refused({ prefix: "10.0.0.1/8", coordinates: BERLIN });
  refused({ prefix: "10.0.0.0/8", coordinates: { latitude: 0, longitude: 0 } });
  refused({ prefix: "10.0.0.0/8", coordinates: { latitude: 91, longitude: 5 } });
  refused({ prefix: "10.0.0.0/8", coordinates: { latitude: Number.NaN, longitude: 5 } });
  refused({ prefix: "10.0.0.0/8", country: "ZZ" });
  refused({ prefix: "10.0.0.0/8", coordinates: BERLIN, accuracyKm: 0 });
  refused({ prefix: "10.0.0.0/8", coordinates: BERLIN }, { prefix: "::ffff:10.0.0.0/104", coordinates: SYDNEY });
  refused(...["1.1.1.1", "1.1.1.2", "1.1.1.3"].map((prefix) => ({ prefix, coordinates: BERLIN })));
});

test("property: as a naive search says", () => {
  const word = fc.oneof(fc.integer(), fc.constantFrom(0, 0x0a000000, 0x0a800000, -1));
  const prefix = fc.record({ v6: fc.boolean(), words: fc.tuple(word, word, word, word), length: fc.nat(128) });
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 40 }), fc.array(prefix, { maxLength: 20 }), (prefixes, others) => {
      const list = new Map<string, { bits: string; override: LocationOverride }>();
      for (const { v6, words, length } of prefixes) {
        const bits = bitsOf(v6, words).slice(0, v6 ? length : length % 33);
        const kept = bits
          .padEnd(v6 ? 128 : 32, "0")
          .match(/.{32}/g)!
          .map((part) => Number.parseInt(part, 2) | 0);
        const text = v6 ? (address.setV6(kept[0], kept[1], kept[2], kept[3]), address.toString()) : v4Text(kept[0]);
        // IPv4 inside of IPv6 is not searched here.
        if (v6 && (kept[0] === 0 || kept[0] === 0x64ff9b)) continue;
        const override = { prefix: `${text}/${bits.length}`, coordinates: BERLIN, accuracyKm: list.size + 1 };
        list.set(`${v6} ${bits}`, { bits: `${v6 ? "6" : "4"}${bits}`, override });
      }
      const entries = [...list.values()];
      const overrides = new LocationOverrides(
        entries.map(({ override }) => override),
        100,
        () => undefined,
      );
      for (const { v6, words } of [...prefixes, ...others]) {
        if (v6) address.setV6(...words);
        else address.setV4(words[0]);
        const bits = `${v6 ? "6" : "4"}${bitsOf(v6, words)}`;
        const matching = entries.filter((entry) => bits.startsWith(entry.bits));
        const [longest] = matching.toSorted((a, b) => b.bits.length - a.bits.length);
        const found = overrides.find(address);
        assert.equal((found as ClientLocation | undefined)?.accuracyKm, longest?.override.accuracyKm);
        assert.equal(overrides.overrideOf(address), longest?.override);
      }
    }),
  );
});

test("addresses that are nowhere", () => {
  const nowhere = ["0.0.0.0", "10.255.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.0.1", "192.0.0.8"];
  nowhere.push("192.0.2.1", "192.168.1.1", "198.19.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "255.255.255.255");
  nowhere.push("::", "::1", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "3fff::1", "::ffff:10.0.0.1", "2001:20::1");
  for (const ip of nowhere) assert.equal(isPublic(ip), false, ip);
  const somewhere = ["1.1.1.1", "9.255.255.255", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.0"];
  somewhere.push("198.17.0.1", "198.20.0.1", "203.0.112.1", "223.255.255.255", "2001:4860::1", "3ffe::1", "2a00::1");
  for (const ip of somewhere) assert.equal(isPublic(ip), true, ip);
});

function refused(...list: readonly LocationOverride[]): void {
  assert.throws(() => new LocationOverrides(list, 2, () => undefined), RangeError, JSON.stringify(list));
}

function isPublic(ip: string): boolean {
  return address.parse(ip) && isPublicAddress(address);
}

function bitsOf(v6: boolean, words: readonly number[]): string {
  return words
    .slice(0, v6 ? 4 : 1)
    .map((word) => (word >>> 0).toString(2).padStart(32, "0"))
    .join("");
}

function v4Text(word: number): string {
  address.setV4(word);
  return address.toString();
}
