import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { generateConnectToken, readConnectToken, tokenAssociatedData, writeConnectToken } from "./connect-token.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { openPrivateToken, readPrivateToken } from "./private-token.ts";

let counter = 1;
const crypto = nobleCrypto((length) =>
  Uint8Array.from({ length }, () => (counter = (counter * 75 + 74) % 65_537) & 255),
);
const privateKey = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
const options = {
  protocolId: 7n,
  clientId: 0xffff_ffff_ffff_fffen,
  privateKey,
  serverAddresses: ["127.0.0.1:1", "[::2]:2"],
  nowSeconds: 1000.75,
  crypto,
};

test("what is generated reads back, outside and inside", () => {
  const userData = Uint8Array.of(1, 2, 3);
  const bytes = generateConnectToken({ ...options, userData, timeoutSeconds: -1, expireSeconds: 30 });
  const token = readConnectToken(bytes);
  assert.ok(token);
  assert.deepEqual([token.createTimestamp, token.expireTimestamp, token.timeoutSeconds], [1000n, 1030n, -1]);
  const inner = token.privateData.slice();
  const associatedData = tokenAssociatedData(7n, 1030n);
  assert.ok(openPrivateToken(crypto, privateKey, token.nonce, associatedData, inner, 0));
  const opened = readPrivateToken(inner, 0);
  assert.ok(opened);
  assert.equal(opened.clientId, options.clientId);
  assert.equal(opened.timeoutSeconds, -1);
  assert.equal(opened.userData.length, 256);
  assert.deepEqual(opened.userData.subarray(0, 4), Uint8Array.of(1, 2, 3, 0));
  assert.notDeepEqual(token.clientToServerKey, token.serverToClientKey);
  assert.deepEqual(writeConnectToken(token), bytes);
});

test("private addresses may differ from the public ones", () => {
  const bytes = generateConnectToken({ ...options, internalServerAddresses: ["10.0.0.1:9"] });
  const token = readConnectToken(bytes);
  assert.ok(token);
  const inner = token.privateData.slice();
  assert.ok(
    openPrivateToken(crypto, privateKey, token.nonce, tokenAssociatedData(7n, token.expireTimestamp), inner, 0),
  );
  assert.deepEqual(readPrivateToken(inner, 0)?.serverAddresses, [{ family: 4, groups: [10, 0, 0, 1], port: 9 }]);
  assert.equal(token.serverAddresses.length, 2);
});

test("a token below zero seconds never expires", () => {
  const token = readConnectToken(generateConnectToken({ ...options, expireSeconds: -1 }));
  assert.equal(token?.expireTimestamp, 0xffff_ffff_ffff_ffffn);
});

test("mistakes in the options throw and name the value", () => {
  assert.throws(() => generateConnectToken({ ...options, privateKey: new Uint8Array(31) }), /32 bytes, got 31/);
  assert.throws(() => generateConnectToken({ ...options, serverAddresses: [] }), RangeError);
  assert.throws(
    () => generateConnectToken({ ...options, serverAddresses: Array.from({ length: 33 }, () => "1.1.1.1:1") }),
    /33/,
  );
  assert.throws(() => generateConnectToken({ ...options, userData: new Uint8Array(257) }), /257/);
  assert.throws(() => generateConnectToken({ ...options, clientId: -1n }), /clientId/);
  assert.throws(() => generateConnectToken({ ...options, protocolId: 1n << 64n }), /protocolId/);
  assert.throws(() => generateConnectToken({ ...options, nowSeconds: Number.NaN }), /nowSeconds/);
  assert.throws(() => generateConnectToken({ ...options, timeoutSeconds: 2 ** 31 }), /timeoutSeconds/);
});

test("32 IPv6 addresses fit", () => {
  const serverAddresses = Array.from({ length: 32 }, (_, i) => `[2001:db8::${i + 1}]:${i + 1}`);
  const token = readConnectToken(generateConnectToken({ ...options, serverAddresses }));
  assert.equal(token?.serverAddresses.length, 32);
});

test("garbage, truncation and flipped bits are refused or read, never thrown", () => {
  const good = generateConnectToken(options);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2047 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const bad = good.slice();
      bad[at] ^= 1 << bit;
      const token = readConnectToken(bad);
      if (token !== undefined) assert.ok(token.serverAddresses.length >= 1 && token.serverAddresses.length <= 32);
      assert.equal(readConnectToken(good.subarray(0, at)), undefined);
    }),
    { seed: 1, numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2048, maxLength: 2048 }), (bytes) => {
      readConnectToken(bytes);
      readPrivateToken(bytes, 0);
      bytes.set(good.subarray(0, 37));
      readConnectToken(bytes);
    }),
    { seed: 2, numRuns: 100 },
  );
  assert.equal(readConnectToken(good.subarray(1)), undefined);
  const backwards = good.slice();
  backwards.set(good.subarray(29, 37), 21);
  backwards.set(good.subarray(21, 29), 29);
  assert.equal(readConnectToken(backwards), undefined, "created after it expires");
});

test("a timeout that means nothing, or never by accident, is refused", () => {
  for (const timeoutSeconds of [0, 0.5, 2 ** 31, Number.NaN]) {
    assert.throws(() => generateConnectToken({ ...options, timeoutSeconds }), /timeoutSeconds must be whole seconds/);
  }
});
