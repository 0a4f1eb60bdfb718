import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { SignJWT } from "jose";
import { Check } from "typebox/schema";
import { until } from "../../test/until.ts";
import { FakeBalancer, fleetSecret, registrationOf } from "../../test/fake-balancer.ts";
import type { LimitConfig } from "../config/load-balancer-config.ts";
import { answerReview } from "../scaling/agones/autoscale-review.ts";
import { PEER_MAC_HEADER, PeerMac } from "../peers/peer-mac.ts";
import { AuditLog } from "./audit-log.ts";
import { NodeCredentials, TokenCredentials, signNodeToken } from "./credentials.ts";
import { HttpApi } from "./http-api.ts";
import type { HttpApiOptions } from "./http-api.ts";
import { JsonClient } from "./json-client.ts";
import type { JsonPost, JsonReply } from "./json-client.ts";
import { solveChallenge } from "./proof-of-work.ts";

const secret = new Uint8Array(32).fill(1);
const wallNow = (): number => 1_800_000_000_000;
const freely: LimitConfig = {
  requestsPerSec: 10_000,
  requestBurst: 10_000,
  connectionsPerPrefix: 100,
  connections: 200,
  challengeAbovePerSec: Infinity,
  proofBits: 8,
};
const allocation = { key: "0123456789abcdef", clients: [{ clientId: "7" }] };
const operator = ["fleet:read", "fleet:write", "config:write"];

class Setting implements AsyncDisposable {
  readonly balancer = new FakeBalancer(["fra-1", "fra-2", "fra-3"]);
  readonly audit: Record<string, string>[] = [];
  readonly defects: unknown[] = [];
  readonly client = new JsonClient();
  limits = freely;
  now = 0;
  http!: HttpApi;
  port = 0;

  static async open(options: Partial<HttpApiOptions> = {}): Promise<Setting> {
    const setting = new Setting();
    setting.http = await HttpApi.create({
      api: setting.balancer,
      limits: () => setting.limits,
      nodeCredentials: new NodeCredentials({ keys: () => [{ kid: "k1", secret }], wallNow }),
      tokenCredentials: new TokenCredentials({ issuer: "studio", audience: "fleet", secret }, wallNow),
      audit: new AuditLog({ sink: { write: (line) => setting.audit.push(JSON.parse(line)) }, wallNow }),
      now: () => setting.now,
      onDefect: (error) => setting.defects.push(error),
      ...options,
    });
    setting.port = await setting.http.listen({ port: 0, host: "127.0.0.1" });
    return setting;
  }

  send(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    headers: JsonPost["headers"] = {},
  ): Promise<JsonReply> {
    return this.client.send(`http://127.0.0.1:${this.port}${path}`, body, { method, headers, timeoutMs: 5000 });
  }

  async as(scopes: readonly string[], method: "GET" | "POST", path: string, body?: unknown): Promise<JsonReply> {
    return this.send(method, path, body, await bearer(scopes));
  }

  /** Open, or refused already. */
  async socket(): Promise<Socket> {
    const socket = connect(this.port, "127.0.0.1").on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.http[Symbol.asyncDispose]();
  }
}

async function bearer(scopes: readonly string[], subject: string = "ann"): Promise<Record<string, string>> {
  const token = await new SignJWT({ iss: "studio", aud: "fleet", sub: subject, scope: scopes.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime(wallNow() / 1000 + 60)
    .sign(secret);
  return { authorization: `Bearer ${token}` };
}

/** However it ends. */
function closed(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

function codeOf({ body }: JsonReply): unknown {
  assert.match((body as { error: string }).error, /^[A-Z].*[.]$/);
  return (body as { code: string }).code;
}

describe("the players' part", () => {
  it("allocates, with the address of the request", async () => {
    await using setting = await Setting.open();
    const { status, body } = await setting.send("POST", "/v1/allocate", allocation);
    assert.equal(status, 200);
    assert.deepEqual((body as { seats: unknown }).seats, [{ clientId: "7", token: "AAAA" }]);
    assert.deepEqual(setting.balancer.calls, [["allocate", allocation, "127.0.0.1"]]);
  });

  it("answers who waits with 202, and refusals with their code", async () => {
    await using setting = await Setting.open();
    setting.balancer.reply = { status: "waiting", ticket: "t", position: 4, askAgainInMs: 1500 };
    const waiting = await fetch(`http://127.0.0.1:${setting.port}/v1/allocate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...allocation, ticket: "t" }),
    });
    assert.equal(waiting.status, 202);
    assert.equal(waiting.headers.get("retry-after"), "2");
    for (const [code, status] of [
      ["noMatch", 404],
      ["noNodes", 503],
      ["queueFull", 503],
      ["badTicket", 404],
      ["expired", 410],
      ["askAgain", 503],
    ] as const) {
      setting.balancer.reply = { status: "refused", code, error: "It cannot be." };
      const reply = await setting.send("POST", "/v1/allocate", allocation);
      assert.deepEqual([reply.status, codeOf(reply)], [status, code]);
    }
    const { key } = allocation;
    assert.equal((await setting.send("DELETE", `/v1/queue/${key}`)).status, 204);
    assert.deepEqual(setting.balancer.calls.at(-1), ["leaveQueue", key]);
  });

  it("refuses what is no request, in sentences", async () => {
    await using setting = await Setting.open();
    const bad: readonly unknown[] = [
      {},
      "{",
      { ...allocation, key: "short" },
      { ...allocation, more: 1 },
      { ...allocation, clients: [] },
      { ...allocation, clients: [{ clientId: 7 }] },
      { ...allocation, clients: [{ clientId: "18446744073709551616" }] },
      { ...allocation, clients: [{ clientId: "7" }, { clientId: "7" }] },
      { ...allocation, clients: [{ clientId: "7", ip: "nowhere" }] },
    ];
    for (const body of bad) {
      const reply = await setting.send("POST", "/v1/allocate", body);
      assert.deepEqual([reply.status, codeOf(reply)], [400, "badRequest"], JSON.stringify(body));
    }
    const large = await setting.send("POST", "/v1/allocate", { ...allocation, room: "x".repeat(64 << 10) });
    assert.deepEqual([large.status, codeOf(large)], [413, "tooLarge"]);
    assert.equal(codeOf(await setting.send("GET", "/v1/nothing")), "noRoute");
    assert.equal(setting.balancer.calls.length, 0);
  });

  it("says a defect is one, and nothing of it", async () => {
    await using setting = await Setting.open();
    setting.balancer.isBroken = true;
    const reply = await setting.send("POST", "/v1/allocate", allocation);
    assert.deepEqual([reply.status, codeOf(reply)], [500, "defect"]);
    assert.doesNotMatch(JSON.stringify(reply.body), /broken/);
    assert.equal(setting.defects.length, 1);
  });

  it("lets players ask for themselves only, where they bring tokens, and a matchmaker for anybody", async () => {
    await using setting = await Setting.open({ playerTokens: true });
    const ask = async (headers: Record<string, string>, clients: object[] = allocation.clients): Promise<number> =>
      (await setting.send("POST", "/v1/allocate", { ...allocation, clients }, headers)).status;
    assert.equal(await ask({}), 401);
    assert.equal(await ask(await bearer([], "7")), 200);
    assert.equal(await ask(await bearer([], "8")), 403);
    assert.equal(await ask(await bearer([], "7"), [{ clientId: "7", ip: "10.0.0.1" }]), 403);
    assert.equal(
      await ask(await bearer(["allocate"], "matchmaker"), [{ clientId: "1", ip: "10.0.0.1" }, { clientId: "2" }]),
      200,
    );
  });

  it("asks for a proof of work above a rate, which can be changed, and takes it once", async () => {
    await using setting = await Setting.open();
    setting.limits = { ...freely, challengeAbovePerSec: 1 };
    const ask = (key: string, proof?: object): Promise<JsonReply> =>
      setting.send("POST", "/v1/allocate", { ...allocation, key: key.padEnd(16, "-"), proof });
    assert.equal((await ask("a")).status, 200);
    const challenged = await ask("b");
    assert.deepEqual([challenged.status, codeOf(challenged)], [428, "challenge"]);
    const proof = solveChallenge(challenged.body as { challenge: string; bits: number });
    assert.equal((await ask("b", proof)).status, 200);
    assert.equal((await ask("b", proof)).status, 200, "the same request, sent again");
    assert.equal((await ask("c", proof)).status, 428);
    const { body } = await setting.send("POST", "/v1/challenge");
    assert.equal((await ask("d", solveChallenge(body as { challenge: string; bits: number }))).status, 200);
    const matchmaker = await setting.send("POST", "/v1/allocate", allocation, await bearer(["allocate"]));
    assert.equal(matchmaker.status, 200);
    setting.limits = freely;
    assert.equal((await ask("e")).status, 200);
  });

  it("is open to browsers, and has something to measure by", async () => {
    const beacons = [{ region: "eu", url: "http://127.0.0.1/v1/ping" }];
    await using setting = await Setting.open({ beacons: () => beacons });
    const url = `http://127.0.0.1:${setting.port}`;
    const preflight = await fetch(`${url}/v1/allocate`, { method: "OPTIONS" });
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /content-type/);
    assert.equal((await fetch(`${url}/v1/ping`)).status, 204);
    assert.deepEqual((await setting.send("GET", "/v1/beacons?client=4711")).body, { beacons });
    assert.deepEqual(setting.balancer.calls.at(-1), ["expectClient", "4711"]);
    assert.equal((await fetch(`${url}/healthz`)).headers.get("access-control-allow-origin"), null);
    assert.equal((await setting.send("GET", "/readyz")).status, 200);
    setting.balancer.isReady = false;
    assert.equal(codeOf(await setting.send("GET", "/readyz")), "notReady");
  });
});

async function nodeToken(nodeId: string, kid: string = "k1"): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await signNodeToken({ nodeId, kid, secret, wallNow: wallNow() })}` };
}

describe("the nodes' part", () => {
  it("registers who has signed with a node key, as itself, and writes it down", async () => {
    await using setting = await Setting.open();
    const register = async (id: string, headers: Record<string, string>): Promise<number> =>
      (await setting.send("POST", "/v1/nodes", registrationOf(id), headers)).status;
    assert.equal(await register("ams-1", await nodeToken("ams-1")), 200);
    assert.equal(await register("ams-1", await nodeToken("ams-2")), 403);
    assert.equal(await register("ams-1", await nodeToken("ams-1", "unknown")), 401);
    assert.equal(await register("ams-1", {}), 401);
    assert.equal(await register("ams-3", await bearer(["fleet:write"])), 200);
    assert.equal(await register("ams-3", await bearer(["fleet:read"])), 401);
    const written = setting.audit.map(({ actor, outcome, target }) => [actor, outcome, target]);
    assert.deepEqual(written, [
      ["k1", "done", "ams-1"],
      ["k1", "refused", "ams-1"],
      ["", "refused", undefined],
      ["", "refused", undefined],
      ["ann", "done", "ams-3"],
      ["ann", "refused", undefined],
    ]);
    assert.ok(setting.audit.every(({ action, address }) => action === "nodes.register" && address === "127.0.0.1"));
  });

  it("gives a node's session and key to that node alone, not to who may register it", async () => {
    await using setting = await Setting.open();
    const keysOf = async (headers: Record<string, string>): Promise<string[]> =>
      Object.keys((await setting.send("POST", "/v1/nodes", registrationOf("ams-1"), headers)).body as object);
    assert.deepEqual(await keysOf(await nodeToken("ams-1")), [
      "session",
      "tokenKey",
      "protocolId",
      "reportEveryMs",
      "balancers",
    ]);
    assert.deepEqual(await keysOf(await bearer(["fleet:write"])), ["protocolId", "reportEveryMs", "balancers"]);
  });

  it("checks a registration", async () => {
    await using setting = await Setting.open();
    const bad = { ...registrationOf("ams-1"), weight: -1 };
    assert.equal(codeOf(await setting.send("POST", "/v1/nodes", bad, await nodeToken("ams-1"))), "badRequest");
  });

  it("exchanges reports by session", async () => {
    await using setting = await Setting.open();
    const report = (session: string): Promise<JsonReply> =>
      setting.send("POST", "/v1/nodes/fra-1/report", { turn: 4 }, { authorization: `Bearer ${session}` });
    assert.deepEqual((await report("session-of-fra-1")).body, { turn: 1, taken: [], report: { turn: 4 } });
    const unknown = await report("session-of-fra-2");
    assert.deepEqual([unknown.status, codeOf(unknown)], [401, "register"]);
  });
});

describe("the operators' part", () => {
  const routes: readonly [string, "GET" | "POST", string, unknown?][] = [
    ["fleet:read", "GET", "/v1/nodes"],
    ["fleet:read", "GET", "/v1/stats"],
    ["fleet:read", "GET", "/v1/config"],
    ["fleet:read", "GET", "/v1/config/versions"],
    ["fleet:read", "GET", "/metrics"],
    ["fleet:read", "POST", "/v1/explain", { clients: [{ clientId: "7" }] }],
    ["fleet:write", "POST", "/v1/nodes/fra-1/drain"],
    ["fleet:write", "POST", "/v1/nodes/fra-1/maintain"],
    ["fleet:write", "POST", "/v1/nodes/fra-1/resume"],
    ["fleet:write", "POST", "/v1/nodes/fra-1/unregister"],
    ["config:write", "POST", "/v1/config/rollback", { version: 2 }],
  ];

  it("wants the scope of each route", async () => {
    await using setting = await Setting.open();
    for (const [scope, method, path, body] of routes) {
      assert.equal((await setting.as([scope], method, path, body)).status, 200, path);
      const others = operator.filter((other) => other !== scope);
      assert.equal(codeOf(await setting.as(others, method, path, body)), "forbidden", path);
      assert.equal(codeOf(await setting.send(method, path, body)), "unauthorized", path);
    }
    const outcomes = setting.audit.map(({ outcome }) => outcome);
    // Prometheus' scrapes are not written down.
    assert.equal(outcomes.filter((outcome) => outcome === "done").length, routes.length - 1);
    assert.equal(outcomes.filter((outcome) => outcome === "refused").length, 2 * routes.length - 2);
  });

  it("commands nodes, and says where one is not known", async () => {
    await using setting = await Setting.open();
    const drained = await setting.as(operator, "POST", "/v1/nodes/fra-1/drain");
    assert.equal((drained.body as { state: string }).state, "draining");
    assert.equal(codeOf(await setting.as(operator, "POST", "/v1/nodes/fra-9/drain")), "notFound");
    assert.deepEqual(
      setting.audit.map(({ actor, action, target, outcome }) => [actor, action, target, outcome]),
      [
        ["ann", "nodes.drain", "fra-1", "done"],
        ["ann", "nodes.drain", "fra-9", "refused"],
      ],
    );
  });

  it("lists nodes by pages", async () => {
    await using setting = await Setting.open();
    const ids = async (query: string): Promise<unknown> => {
      const { nodes, next } = (await setting.as(operator, "GET", `/v1/nodes${query}`)).body as {
        nodes: { id: string }[];
        next?: string;
      };
      return [nodes.map(({ id }) => id), next];
    };
    assert.deepEqual(await ids("?limit=2"), [["fra-1", "fra-2"], "fra-2"]);
    assert.deepEqual(await ids("?limit=2&after=fra-2"), [["fra-3"], undefined]);
    assert.deepEqual(await ids("?region=us"), [[], undefined]);
    assert.equal(codeOf(await setting.as(operator, "GET", "/v1/nodes?state=asleep")), "badRequest");
  });

  it("changes the configuration, or says what would come of it", async () => {
    await using setting = await Setting.open();
    const patch = async (query: string, body: object): Promise<[number, unknown]> => {
      const headers = { ...(await bearer(operator)), "content-type": "application/json" };
      const url = `http://127.0.0.1:${setting.port}/v1/config${query}`;
      const response = await fetch(url, { method: "PATCH", headers, body: JSON.stringify(body) });
      return [response.status, await response.json()];
    };
    const change = { queue: { admissionsPerSec: 5 } };
    assert.deepEqual(await patch("?dryRun=true", change), [200, { change, dryRun: true }]);
    assert.deepEqual(await patch("?comment=why", change), [200, { change, dryRun: false, comment: "why" }]);
    const refused = { code: "badConfig", error: "There is no nonsense." };
    assert.deepEqual(await patch("", { nonsense: 1 }), [422, refused]);
    assert.equal(codeOf(await setting.as(operator, "POST", "/v1/config/rollback", { version: 1 })), "notFound");
  });
});

describe("the other balancers' part", () => {
  it("gives them text and MAC, whatever is in them", async () => {
    await using setting = await Setting.open();
    const body = '{ "as": "it is" }';
    const mac = new PeerMac(fleetSecret).sign("claim", body);
    const post = (path: string, given: string): Promise<JsonReply> =>
      setting.send("POST", `/v1/peer/${path}`, body, { [PEER_MAC_HEADER]: given });
    assert.deepEqual((await post("claim", mac)).body, { path: "claim", body });
    for (const reply of [await post("gossip", mac), await post("claim", "x"), await post("claim", "x".repeat(43))])
      assert.deepEqual([reply.status, codeOf(reply)], [401, "peer"]);
  });
});

describe("Agones' part", () => {
  const webhookSecret = "a-secret-in-the-path";
  const status = { replicas: 3, readyReplicas: 1, reservedReplicas: 0, allocatedReplicas: 2, players: null };
  const review = { request: { uid: "u-1", name: "game-eu", namespace: "games", status }, response: null };
  const path = `/v1/agones/autoscale/${webhookSecret}`;

  it("answers its webhook in its own shape, to who has the secret", async () => {
    const need = { pending: 2, draining: 0, warm: 0 };
    await using setting = await Setting.open({
      agones: { secret: webhookSecret, review: (asked) => answerReview(asked, need) },
    });
    const reply = await setting.send("POST", path, review);
    const response = { uid: "u-1", scale: true, replicas: 4 };
    assert.deepEqual([reply.status, reply.body], [200, { request: review.request, response }]);
    for (const wrong of ["x", `${webhookSecret}x`, ""]) {
      const refused = await setting.send("POST", `/v1/agones/autoscale/${wrong}`, review);
      assert.equal(refused.status, 404, wrong);
    }
    const { request } = review;
    for (const bad of [{}, { request: {} }, { request: { ...request, status: { ...status, replicas: "3" } } }])
      assert.equal((await setting.send("POST", path, bad)).status, 400, JSON.stringify(bad));
    assert.deepEqual(setting.defects, []);
  });

  it("has no webhook where none is configured", async () => {
    await using setting = await Setting.open();
    assert.equal((await setting.send("POST", path, review)).status, 404);
  });
});

describe("protection", () => {
  const few: LimitConfig = { ...freely, requestsPerSec: 1, requestBurst: 3, connectionsPerPrefix: 4 };

  it("refuses what is over the rate, and closes the connections of who goes on", async () => {
    await using setting = await Setting.open();
    setting.limits = few;
    const ping = (): Promise<number> => setting.send("GET", "/v1/ping").then(({ status }) => status);
    assert.deepEqual([await ping(), await ping(), await ping()], [204, 204, 204]);
    assert.deepEqual([await ping(), await ping()], [429, 429]);
    await assert.rejects(ping());
    await assert.rejects(ping());
    assert.equal(setting.http.guard.counters.requestsBlocked, 1);
    assert.equal(setting.http.guard.counters.connectionsRefused, 1);
    setting.now = 10_000;
    assert.equal(await ping(), 204);
  });

  it("does not read the body of what it refuses", async () => {
    await using setting = await Setting.open();
    setting.limits = { ...few, requestBurst: 1, requestsPerSec: 0.001 };
    await setting.send("GET", "/v1/ping");
    setting.limits = { ...few, requestBurst: 100, requestsPerSec: 0.001 };
    const socket = await setting.socket();
    socket.write("POST /v1/allocate HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 429 [^]*connection: close/i);
    await closed(socket);
  });

  it("limits connections of one network", async () => {
    await using setting = await Setting.open();
    setting.limits = few;
    const sockets = await Promise.all([setting.socket(), setting.socket(), setting.socket(), setting.socket()]);
    const fifth = await setting.socket();
    await closed(fifth);
    assert.equal(setting.http.guard.open, 4);
    for (const socket of sockets) socket.destroy();
  });

  it("limits neither nodes nor peers nor operators who have shown who they are", async () => {
    await using setting = await Setting.open();
    const session = { authorization: "Bearer session-of-fra-1" };
    const report = (): Promise<number> =>
      setting.send("POST", "/v1/nodes/fra-1/report", {}, session).then(({ status }) => status);
    assert.equal(await report(), 200);
    setting.limits = few;
    for (let i = 0; i < 20; i++) assert.equal(await report(), 200);
    assert.equal(setting.http.guard.open, 0);
  });

  it("counts what is not HTTP, and blocks who sends it", async () => {
    await using setting = await Setting.open();
    setting.limits = { ...few, requestBurst: 2 };
    for (let i = 0; i < 5; i++) {
      const socket = await setting.socket();
      socket.write("rubbish\r\n\r\n");
      await closed(socket);
    }
    assert.equal(setting.http.guard.counters.malformed, 4);
    assert.equal(setting.http.guard.counters.connectionsRefused, 1);
  });

  it("disconnects who does not wait for an answer before the next request", async () => {
    await using setting = await Setting.open();
    const socket = await setting.socket();
    const body = JSON.stringify(allocation);
    const type = "host: x\r\ncontent-type: application/json\r\n";
    socket.write(`POST /v1/allocate HTTP/1.1\r\n${type}content-length: ${body.length}\r\n\r\n${body}`.repeat(3));
    await closed(socket);
    assert.equal(setting.http.guard.counters.requestsBlocked, 1);
    assert.equal(setting.http.guard.counters.requestsRefused, 0);
  });

  it("refuses headers that are too large", async () => {
    await using setting = await Setting.open();
    const socket = await setting.socket();
    socket.write(`GET /v1/ping HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(17 << 10)}\r\n\r\n`);
    await closed(socket);
    assert.equal(setting.http.guard.counters.malformed, 1);
  });

  it("closes connections that send nothing, or half a request", async () => {
    await using setting = await Setting.open({ timeouts: { headersMs: 1000 } });
    const [silent, half, asking] = [await setting.socket(), await setting.socket(), await setting.socket()];
    half.write("GET /v1/ping HTTP/1.1\r\nx: ");
    asking.write("GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(asking, "data");
    setting.now = 1000;
    await Promise.all([closed(silent), closed(half)]);
    assert.equal(setting.http.guard.counters.slow, 2);
    assert.ok(!asking.closed);
    asking.destroy();
  });

  it("does not answer who has gone while it was stopped", async () => {
    await using setting = await Setting.open();
    setting.now = 1000;
    await until(() => setting.http.guard.carefulUntil > 1000);
    const [gone, there] = [await setting.socket(), await setting.socket()];
    const body = JSON.stringify(allocation);
    const type = "host: x\r\ncontent-type: application/json\r\n";
    for (const socket of [gone, there])
      socket.write(`POST /v1/allocate HTTP/1.1\r\n${type}content-length: ${body.length}\r\n\r\n${body}`);
    gone.destroy();
    await once(there, "data");
    await until(() => setting.http.guard.counters.abandoned === 1);
    assert.equal(setting.balancer.calls.length, 1);
    there.destroy();
  });

  it("closes connections on which a body comes too slowly", async () => {
    await using setting = await Setting.open({ timeouts: { requestMs: 40, checkEveryMs: 10 } });
    const socket = await setting.socket();
    socket.write(
      "POST /v1/allocate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    await closed(socket);
    assert.equal(setting.http.guard.counters.slow, 1);
  });

  it("sets up many connections that come at once", async () => {
    await using setting = await Setting.open();
    const sockets = await Promise.all(Array.from({ length: 90 }, () => setting.socket()));
    for (const socket of sockets) socket.write("GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n");
    await Promise.all(sockets.map((socket) => once(socket, "data")));
    for (const socket of sockets) socket.destroy();
  });

  it("believes X-Forwarded-For only behind a proxy, and of it the last address", async () => {
    const forwarded = { "x-forwarded-for": "1.1.1.1, 10.0.0.1" };
    for (const behindProxy of [false, true]) {
      await using setting = await Setting.open({ behindProxy });
      setting.limits = { ...few, requestBurst: 1 };
      await setting.send("POST", "/v1/allocate", allocation, forwarded);
      assert.equal(setting.balancer.calls[0][2], behindProxy ? "10.0.0.1" : "127.0.0.1");
      const other = await setting
        .send("GET", "/v1/ping", undefined, { "x-forwarded-for": "1.1.1.1, 10.0.9.1" })
        .catch(() => undefined);
      assert.equal(other?.status, behindProxy ? 204 : undefined);
    }
  });
});

function latencies(regions: number): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: regions }, (_, i) => [`region-${String(i).padStart(4, "0")}`, 20.5 + i]),
  );
}

function party(players: number, regions: number): object {
  const userData = Buffer.alloc(192, 255).toString("base64");
  const client = { userData, latencies: latencies(regions) };
  return {
    ...allocation,
    clients: Array.from({ length: players }, (_, i) => ({ ...client, clientId: String(i + 1) })),
  };
}

describe("sizes of requests", () => {
  it("take a whole party of who may ask for one, and of others what one player needs", async () => {
    await using setting = await Setting.open();
    assert.equal((await setting.send("POST", "/v1/allocate", party(1, 512))).status, 200);
    assert.equal((await setting.send("POST", "/v1/allocate", party(64, 10))).status, 200);
    assert.equal((await setting.as(["allocate"], "POST", "/v1/allocate", party(64, 300))).status, 200);
    const refused = await setting.send("POST", "/v1/allocate", party(64, 300));
    assert.deepEqual([refused.status, codeOf(refused)], [413, "tooLarge"]);
    assert.equal((await setting.as(["fleet:read"], "POST", "/v1/allocate", party(64, 300))).status, 413);
    const forged = await setting.send("POST", "/v1/allocate", party(64, 300), { authorization: "Bearer a.b.c" });
    assert.equal(forged.status, 401);
    assert.equal(setting.balancer.calls.length, 3);
    const socket = await setting.socket();
    const type = "host: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n";
    socket.write(`POST /v1/allocate HTTP/1.1\r\n${type}\r\n2\r\n{}\r\n0\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 413/);
  });
});

describe("the OpenAPI document", () => {
  it("describes what is answered", async () => {
    await using setting = await Setting.open();
    const document = (await setting.send("GET", "/v1/openapi.json")).body as OpenApi;
    const check = (path: string, method: string, { status, body }: JsonReply): void => {
      const schema = document.paths[path][method].responses[status].content["application/json"].schema;
      assert.ok(Check(schema, body), `${path}: ${JSON.stringify(body)}`);
    };
    check("/v1/allocate", "post", await setting.send("POST", "/v1/allocate", allocation));
    check("/v1/allocate", "post", await setting.send("POST", "/v1/allocate", {}));
    check("/v1/nodes", "get", await setting.as(operator, "GET", "/v1/nodes"));
    check("/v1/config", "get", await setting.as(operator, "GET", "/v1/config"));
    check("/v1/scaling", "get", await setting.as(operator, "GET", "/v1/scaling"));
    check("/v1/challenge", "post", await setting.send("POST", "/v1/challenge"));
    setting.limits = { ...freely, challengeAbovePerSec: 0 };
    check("/v1/allocate", "post", await setting.send("POST", "/v1/allocate", allocation));
  });
});

interface OpenApi {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>
  >;
}
