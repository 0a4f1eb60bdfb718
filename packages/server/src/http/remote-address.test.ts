import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import { networkOf } from "./address-rate-limiter.ts";
import { remoteAddressOf } from "./remote-address.ts";

const SOCKET = "192.0.2.9";

function request(forwarded: string | string[] | undefined): IncomingMessage {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return { socket: { remoteAddress: SOCKET }, headers } as unknown as IncomingMessage;
}

/** Any UTF-16 at all. */
const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.nat(127), fc.nat(0xffff)), { maxLength }).map((codes) => String.fromCharCode(...codes));
const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
const claims = fc.array(fc.oneof(addresses, fc.string({ maxLength: 20 })), { maxLength: 5 });

test("behind a proxy the address is the one it appended, whatever the client claims before it", () => {
  fc.assert(
    fc.property(claims, addresses, fc.constantFrom(",", ", ", " ,\t"), (claimed, appended, comma) => {
      const forwarded = [...claimed, appended].join(comma);
      assert.equal(remoteAddressOf(request(forwarded), true), appended);
      assert.equal(remoteAddressOf(request(forwarded), false), SOCKET, "without a proxy it means nothing");
    }),
    { seed: 61, numRuns: 1000 },
  );
});

test("any header gives an address: the last it names, or the socket's", () => {
  const headers = fc.oneof(
    fc.constant(undefined),
    anyText(80),
    claims.map((claimed) => claimed.join(",")),
    claims,
  );
  fc.assert(
    fc.property(headers, (forwarded) => {
      const address = remoteAddressOf(request(forwarded), true);
      assert.notEqual(isIP(address), 0);
      if (address !== SOCKET) assert.ok(String(forwarded).trimEnd().endsWith(address));
    }),
    { seed: 62, numRuns: 2000 },
  );
});

test("limits count an IPv6 address by its first 64 bits however it is written, an IPv4 address by itself", () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, fc.boolean(), fc.ipV4(), (address, upper, v4) => {
      const full = address.map((group) => group.toString(16).padStart(4, "0")).join(":");
      const network = networkOf(full);
      assert.equal(
        network,
        `${address
          .slice(0, 4)
          .map((group) => group.toString(16))
          .join(":")}::/64`,
      );
      const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
      // URL and Node write a mapped address without dots and with them.
      if (!short.startsWith("::ffff:")) assert.equal(networkOf(upper ? short.toUpperCase() : short), network, short);
      assert.equal(networkOf(v4), v4);
      assert.equal(networkOf(`::ffff:${v4}`), v4);
    }),
    { seed: 63, numRuns: 2000 },
  );
  fc.assert(
    fc.property(anyText(50), (text) => assert.equal(typeof networkOf(text), "string")),
    { seed: 64, numRuns: 1000 },
  );
});
