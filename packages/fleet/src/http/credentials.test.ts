import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { SignJWT, exportJWK } from "jose";
import { NodeCredentials, TokenCredentials, bearerOf, signNodeToken } from "./credentials.ts";
import type { NodeKey } from "./credentials.ts";

const wallNow = 1_800_000_000_000;
const secretOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

function credentials(keys: readonly NodeKey[], now: number = wallNow): NodeCredentials {
  return new NodeCredentials({ keys: () => keys, wallNow: () => now });
}

describe("a node key with names", () => {
  it("is for these nodes alone", async () => {
    const named = credentials([{ kid: "eu", secret: secretOf(9), nodes: ["eu-*", "test"] }]);
    const verify = async (nodeId: string): Promise<string> =>
      named.verify(await signNodeToken({ nodeId, kid: "eu", secret: secretOf(9), wallNow })).then(
        (found) => found.nodeId,
        (error: Error) => error.message,
      );
    assert.deepEqual([await verify("eu-1"), await verify("test")], ["eu-1", "test"]);
    for (const id of ["us-1", "test-1", "eu"])
      assert.equal(await verify(id), `node key "eu" is not for a node of the name "${id}"`);
  });
});

describe("NodeCredentials", () => {
  const old: NodeKey = { kid: "2026", secret: secretOf(1), validUntil: wallNow + 3_600_000 };
  const young: NodeKey = { kid: "2027", secret: secretOf(2), validFrom: wallNow - 3_600_000 };
  const tokenOf = (key: NodeKey): Promise<string> =>
    signNodeToken({ nodeId: "fra-1", kid: key.kid, secret: key.secret!, wallNow });

  it("takes every key that is valid, while keys are replaced", async () => {
    const both = credentials([old, young]);
    for (const key of [old, young])
      assert.deepEqual(await both.verify(await tokenOf(key)), { nodeId: "fra-1", kid: key.kid });
    await assert.rejects(credentials([young]).verify(await tokenOf(old)), /no node key is called "2026"/);
    const later = wallNow + 3_600_000 + 300_001;
    const late = await signNodeToken({ nodeId: "fra-1", kid: "2026", secret: old.secret!, wallNow: later });
    await assert.rejects(credentials([old], later).verify(late), /no longer valid/);
    const early = { ...young, validFrom: wallNow + 300_001 };
    await assert.rejects(credentials([early]).verify(await tokenOf(early)), /not valid yet/);
  });

  it("takes public keys, and no secret made of one", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const keys = credentials([{ kid: "ed", publicKey: pem }]);
    const token = await signNodeToken({ nodeId: "fra-1", kid: "ed", privateKey, wallNow });
    assert.equal((await keys.verify(token)).nodeId, "fra-1");
    const confused = await signNodeToken({ nodeId: "fra-1", kid: "ed", secret: Buffer.from(pem), wallNow });
    await assert.rejects(keys.verify(confused), /not signed with a key/);
  });

  it("forgives a clock that is 300 s off, not one that is more", async () => {
    const token = await tokenOf(old);
    for (const off of [-290_000, 0, 350_000])
      assert.equal((await credentials([old], wallNow + off).verify(token)).nodeId, "fra-1");
    await assert.rejects(credentials([old], wallNow + 361_000).verify(token), /has expired/);
  });

  it("refuses another key's signature, no signature, and what is no token", async () => {
    const keys = credentials([old]);
    const forged = await signNodeToken({ nodeId: "fra-1", kid: old.kid, secret: secretOf(9), wallNow });
    await assert.rejects(keys.verify(forged), /not signed with a key/);
    const none = `${btoa('{"alg":"none","kid":"2026"}')}.${btoa('{"sub":"x","exp":9999999999}')}.`;
    await assert.rejects(keys.verify(none.replaceAll("=", "")), /not signed with a key/);
    await assert.rejects(keys.verify("rubbish"), /names no key/);
  });
});

function sign(
  claims: object,
  key: Parameters<SignJWT["sign"]>[0],
  header: { alg: string; kid?: string },
): Promise<string> {
  return new SignJWT({ iss: "studio", aud: "fleet", sub: "ann", exp: wallNow / 1000 + 60, ...claims })
    .setProtectedHeader(header)
    .sign(key);
}

describe("TokenCredentials", () => {
  it("reads scopes from a JWKS's token", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "a", alg: "ES256" }] };
    const tokens = new TokenCredentials({ issuer: "studio", audience: "fleet", jwks }, () => wallNow);
    const one = await tokens.verify(
      await sign({ scope: "fleet:read config:write" }, privateKey, { alg: "ES256", kid: "a" }),
    );
    assert.deepEqual(one, { subject: "ann", scopes: new Set(["fleet:read", "config:write"]) });
    const two = await tokens.verify(await sign({ scopes: ["allocate", 7] }, privateKey, { alg: "ES256", kid: "a" }));
    assert.deepEqual([...two.scopes], ["allocate"]);
  });

  it("refuses another issuer, another audience, and tokens that never end", async () => {
    const tokens = new TokenCredentials({ issuer: "studio", audience: "fleet", secret: secretOf(3) }, () => wallNow);
    const alg = { alg: "HS256" };
    assert.equal((await tokens.verify(await sign({}, secretOf(3), alg))).subject, "ann");
    for (const [claim, value] of Object.entries({ iss: "other", aud: "other", exp: undefined, sub: undefined }))
      await assert.rejects(tokens.verify(await sign({ [claim]: value }, secretOf(3), alg)), new RegExp(`"${claim}"`));
  });

  it("wants one key, of 32 bytes", () => {
    const trust = { issuer: "studio", audience: "fleet" };
    assert.throws(() => new TokenCredentials(trust, () => 0), TypeError);
    assert.throws(() => new TokenCredentials({ ...trust, secret: new Uint8Array(31) }, () => 0), RangeError);
  });
});

it("bearerOf", () => {
  assert.equal(bearerOf("Bearer a.b-c_d"), "a.b-c_d");
  for (const header of [undefined, "", "Basic abc", "Bearer a b"]) assert.equal(bearerOf(header), undefined);
});
