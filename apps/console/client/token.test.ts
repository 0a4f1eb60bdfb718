import assert from "node:assert/strict";
import { it } from "node:test";
import { signOperatorToken } from "@riposte/fleet";
import { readToken } from "./token.ts";

it("reads what a token says, and takes nothing else for one", async () => {
  const token = await signOperatorToken({
    issuer: "i",
    audience: "a",
    secret: new Uint8Array(32),
    subject: "Zoë?>",
    scopes: ["fleet:read", "config:write"],
    lifetimeSeconds: 60,
    wallNow: 1_800_000_000_000,
  });
  const facts = readToken(token);
  assert.equal(facts?.subject, "Zoë?>");
  assert.deepEqual([...(facts?.scopes ?? [])], ["fleet:read", "config:write"]);
  assert.equal(facts?.expiresAt, 1_800_000_060_000);
  for (const text of ["", "a.b", "a.b.c", "...", `${token.split(".")[0]}.!!.x`])
    assert.equal(readToken(text), undefined);
});
