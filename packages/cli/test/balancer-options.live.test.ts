/** What `riposte balancer` is given on its command line is so in the balancer: over HTTPS, with a CA of one's own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FleetNode, packagedCityDatabases, packagedCountryDatabases } from "@riposte/fleet";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { JsonClient } from "../../fleet/src/http/json-client.ts";

const RIPOSTE = new URL("../src/riposte.ts", import.meta.url).pathname;
const tls = (name: string): string => new URL(`../../fleet/test/tls/${name}.pem`, import.meta.url).pathname;
const ca = readFileSync(tls("cert"), "utf8");
const secret = Buffer.alloc(32, 7);

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe("riposte balancer, with options", () => {
  const folder = mkdtempSync(join(tmpdir(), "riposte-options-"));
  const client = new JsonClient({ ca });
  let stop: (() => Promise<void>) | undefined;
  let url = "";
  let tokenOf: (subject: string, scope: string) => Promise<string>;

  const ask = async (method: "GET" | "POST", path: string, body?: unknown, token?: string): Promise<Answer> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await client.send(`${url}${path}`, body, { method, headers, timeoutMs: 5000 })) as Answer;
  };

  before(async () => {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA");
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "EdDSA" }] };
    const keys = createServer((_request, response) => response.end(JSON.stringify(jwks)));
    keys.listen(0, "127.0.0.1");
    await once(keys, "listening");
    tokenOf = (subject, scope) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: "EdDSA", kid: "one" })
        .setSubject(subject)
        .setIssuer("https://login.example")
        .setAudience("game")
        .setExpirationTime("10m")
        .sign(privateKey);
    const [cities, countries] = [packagedCityDatabases()[0], packagedCountryDatabases()[0]].map(({ from }, i) => {
      const copy = join(folder, `${i}.mmdb`);
      copyFileSync(from, copy);
      return copy;
    });
    const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`;
    const options = `
      --port 0 --host 127.0.0.1 --id one --no-console --store embedded:${join(folder, "store")} --secret ${"11".repeat(32)} --node-key k:${secret.toString("hex")}
      --tls-cert ${tls("cert")} --tls-key ${tls("key")} --ca ${tls("cert")}
      --jwks ${jwksUrl} --issuer https://login.example --audience game --player-tokens
      --protocol-id 0x4d2 --open-metrics --allow-origin https://game.example
      --beacon eu:https://eu.example/ping us:https://us.example/ping
      --geoip-city ${cities} --geoip-country ${countries}`;
    const args = [RIPOSTE, "balancer", ...options.trim().split(/\s+/)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    stop = async () => {
      keys.close();
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    };
    let said = "";
    for await (const bytes of child.stderr) {
      said += String(bytes);
      url = /at (https:\S+),/.exec(said)?.[1] ?? "";
      if (url !== "") break;
    }
    assert.notEqual(url, "", said);
  });
  after(async () => {
    await stop?.();
    client[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  it("serves HTTPS, beacons, open metrics, and pages of one origin", async () => {
    const { body } = await ask("GET", "/v1/beacons");
    assert.deepEqual(body, {
      beacons: [
        { region: "eu", url: "https://eu.example/ping" },
        { region: "us", url: "https://us.example/ping" },
      ],
    });
    assert.equal((await ask("GET", "/metrics")).status, 200);
  });

  it("trusts an identity provider's keys: operators' tokens by scope, players' by subject", async () => {
    assert.equal((await ask("GET", "/v1/nodes", undefined, await tokenOf("ann", "fleet:read"))).status, 200);
    assert.equal((await ask("GET", "/v1/nodes", undefined, await tokenOf("ann", "allocate"))).status, 403);
    const key = "0123456789abcdef";
    const clients = [{ clientId: "4711" }];
    assert.equal((await ask("POST", "/v1/allocate", { key, clients })).status, 401);
    assert.equal((await ask("POST", "/v1/allocate", { key, clients }, await tokenOf("4712", ""))).status, 403);
    assert.equal((await ask("POST", "/v1/allocate", { key, clients }, await tokenOf("4711", ""))).body.code, "noNodes");
  });

  it("asks the databases that were named, and tells nodes the protocol id", async () => {
    const token = await tokenOf("ann", "fleet:read");
    const { body } = await ask("POST", "/v1/explain", { clients: [{ clientId: "1", ip: "129.132.0.1" }] }, token);
    const [{ location }] = body.clients as { readonly location: { readonly country: string } }[];
    assert.equal(location.country, "CH");
    const { databases } = (await ask("GET", "/v1/geoip", undefined, token)).body;
    const names = (databases as readonly { readonly name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, [join(folder, "0.mmdb"), join(folder, "1.mmdb")]);
    await using node = await FleetNode.join({
      balancers: [url],
      ca,
      key: { kid: "k", secret },
      registration: {
        id: "eu-1",
        region: "eu",
        addresses: { udp: ["127.0.0.1:7777"] },
        capacity: { sessions: 1, players: 4 },
      },
    });
    assert.equal(node.protocolId, 0x4d2n);
  });
});
