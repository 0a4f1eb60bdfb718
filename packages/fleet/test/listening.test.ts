/** How a balancer is reached: by HTTPS with a certificate of one's own, by IPv6, by a token whose key is found by URL. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import type { CryptoKey, JWK } from "jose";
import { JsonClient } from "../src/http/json-client.ts";
import { TokenCredentials } from "../src/http/credentials.ts";
import { request, SmallFleet, until } from "./small-fleet.ts";

const key = readFileSync(new URL("tls/key.pem", import.meta.url), "utf8");
const cert = readFileSync(new URL("tls/cert.pem", import.meta.url), "utf8");
const isTrue = (value: boolean): true | undefined => (value ? true : undefined);

describe("a balancer", () => {
  it("listens by HTTPS: for players, nodes and other balancers who trust its certificate", async () => {
    await using fleet = await SmallFleet.open();
    const secure = { tls: { key, cert }, ca: cert };
    const a = await fleet.balancer("a", [], {}, secure);
    const b = await fleet.balancer("b", [a.url], {}, secure);
    assert.match(a.url, /^https:/);
    const node = await fleet.node("eu-1", 20, [a.url], "eu", { ca: cert });
    await until(() => isTrue([a, b].every(({ balancer }) => balancer.stats().freeSeats > 0)));
    await until(() => isTrue([a, b].every(({ balancer }) => balancer.stats().balancers.length === 2)));
    assert.equal(node.balancers.length, 2);
    using client = new JsonClient({ ca: cert });
    const body = request(1);
    const [first, again] = await Promise.all(
      [a.url, b.url].map((url) => client.send(`${url}/v1/allocate`, body, { timeoutMs: 5000 })),
    );
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.deepEqual((again.body as { seats: unknown }).seats, (first.body as { seats: unknown }).seats);
    using stranger = new JsonClient();
    await assert.rejects(
      stranger.send(`${a.url}/readyz`, undefined, { timeoutMs: 5000, method: "GET" }),
      /certificate/,
    );
  });

  it("listens by IPv6, and counts who asks by their /48", async () => {
    await using fleet = await SmallFleet.open();
    const limits = { requestsPerSec: 1, requestBurst: 3 };
    const own = await fleet.balancer("own", [], { limits }, { host: "::1" });
    const behind = await fleet.balancer("behind", [], { limits }, { host: "::1", behindProxy: true });
    using client = new JsonClient();
    const ping = async (port: number, from?: string): Promise<number> => {
      const headers = from === undefined ? {} : { "x-forwarded-for": from };
      const asked = client.send(`http://[::1]:${port}/v1/ping`, undefined, { method: "GET", timeoutMs: 5000, headers });
      return (await asked).status;
    };
    const asks = async (port: number, sources: readonly (string | undefined)[]): Promise<number[]> => {
      const statuses: number[] = [];
      for (const from of sources) statuses.push(await ping(port, from));
      return statuses;
    };
    assert.deepEqual(await asks(own.port, [undefined, "2001:db8::1", undefined, undefined]), [204, 204, 204, 429]);
    const inOne = ["2001:db8:7:1::1", "2001:db8:7:2::1", "2001:DB8:7:ffff:1:2:3:4", "2001:db8:7::5"];
    assert.deepEqual(await asks(behind.port, inOne), [204, 204, 204, 429]);
    assert.deepEqual(
      await asks(behind.port, ["2001:db8:8:1::1", "2001:db8:6:1::1", "::ffff:203.0.113.7"]),
      [204, 204, 204],
    );
  });
});

async function publish(kid: string, { publicKey }: { readonly publicKey: CryptoKey }): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg: "ES256" };
}

describe("keys by URL", () => {
  const issuer = "studio";
  const audience = "fleet";
  const sign = (kid: string, privateKey: CryptoKey): Promise<string> =>
    new SignJWT({ scope: "fleet:read" })
      .setProtectedHeader({ alg: "ES256", kid })
      .setSubject("ann")
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(Math.floor(Date.now() / 1000) + 3600)
      .sign(privateKey);

  it("are read when they are needed, and again when they have changed", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const [old, next, foreign] = await Promise.all(
      [0, 1, 2].map(() => generateKeyPair("ES256", { extractable: true })),
    );
    let keys: JWK[] | undefined = [await publish("1", old)];
    let reads = 0;
    const server = createServer((_request, response) => {
      reads++;
      if (keys === undefined) response.writeHead(500).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
    }).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    const tokens = new TokenCredentials({ issuer, audience, jwksUrl }, Date.now);
    for (let i = 0; i < 3; i++) assert.equal((await tokens.verify(await sign("1", old.privateKey))).subject, "ann");
    assert.equal(reads, 1);
    // Rotated: the new key counts after a few seconds, the old one as long as it is there.
    keys = [await publish("1", old), await publish("2", next)];
    await assert.rejects(tokens.verify(await sign("2", next.privateKey)), /not signed with a key that is trusted/);
    t.mock.timers.tick(6000);
    assert.equal((await tokens.verify(await sign("2", next.privateKey))).subject, "ann");
    assert.equal((await tokens.verify(await sign("1", old.privateKey))).subject, "ann");
    keys = [await publish("2", next)];
    t.mock.timers.tick(6000);
    // Whoever makes up keys causes one look in that time.
    for (let i = 0; i < 5; i++)
      await assert.rejects(tokens.verify(await sign("3", foreign.privateKey)), /not signed with a key that is trusted/);
    assert.equal(reads, 3);
    await assert.rejects(tokens.verify(await sign("1", old.privateKey)), /not signed with a key that is trusted/);
    // What is known counts while the URL is away.
    keys = undefined;
    t.mock.timers.tick(6000);
    assert.equal((await tokens.verify(await sign("2", next.privateKey))).subject, "ann");
    await assert.rejects(tokens.verify(await sign("4", foreign.privateKey)), /cannot be fetched now/);
  });
});
