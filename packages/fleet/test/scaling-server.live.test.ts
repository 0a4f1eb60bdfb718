/** Scaling as it is wired into balancers, with nodes of this process: draining, calling back, and another leader. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { BalancerServer } from "../src/balancer/balancer-server.ts";
import { FleetNode } from "../src/node/fleet-node.ts";
import type { ScalingDriver } from "../src/scaling/scaling-driver.ts";
import type { ScalingExplanation } from "../src/scaling/fleet-scaler.ts";
import { EmbeddedStore } from "../src/store/embedded-store.ts";
import { SignJWT } from "jose";
import { until } from "./until.ts";

const SEATS = 4;
const operatorSecret = randomBytes(32);
const nodeKey = { kid: "k", secret: randomBytes(32) };

/** Nodes that outlive a balancer, as those of a cluster do. */
class Cluster implements AsyncDisposable {
  readonly nodes: Map<string, FleetNode> = new Map();
  balancers: string[] = [];
  started = 0;
  asked = 0;

  driver(): ScalingDriver {
    return {
      kind: "test",
      start: async (region) => {
        const id = `${region}-${++this.started}`;
        const node = await FleetNode.join({
          balancers: this.balancers,
          key: nodeKey,
          registration: {
            id,
            region,
            addresses: { udp: [`10.0.0.${this.started}:7777`] },
            capacity: { sessions: 1, players: SEATS },
          },
        });
        node.setReady(true);
        this.nodes.set(id, node);
        return id;
      },
      stop: async (id) => {
        await this.nodes.get(id)?.[Symbol.asyncDispose]();
        this.nodes.delete(id);
      },
      owns: (id) => id.startsWith("eu-"),
      hasEnded: async (id) => !this.nodes.has(id),
      async [Symbol.asyncDispose]() {},
    };
  }

  /** Has the player get a seat on that node, and sit there. */
  async play({ balancer }: BalancerServer, id: string, clientId: string): Promise<void> {
    const filter = { exceptNodes: Array.from(this.nodes.keys()).filter((other) => other !== id) };
    const key = `play-${++this.asked}-0123456789`;
    await until(async () => {
      return (await balancer.allocate({ key, clients: [{ clientId }], filter }, "127.0.0.1")).status === "allocated";
    });
    await until(() => this.nodes.get(id)?.arrive(clientId) === true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes.values()) await node[Symbol.asyncDispose]();
  }
}

describe("scaling of balancers", { timeout: 120_000 }, () => {
  it("is the leader's, who calls drained nodes back; the next leader goes on", async () => {
    const fleetSecret = randomBytes(32);
    await using store = await EmbeddedStore.open();
    await using cluster = new Cluster();
    const log: string[] = [];
    const eu = {
      targetFreeSeats: 2,
      minNodes: 3,
      maxNodes: 6,
      scaleInCooldownMs: 1000,
      scaleInMargin: 0,
      predict: false,
    };
    const open = (id: string, peers: readonly string[]): Promise<BalancerServer> =>
      BalancerServer.listen({
        id,
        port: 0,
        host: "127.0.0.1",
        fleetSecret,
        nodeKeys: [nodeKey],
        trust: { issuer: "operators", audience: "fleet", secret: operatorSecret },
        store,
        peers,
        config: { scaling: { eu } },
        scalingDriver: cluster.driver(),
        audit: { write: () => true },
        log: (line) => void log.push(`${id}: ${line}`),
      });
    await using a = await open("a", []);
    await using b = await open("b", [a.url]);
    cluster.balancers = [a.url, b.url];
    await until(() => a.balancer.leads !== b.balancer.leads);
    const [first, second] = a.balancer.leads ? [a, b] : [b, a];
    await until(() => states(first, "ready").length === 3);
    assert.equal(cluster.started, 3, "the other one starts nothing");

    // Two players on each node; then two nodes too many: they drain.
    for (const id of cluster.nodes.keys()) for (const client of ["1", "2"]) await cluster.play(first, id, client);
    const change = { scaling: { eu: { minNodes: 1 } } };
    await patch(first.url, change);
    await until(() => states(first, "draining").length > 0);
    const drained = states(first, "draining");
    await until(() => drained.every((id) => cluster.nodes.get(id)?.desired === "draining"));
    assert.ok((await explain(first.url)).decisions.some(({ decision }) => decision.kind === "drain"));
    assert.deepEqual(await explain(second.url), { leads: false, driver: "test", regions: [], decisions: [] });

    // More seats are wanted: those that drain are called back, and take players again.
    await patch(first.url, { scaling: { eu: { targetFreeSeats: 6 } } });
    await until(() => drained.every((id) => cluster.nodes.get(id)?.desired === "ready"));
    await until(() => states(first, "ready").length === 3);
    assert.equal(cluster.started, 3);

    // The leader goes: what drains empties, and the next one stops it.
    await patch(first.url, { scaling: { eu: { minNodes: 1, targetFreeSeats: 0 } } });
    await first[Symbol.asyncDispose]();
    cluster.balancers = [second.url];
    for (const node of cluster.nodes.values()) for (const client of ["1", "2", "3", "4"]) node.leave(client);
    await until(() => second.balancer.leads);
    await until(() => cluster.nodes.size === 1, 60_000);
    assert.equal(cluster.started, 3, log.join("\n"));
    await until(() => second.balancer.nodes().length === 1);
  });
});

function states({ balancer }: BalancerServer, state: string): readonly string[] {
  return balancer.nodes().flatMap((node) => (node.state === state ? [node.id] : []));
}

async function headers(): Promise<Record<string, string>> {
  const token = await new SignJWT({ scope: "fleet:read config:write" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("ann")
    .setIssuer("operators")
    .setAudience("fleet")
    .setExpirationTime("1h")
    .sign(operatorSecret);
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}

async function explain(url: string): Promise<ScalingExplanation> {
  const response = await fetch(`${url}/v1/scaling`, { headers: await headers() });
  return (await response.json()) as ScalingExplanation;
}

async function patch(url: string, change: object): Promise<void> {
  const response = await fetch(`${url}/v1/config`, {
    method: "PATCH",
    headers: await headers(),
    body: JSON.stringify(change),
  });
  assert.equal(response.status, 200, await response.text());
}
