/** From nothing to a seat on a server of a fleet: real balancers, real nodes, a real game. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect } from "@riposte/client";
import { FleetClient, FleetError } from "@riposte/client/fleet";
import { BalancerServer, FleetNode } from "@riposte/fleet";
import type { BalancerServerOptions } from "@riposte/fleet";
import { listen } from "@riposte/server";
import { game } from "../../server/test/game.ts";

const fleetSecret = randomBytes(32);
const key = { kid: "k", secret: randomBytes(32) };

async function startBalancer(options: Partial<BalancerServerOptions> = {}): Promise<BalancerServer> {
  const { config = {}, ...rest } = options;
  return BalancerServer.listen({
    port: 0,
    host: "127.0.0.1",
    fleetSecret,
    nodeKeys: [key],
    audit: { write: () => true },
    log: () => undefined,
    config: { queue: { patienceMs: 3000 }, ...(config as object) },
    ...rest,
  });
}

async function startNode(id: string, seats: number, balancers: readonly string[], region = "eu"): Promise<FleetNode> {
  const node = await FleetNode.join({
    balancers,
    key,
    registration: {
      id,
      region,
      addresses: { udp: ["127.0.0.1:7777"] },
      capacity: { sessions: 4, players: seats },
    },
  });
  node.setReady(true);
  return node;
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.ok(what(), `not within 10 s: ${what.toString()}`);
}

/** Gives the same answer to all. */
async function startAnswering(
  status: number,
  body: object,
): Promise<AsyncDisposable & { readonly url: string; asked: number }> {
  const state = { asked: 0 };
  const server = createServer((_request, response) => {
    state.asked++;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Takes connections and says nothing. */
async function startSilence(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("FleetClient", () => {
  it("gives up, and asks no more often than it should, where every answer is to do something else first", async () => {
    for (const [status, body, code] of [
      [428, { code: "challenge", error: "Solve this.", challenge: "x", bits: 1 }, "limited"],
      [410, { code: "expired", error: "Ask anew." }, "unreachable"],
      [404, { code: "badTicket", error: "Ask anew." }, "unreachable"],
    ] as const) {
      await using answering = await startAnswering(status, body);
      const client = new FleetClient({ balancers: [answering.url], giveUpAfterMs: 500, measureForMs: 0 });
      const signal = AbortSignal.timeout(5000);
      await assert.rejects(client.findServer({ clientIds: ["1"], signal }), { name: "FleetError", code });
      if (status !== 428) assert.ok(answering.asked < 20, `${answering.asked}`);
    }
  });

  it("finds a server, and its token plays there", async () => {
    await using balancer = await startBalancer();
    const client = new FleetClient({ balancers: [balancer.url] });
    const asked = client.findServer({ clientIds: ["4711"], filter: { version: "7" } });
    await using node = await FleetNode.join({
      balancers: [balancer.url],
      key,
      registration: {
        id: "eu-1",
        region: "eu",
        version: "7",
        addresses: { udp: ["127.0.0.1:7777"] },
        capacity: { sessions: 4, players: 10 },
      },
    });
    await using server = await listen(game, {
      port: 0,
      publicDir: false,
      privateKey: node.tokenKey,
      protocolId: node.protocolId,
      environment: "production",
    });
    const [host, port] = ["127.0.0.1", new URL(server.url).port];
    // The port is known now.
    await node[Symbol.asyncDispose]();
    await using again = await FleetNode.join({
      balancers: [balancer.url],
      key,
      registration: {
        id: "eu-1",
        region: "eu",
        version: "7",
        addresses: { udp: [`${host}:${port}`], websocket: `ws://${host}:${port}/riposte` },
        capacity: { sessions: 4, players: 10 },
      },
    });
    again.serve(server);
    const place = await asked;
    assert.deepEqual([place.nodeId, place.region, place.version, place.seats.length], ["eu-1", "eu", "7", 1]);
    await using session = await connect(game, place.url, { token: place.token, carrier: "websocket" });
    assert.equal(again.seats.seated, 1);
    await session.close();
    await until(() => again.seats.seated === 0);
  });

  it("goes on at the next balancer when one is dead or silent, within a second", async () => {
    await using balancer = await startBalancer();
    await using _node = await startNode("eu-1", 200, [balancer.url]);
    // In its first two seconds it does not know yet that it is the only one.
    await until(() => balancer.balancer.stats().freeSeats > 0 && balancer.balancer.stats().uptimeMs > 2500);
    await using silence = await startSilence();
    for (const dead of [silence.url, "http://127.0.0.1:9"])
      for (let i = 0; i < 6; i++) {
        const client = new FleetClient({ balancers: [dead, balancer.url], measureForMs: 0 });
        const began = performance.now();
        const place = await client.findServer({ clientIds: [String(100 + i)] });
        assert.ok(performance.now() - began < 1000 && place.nodeId === "eu-1", `${performance.now() - began} ms`);
      }
  });

  it("waits in the queue, says where, and leaves it when it is aborted", async () => {
    await using balancer = await startBalancer();
    await using node = await startNode("eu-1", 1, [balancer.url]);
    const client = new FleetClient({ balancers: [balancer.url], measureForMs: 0 });
    await client.findServer({ clientIds: ["1"] });
    await until(() => node.arrive("1"));
    const places: number[] = [];
    const second = client.findServer({ clientIds: ["2"], onWaiting: ({ position }) => places.push(position) });
    await until(() => places.length > 0);
    const gone = new AbortController();
    const third = client.findServer({
      clientIds: ["3"],
      signal: gone.signal,
      onWaiting: ({ position }) => {
        assert.equal(position, 2);
        gone.abort(new Error("enough"));
      },
    });
    await assert.rejects(third, { message: "enough" });
    await until(() => balancer.balancer.stats().waiting === 1);
    node.leave("1");
    assert.equal((await second).nodeId, "eu-1");
    assert.equal(places[0], 1);
  });

  it("solves what a balancer under attack asks for", async () => {
    await using balancer = await startBalancer({ config: { limits: { challengeAbovePerSec: 0, proofBits: 10 } } });
    await using _node = await startNode("eu-1", 10, [balancer.url]);
    const client = new FleetClient({ balancers: [balancer.url], measureForMs: 0 });
    assert.equal((await client.findServer({ clientIds: ["1"] })).nodeId, "eu-1");
  });

  it("measures regions and goes where it is nearest", async () => {
    await using near = await startSlow(0);
    await using far = await startSlow(120);
    const beacons = [
      { region: "far", url: far.url },
      { region: "near", url: near.url },
    ];
    await using balancer = await startBalancer({ beacons });
    await using _far = await startNode("far-1", 100, [balancer.url], "far");
    await using _near = await startNode("near-1", 100, [balancer.url], "near");
    await until(() => balancer.balancer.stats().freeSeats >= 16);
    const client = new FleetClient({ balancers: [balancer.url] });
    const latencies = await client.measure();
    assert.ok(latencies.far >= 100 && latencies.near < latencies.far, JSON.stringify(latencies));
    for (let i = 0; i < 4; i++) assert.equal((await client.findServer({ clientIds: [String(i)] })).region, "near");
    // Of a party, the one who has it farthest counts.
    const party = { "10": { near: 10, far: 30 }, "11": { near: 200, far: 40 } };
    const together = await client.findServer({ clientIds: ["10", "11"], latencies: party });
    assert.deepEqual([together.region, together.seats.map(({ clientId }) => clientId)], ["far", ["10", "11"]]);
  });

  it("says why there is no server", async () => {
    await using balancer = await startBalancer();
    await using _node = await startNode("eu-1", 10, [balancer.url]);
    await until(() => balancer.balancer.stats().freeSeats > 0);
    const hurried = { measureForMs: 0, giveUpAfterMs: 400 };
    assert.equal(await codeOf(new FleetClient({ balancers: [balancer.url] }), { version: "9" }), "noMatch");
    assert.equal(await codeOf(new FleetClient({ balancers: ["http://127.0.0.1:9"], ...hurried })), "unreachable");
    assert.equal(await codeOf(new FleetClient({ balancers: [balancer.url], authorization: "x" })), "denied");
    await using lone = await startBalancer();
    assert.equal(await codeOf(new FleetClient({ balancers: [lone.url], ...hurried })), "noServers");
    assert.throws(() => new FleetClient({ balancers: ["eu.example.com"] }), TypeError);
  });
});

async function codeOf(client: FleetClient, filter = {}): Promise<string> {
  return client.findServer({ clientIds: ["1"], filter }).then(
    () => "none",
    (error: unknown) => (error instanceof FleetError ? error.code : String(error)),
  );
}

/** A beacon that answers after so long. */
async function startSlow(delayMs: number): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => void setTimeout(() => response.writeHead(204).end(), delayMs));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
