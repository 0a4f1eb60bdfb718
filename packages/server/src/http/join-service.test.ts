import assert from "node:assert/strict";
import { test } from "node:test";
import { GAME_DATA_BYTES } from "@riposte/protocol/netcode";
import * as fc from "fast-check";
import { isRoomName } from "../room-name.ts";
import { ClientIdentity } from "./client-identity.ts";
import { JoinService } from "./join-service.ts";
import type { TokenGrant } from "./join-service.ts";

const identity = new ClientIdentity(new Uint8Array(32).fill(7));
const grants: TokenGrant[] = [];
const service = new JoinService({
  identity,
  schemaHash: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  tickRate: 60,
  hasRoom: (name) => name.length < 4,
  isFull: (name) => name === "abc",
  issueToken: (grant) => {
    grants.push(grant);
    return new Uint8Array(2048);
  },
});

/** Any UTF-16 at all. */
const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.nat(127), fc.nat(0xffff)), { maxLength }).map((codes) => String.fromCharCode(...codes));

/** What a field of a request may be: the right thing, nearly it, or anything. */
const anything = fc.oneof(fc.jsonValue(), anyText(60));
const maybe = <T>(...right: fc.Arbitrary<T>[]): fc.Arbitrary<unknown> =>
  fc.oneof(...right, fc.constant(undefined), anything);
const bodies = fc.oneof(
  fc.record(
    {
      room: maybe(fc.constantFrom("", "a", "abc", "b c", "long room"), fc.string({ maxLength: 40 })),
      identity: maybe(
        fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map((id) => identity.sign(id)),
        fc.stringMatching(/^[0-9a-f]{16}\.[0-9a-f]{32}$/),
      ),
      userData: maybe(
        fc.uint8Array({ maxLength: 250, size: "max" }).map((bytes) => Buffer.from(bytes).toString("base64")),
        fc.stringMatching(/^[A-Za-z0-9+/]{0,20}={0,3}$/),
      ),
      schema: maybe(fc.constant("0102030405060708")),
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(fc.string(), fc.jsonValue()),
);
const sources = fc.record({
  localAddress: fc.constantFrom(undefined, "127.0.0.1", "::1", "fe80::1"),
  localPort: fc.nat(65_535),
  host: fc.oneof(
    fc.constantFrom(undefined, "game.test", "game.test:443", "[2001:db8::1]:7777", 'evil"/<script>', "a\r\nb"),
    anyText(40),
  ),
});

test("whatever a request's body says, it gets a token for what is right of it, or is told why not", () => {
  const statuses = new Map<number, number>();
  fc.assert(
    fc.property(bodies, sources, (body, source) => {
      grants.length = 0;
      const outcome = service.join(body, source);
      statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
      if (outcome.status !== 200) {
        assert.ok(outcome.body.error.length > 10);
        assert.equal(grants.length, 0);
        return;
      }
      const [grant] = grants;
      assert.ok(isRoomName(grant.room) && grant.room === (body.room ?? ""));
      assert.ok(grant.userData.length <= GAME_DATA_BYTES);
      assert.ok(grant.clientId > 0n && grant.clientId < 2n ** 63n);
      // Whose identity it shows, if it is one; else somebody new.
      const shown = typeof body.identity === "string" ? identity.verify(body.identity) : undefined;
      if (shown !== undefined) assert.equal(grant.clientId, shown);
      assert.equal(identity.verify(outcome.body.identity), grant.clientId);
      // The client opens it: a URL, to a place that the request named as its host or came in on.
      const url = new URL(outcome.body.websocket);
      assert.deepEqual([url.protocol, url.pathname, url.search, url.username], ["ws:", "/riposte", "", ""]);
      assert.equal(outcome.body.websocket, `ws://${outcome.body.udp}/riposte`);
    }),
    { seed: 51, numRuns: 3000 },
  );
  for (const status of [200, 400, 404, 409, 503]) assert.ok((statuses.get(status) ?? 0) > 20, `${status}: too few`);
});

test("an identity is what it was signed for; no other text is one", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      fc.nat(47),
      fc.string({ maxLength: 60 }),
      (id, at, text) => {
        const signed = identity.sign(id);
        assert.equal(identity.verify(signed), id);
        assert.equal(new ClientIdentity(new Uint8Array(32).fill(8)).verify(signed), undefined, "another server's");
        const digit = signed[at] === "0" ? "1" : "0";
        assert.equal(identity.verify(signed.slice(0, at) + digit + signed.slice(at + 1)), undefined);
        assert.equal(identity.verify(text), undefined);
        assert.equal(identity.verify(signed + text), text === "" ? id : undefined);
      },
    ),
    { seed: 52, numRuns: 500 },
  );
});

test("a room's name has up to 32 bytes of harmless text", () => {
  const long = fc.array(fc.constantFrom("a", "é", "漢", "-"), { maxLength: 40, size: "max" });
  const names = fc.oneof(
    long.map((letters) => letters.join("")),
    anyText(40),
    fc.string({ maxLength: 40 }),
    anything,
  );
  fc.assert(
    fc.property(names, (name) => {
      if (!isRoomName(name)) return;
      assert.ok(Buffer.byteLength(name) <= 32);
      assert.equal(Buffer.from(name).toString(), name, "whole characters");
      assert.doesNotMatch(name, /[\p{Cc}\p{Cs}/\\<>"'&?%]/u);
    }),
    { seed: 53, numRuns: 3000 },
  );
});
