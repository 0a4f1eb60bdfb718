import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { JsonClient } from "../http/json-client.ts";
import { NotSentError, PeerLink } from "./peer-link.ts";
import { PeerMac } from "./peer-mac.ts";

const TIMEOUT_MS = 100;
const mac = new PeerMac(new Uint8Array(32).fill(7));

async function setUp(
  answer: (claims: readonly unknown[], request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly link: PeerLink } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { body } = JSON.parse(Buffer.concat(parts).toString()) as { body: unknown[] };
      answer(body, request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new JsonClient();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    link: new PeerLink({ client, mac, self: "a" }),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

describe("PeerLink", () => {
  it("sends claims that come while others are on their way together, and gives each its answer", async () => {
    const sizes: number[] = [];
    await using setting = await setUp((claims, _request, response) => {
      sizes.push(claims.length);
      setTimeout(() => response.end(JSON.stringify(claims)), 5);
    });
    const claims = Array.from({ length: 50 }, (_, i) => i);
    const { link, url } = setting;
    assert.deepEqual(await Promise.all(claims.map((claim) => link.claim(url, claim, 5000))), claims);
    assert.deepEqual(sizes, [1, 1, 1, 1, 46]);
  });

  it("lets no claim wait behind those that are not answered", async () => {
    await using setting = await setUp(() => {});
    const { link, url } = setting;
    const began = performance.now();
    const ends = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => link.claim(url, i, TIMEOUT_MS)));
    assert.ok(performance.now() - began < 2 * TIMEOUT_MS);
    const errors = ends.map((end) => end.status === "rejected" && end.reason instanceof NotSentError);
    assert.deepEqual(errors, [false, false, false, false, true, true, true, true, true]);
  });
});
