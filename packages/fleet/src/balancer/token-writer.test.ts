import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConnectToken } from "@riposte/protocol/netcode";
import { TokenWriter } from "./token-writer.ts";
import type { TokenFacts } from "./token-writer.ts";

const fleetSecret = new Uint8Array(32).fill(7);
const facts: TokenFacts = {
  nodeId: "eu-1",
  addresses: ["203.0.113.7:7777"],
  key: "0123456789abcdef",
  clientId: "18446744073709551615",
  room: "duel",
  userData: Buffer.from("red").toString("base64"),
  issuedAt: 1_700_000_000_123,
  expireSeconds: 30,
  timeoutSeconds: 10,
  seat: 5,
  epoch: 99,
};

describe("TokenWriter", () => {
  it("makes the same token from the same facts, at any balancer", () => {
    const [a, b] = [0, 1].map(() => new TokenWriter({ fleetSecret, protocolId: 1n }).write(facts));
    assert.deepEqual(a, b);
    const token = readConnectToken(a);
    assert.equal(token?.expireTimestamp, 1_700_000_030n);
    assert.equal(token?.serverAddresses.length, 1);
  });

  it("shares no nonce and no key between tokens of which any fact differs", () => {
    const writer = new TokenWriter({ fleetSecret, protocolId: 1n });
    const others: Partial<TokenFacts>[] = [
      { nodeId: "eu-2" },
      { addresses: ["203.0.113.8:7777"] },
      { key: "0123456789abcdeg" },
      { clientId: "1" },
      { room: "" },
      { userData: "" },
      { issuedAt: 1_700_000_000_124 },
      { expireSeconds: 31 },
      { timeoutSeconds: 11 },
      { seat: 6 },
      { epoch: 98 },
    ];
    const seen = new Set<string>();
    const tokens = [{}, ...others].map((other) => readConnectToken(writer.write({ ...facts, ...other })));
    tokens.push(readConnectToken(new TokenWriter({ fleetSecret, protocolId: 2n }).write(facts)));
    for (const token of tokens) {
      assert.ok(token !== undefined);
      for (const bytes of [token.nonce, token.clientToServerKey, token.serverToClientKey])
        seen.add(Buffer.from(bytes).toString("hex"));
    }
    assert.equal(seen.size, 3 * tokens.length);
  });

  it("has another key for each node", () => {
    const writer = new TokenWriter({ fleetSecret, protocolId: 1n });
    assert.notDeepEqual(writer.keyOf("a"), writer.keyOf("b"));
    assert.equal(writer.keyOf("a").length, 32);
  });
});
