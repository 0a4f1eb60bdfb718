/** The operators' commands as processes, against a real balancer with two nodes. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { BalancerServer, DB_IP_ATTRIBUTION, EmbeddedStore, FleetNode } from "@riposte/fleet";
import type { ExplainReply, ServerNode, StatsReply } from "@riposte/fleet";

const RIPOSTE = new URL("../src/riposte.ts", import.meta.url).pathname;
const secret = randomBytes(32);
const key = { kid: "k", secret: randomBytes(32) };
const places = { eu: { latitude: 50.1, longitude: 8.7 }, us: { latitude: 39, longitude: -77.5 } };

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe("operators' commands", () => {
  let store: EmbeddedStore;
  let server: BalancerServer;
  let token = "";
  let folder = "";
  const nodes: FleetNode[] = [];

  function riposte(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Result> {
    const { RIPOSTE_TOKEN: _token, RIPOSTE_BALANCER: _url, RIPOSTE_OPERATOR_SECRET: _secret, ...clean } = process.env;
    const env = { ...clean, RIPOSTE_BALANCER: server.url, RIPOSTE_TOKEN: token, ...more };
    return new Promise((resolve) => {
      execFile(process.execPath, [RIPOSTE, ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  /** What a command that succeeds says. */
  async function said(...args: string[]): Promise<string> {
    const { code, out, err } = await riposte(args);
    assert.equal(code, 0, err);
    return out;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "riposte-cli-"));
    store = await EmbeddedStore.open();
    server = await BalancerServer.listen({
      id: "one",
      port: 0,
      store,
      host: "127.0.0.1",
      fleetSecret: randomBytes(32),
      nodeKeys: [key],
      trust: { issuer: "riposte-operators", audience: "riposte-balancer", secret },
      locator: {
        estimateClientLocation: (ip) =>
          ip === "203.0.113.7" ? { coordinates: places.us, source: "city", accuracyKm: 50, country: "US" } : undefined,
        attributions: [DB_IP_ATTRIBUTION],
      },
      audit: { write: () => true },
      log: () => undefined,
    });
    for (const [region, coordinates] of Object.entries(places)) {
      const registration = {
        id: `${region}-1`,
        region,
        coordinates,
        addresses: { udp: ["203.0.113.9:7777"] },
        capacity: { sessions: 4, players: 20 },
      };
      const node = await FleetNode.join({ balancers: [server.url], key, registration });
      node.setReady(true);
      nodes.push(node);
    }
    while (server.balancer.nodes({ state: "ready" }).length < 2 || server.balancer.stats().freeSeats === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

  after(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("make tokens, with the scopes and the lifetime that are asked for", async () => {
    const secrets = { RIPOSTE_OPERATOR_SECRET: secret.toString("hex") };
    const made = await riposte(["token", "--scope", "all", "--lifetime", "10m", "--subject", "ann", "--json"], secrets);
    assert.equal(made.code, 0, made.err);
    const { token: text, scopes, expiresAt } = JSON.parse(made.out) as Record<string, string>;
    assert.deepEqual(scopes, ["fleet:read", "fleet:write", "config:write"]);
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 600_000) < 30_000);
    token = text;
    const reader = await riposte(["token"], secrets);
    const drained = await riposte(["nodes", "drain", "eu-1", "--token", reader.out.trim()]);
    assert.equal(drained.code, 1);
    assert.match(drained.err, /lacks the scope "fleet:write"/);
    for (const [args, message] of [
      [["token", "--operator-secret", "abc"], /32 bytes or more in hex/],
      [["token", "--lifetime", "forever"], /--lifetime forever: give 30m, 8h or 7d/],
      [["token", "--scope", "root"], /--scope root is none: give fleet:read/],
    ] as const) {
      const { code, out, err } = await riposte(args, secrets);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, message);
    }
    assert.match((await riposte(["token"])).err, /--operator-secret is missing/);
  });

  it("list nodes, and drain, maintain, resume and unregister them", async () => {
    assert.match(await said("nodes"), /^NODE +REGION +STATE .*\neu-1 +eu +ready .*0\/20.*\nus-1 +us +ready/);
    assert.doesNotMatch(await said("nodes", "list", "--region", "us"), /eu-1/);
    assert.equal(await said("nodes", "drain", "eu-1"), "eu-1 is draining\n");
    const drained = JSON.parse(await said("nodes", "--state", "draining", "--json")) as readonly ServerNode[];
    assert.deepEqual(
      drained.map(({ id }) => id),
      ["eu-1"],
    );
    assert.equal(await said("nodes", "maintain", "eu-1", "us-1"), "eu-1 is maintenance\nus-1 is maintenance\n");
    await said("nodes", "resume", "eu-1", "us-1");
    while (server.balancer.nodes({ state: "ready" }).length < 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it("register a node before it runs", async () => {
    const file = join(folder, "node.json");
    const registration = {
      id: "eu-2",
      region: "eu",
      addresses: { udp: ["203.0.113.8:7777"] },
      capacity: { sessions: 1, players: 10 },
      version: "2",
      labels: {},
      gameModes: [],
      weight: 1,
    };
    await writeFile(file, JSON.stringify(registration));
    assert.match(await said("nodes", "register", file), /^eu-2 is registered/);
    assert.match(await said("nodes", "maintain", "eu-2"), /eu-2 is maintenance/);
    assert.equal(await said("nodes", "unregister", "eu-2"), "eu-2 is unregistered\n");
    assert.doesNotMatch(await said("nodes"), /eu-2/);
    await writeFile(file, JSON.stringify({ ...registration, weight: -1 }));
    const refused = await riposte(["nodes", "register", file]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /weight/);
  });

  it("explain where a player would go, and credit who says where it is", async () => {
    const text = await said("explain", "--ip", "203.0.113.7");
    assert.match(
      text,
      /^us-1 in us, score .* by composite\nthe client is at 39\.00, -77\.50 \(US; by city, within 50 km\)\n/,
    );
    assert.match(text, /eu-1 +eu +\d+ +[\d.]+ +outscored/);
    assert.match(text, /IP Geolocation by DB-IP: https:\/\/db-ip\.com/);
    const args = ["--ip", "203.0.113.7", "--region", "eu", "--strategy", "geographic", "--latency", "eu=90", "--json"];
    const reply = JSON.parse(await said("explain", ...args)) as ExplainReply;
    assert.ok("node" in reply.outcome && reply.outcome.node.id === "eu-1");
    assert.equal(reply.candidates.find(({ nodeId }) => nodeId === "us-1")?.rejected, "region");
    assert.deepEqual(reply.attributions, [DB_IP_ATTRIBUTION]);
    assert.match(await said("explain", "--client", "7", "--game-version", "9"), /^nowhere: no node matches the filter/);
    const { code, err } = await riposte(["explain"]);
    assert.deepEqual([code, /--ip 203\.0\.113\.7, or --client/.test(err)], [2, true]);
  });

  it("read, try, change and roll back settings", async () => {
    assert.equal(await said("config", "get", "routing.maxLatencyMs"), "400\n");
    const tried = await said("config", "set", "routing.maxLatencyMs=250", "--dry-run");
    assert.match(tried, /^routing\.maxLatencyMs: 400 -> 250\n[\s\S]*nothing has been changed\n$/);
    assert.equal(await said("config", "get", "routing.maxLatencyMs"), "400\n");
    const changed = await said(
      "config",
      "set",
      "routing.maxLatencyMs=250",
      "routing.strategy=latency",
      "--comment",
      "nearer",
    );
    assert.match(changed, /routing\.maxLatencyMs: 400 -> 250\nversion 1 is in force\n$/);
    assert.match(await said("config", "history"), /\n +1 +\S+Z +ann +nearer\n +0 +- +defaults\n$/);
    const file = join(folder, "patch.json");
    await writeFile(file, JSON.stringify({ queue: { admissionsPerSec: 5 } }));
    assert.match(await said("config", "set", "--file", file), /no limit -> 5\nversion 2 is in force/);
    assert.match(await said("config", "rollback", "0"), /^version 3 is in force, with the settings of version 0/);
    assert.equal(await said("config", "get", "queue.admissionsPerSec", "--json"), "null\n");
    const refused = await riposte(["config", "set", "routing.maxLatencyMs=-1"]);
    assert.deepEqual([refused.code, /routing\.maxLatencyMs: -1, must be/.test(refused.err)], [1, true]);
    assert.equal((await riposte(["config", "set"])).code, 2);
    assert.match((await riposte(["config", "rollback", "99"])).err, /Version 99 .* is not known/);
  });

  it("show the fleet in numbers, and where players came from", async () => {
    const secrets = { RIPOSTE_OPERATOR_SECRET: secret.toString("hex") };
    const matchmaker = (await riposte(["token", "--scope", "allocate"], secrets)).out.trim();
    const response = await fetch(`${server.url}/v1/allocate`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${matchmaker}` },
      body: JSON.stringify({ key: "0123456789abcdef", clients: [{ clientId: "4711", ip: "203.0.113.7" }] }),
    });
    assert.equal(response.status, 200, await response.text());
    while (nodes[1].seats.reserved === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(nodes[1].arrive("4711"));
    while (server.balancer.nodes({ region: "us" })[0].load.players === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(
      await said("stats"),
      /^balancer one, one of 1 alive.*store embedded connected[\s\S]*\nus +1 +1 +0 +0 +1 +20 +5 %/,
    );
    const stats = JSON.parse(await said("stats", "--json")) as StatsReply;
    const [origin] = stats.origins.origins;
    assert.deepEqual(origin, { latitude: 39, longitude: -77, country: "US", region: "us", players: 1 });
    assert.deepEqual(stats.attributions, [DB_IP_ATTRIBUTION]);
    assert.ok(Math.abs(stats.regions.us.coordinates!.longitude + 77.5) < 0.01);
    assert.doesNotMatch(JSON.stringify(stats), /203\.0\.113\.7|4711/);
  });

  it("explain a client whom another balancer has served", async () => {
    while ((await store.list("clients/")).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await using other = await BalancerServer.listen({
      id: "two",
      port: 0,
      host: "127.0.0.1",
      store,
      fleetSecret: randomBytes(32),
      nodeKeys: [key],
      trust: { issuer: "riposte-operators", audience: "riposte-balancer", secret },
      audit: { write: () => true },
      log: () => undefined,
    });
    assert.match(await said("explain", "--client", "4711", "--balancer", other.url), /\nit played last in us\n/);
  });

  it("say what to do when something is wrong, with exit codes", async () => {
    const away = await riposte(["stats", "--balancer", "http://127.0.0.1:9"]);
    assert.deepEqual([away.code, away.out], [3, ""]);
    assert.match(away.err, /^riposte: http:\/\/127\.0\.0\.1:9 does not answer .*is a balancer running there\?/);
    for (const [args, env, code, message] of [
      [["stats"], { RIPOSTE_TOKEN: "" }, 2, /--token is missing: make one with riposte token/],
      [["stats"], { RIPOSTE_TOKEN: "a.b.c" }, 1, /not signed with a key that is trusted here/],
      [["nodes", "drain", "nobody"], {}, 1, /Node "nobody" is not known here/],
      [["nodes", "drain"], {}, 2, /missing required argument/],
      [["stats", "--balancer", "nowhere"], {}, 2, /is no address: give http/],
      [["geoip"], {}, 1, /started without databases of places/],
      [["dance"], {}, 2, /unknown command/],
    ] as const) {
      const result = await riposte(args, env);
      assert.equal(result.code, code, result.err);
      assert.match(result.err, message);
    }
    assert.equal((await riposte(["nodes", "--help"])).code, 0);
  });
});

describe("riposte balancer --dev", () => {
  it("says a token that the commands and the console take, and knows places", async () => {
    const args = [RIPOSTE, "balancer", "--dev", "--host", "127.0.0.1", "--port", "0"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    try {
      let log = "";
      const [url, token] = await new Promise<readonly [string, string]>((resolve, reject) => {
        child.stderr.on("data", (bytes: Buffer) => {
          log += bytes.toString();
          const [, address] = /^console at (http:\S+)\/console\/$/m.exec(log) ?? [];
          const [, made] = /^token (\S+)$/m.exec(log) ?? [];
          if (address !== undefined && made !== undefined) resolve([address, made]);
        });
        child.once("exit", () => reject(new Error(log)));
      });
      const ask = (...words: string[]): Promise<string> =>
        new Promise((resolve, reject) => {
          const env = { ...process.env, RIPOSTE_BALANCER: url, RIPOSTE_TOKEN: token };
          execFile(process.execPath, [RIPOSTE, ...words], { env }, (error, out) =>
            error === null ? resolve(out) : reject(error),
          );
        });
      assert.match(
        await ask("geoip"),
        /^USE +FOR +BUILT +MB +FROM\ncity +IPv4 +20\d\d-\d\d-\d\d [\s\S]*DB-IP: https:\/\/db-ip\.com/,
      );
      assert.equal(await ask("geoip", "update"), "nothing is new\n");
      assert.match(
        await ask("explain", "--ip", "129.132.0.1"),
        /^nowhere: no node takes players\nthe client is at 47\.38, 8\.55 \(CH/,
      );
      assert.equal((await fetch(`${url}/console/nothing`)).status, 404);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
