/**
 * Scaling by Agones in a closed loop: the scaler, the driver, the webhook over HTTP as Agones' controller calls it, and a
 * Kubernetes API. Game servers are nodes of the table from when they are allocated, as theirs would join then.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_REGION_SCALING } from "../src/config/config-defaults.ts";
import type { RegionScaling } from "../src/config/load-balancer-config.ts";
import { AuditLog } from "../src/http/audit-log.ts";
import { NodeCredentials } from "../src/http/credentials.ts";
import { HttpApi } from "../src/http/http-api.ts";
import { JsonClient } from "../src/http/json-client.ts";
import { NodeTable } from "../src/registry/node-table.ts";
import { AgonesDriver } from "../src/scaling/agones/agones-driver.ts";
import type { FleetAutoscaleReview } from "../src/scaling/agones/autoscale-review.ts";
import { KubernetesApi } from "../src/scaling/agones/kubernetes-api.ts";
import { FleetScaler } from "../src/scaling/fleet-scaler.ts";
import { EmbeddedStore } from "../src/store/embedded-store.ts";
import { FakeBalancer } from "./fake-balancer.ts";
import { FakeKubernetes } from "./fake-kubernetes.ts";
import { addReady, loadOf, registration } from "./fleet-model.ts";

const SECRET = "webhook-secret-0123";
const FLEET = "game-eu";
const SEATS = 64;
/** Of the FleetAutoscaler. */
const SYNC_EVERY_S = 10;

class Cluster implements AsyncDisposable {
  readonly table = new NodeTable({ maxNodes: 64 });
  readonly log: string[] = [];
  /** By node: players there. */
  readonly players: Map<string, number> = new Map();
  kubernetes!: FakeKubernetes;
  store!: EmbeddedStore;
  driver!: AgonesDriver;
  scaler!: FleetScaler;
  #http!: HttpApi;
  #webhook = "";
  #now = 0;
  #client = new JsonClient();

  static async open(change: Partial<RegionScaling>): Promise<Cluster> {
    const cluster = new Cluster();
    const { table } = cluster;
    cluster.kubernetes = await FakeKubernetes.listen();
    cluster.store = await EmbeddedStore.open();
    const log = (line: string): void => void cluster.log.push(line);
    const { url, token } = cluster.kubernetes;
    cluster.driver = new AgonesDriver({
      api: new KubernetesApi({ url, token: async () => token }),
      namespace: "games",
      fleets: { eu: FLEET },
      store: cluster.store,
      log,
      retryMs: 2,
    });
    const config = { eu: { ...DEFAULT_REGION_SCALING, predict: false, ...change } };
    cluster.scaler = new FleetScaler({
      table,
      driver: cluster.driver,
      store: cluster.store,
      config: () => config,
      leads: () => true,
      drain: (id) => table.setState(table.indexOf(id), "draining", cluster.#now),
      resume: (id) => table.setState(table.indexOf(id), "ready", cluster.#now),
      unregister: (id) => void table.remove(id),
      log,
      now: () => cluster.#now,
      wallNow: () => 1_800_000_000_000 + cluster.#now,
    });
    cluster.#http = await HttpApi.create({
      api: new FakeBalancer(),
      limits: () => ({
        requestsPerSec: 10_000,
        requestBurst: 10_000,
        connectionsPerPrefix: 100,
        connections: 200,
        challengeAbovePerSec: Infinity,
        proofBits: 8,
      }),
      nodeCredentials: new NodeCredentials({ keys: () => [], wallNow: Date.now }),
      audit: new AuditLog({ sink: { write: () => true }, wallNow: Date.now }),
      agones: { secret: SECRET, review: (review) => cluster.driver.review(review) },
    });
    const port = await cluster.#http.listen({ port: 0, host: "127.0.0.1" });
    cluster.#webhook = `http://127.0.0.1:${port}/v1/agones/autoscale/${SECRET}`;
    return cluster;
  }

  get serving(): readonly string[] {
    return Array.from(this.table.nodes()).flatMap(({ id, state }) =>
      state === "ready" || state === "full" ? [id] : [],
    );
  }

  async run(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.#now += 1000;
      this.scaler.tick();
      // Time for a few requests.
      await new Promise((resolve) => setTimeout(resolve, 8));
      this.#joinAllocated();
      if ((this.#now / 1000) % SYNC_EVERY_S === 0) await this.#sync();
    }
  }

  /** For at most ten minutes of the cluster's. */
  async runUntil(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 600 && !condition(); i++) await this.run(1);
    assert.ok(condition(), `${condition.toString()}\n${this.log.join("\n")}`);
  }

  setPlayers(id: string, count: number): void {
    this.players.set(id, count);
    this.table.report(this.table.indexOf(id), loadOf(count));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scaler[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
    await this.kubernetes[Symbol.asyncDispose]();
    this.#client[Symbol.dispose]();
  }

  /** As Agones' controller does for each FleetAutoscaler. */
  async #sync(): Promise<void> {
    const review = this.kubernetes.review(FLEET, `sync-${this.#now}`);
    const reply = await this.#client.send(this.#webhook, review, { timeoutMs: 5000 });
    assert.equal(reply.status, 200);
    const { response } = reply.body as FleetAutoscaleReview;
    assert.ok(response !== null && response.uid === review.request.uid);
    if (response.scale) this.kubernetes.scale(FLEET, response.replicas);
  }

  #joinAllocated(): void {
    for (const { name } of this.kubernetes.in(FLEET, "Allocated"))
      if (this.table.indexOf(name) < 0)
        addReady(
          this.table,
          registration(name, { region: "eu", capacity: { sessions: 1, players: SEATS } }),
          this.#now,
        );
  }
}

describe("scaling by Agones", { timeout: 60_000 }, () => {
  it("grows by webhook and allocation, shrinks by draining, and no GameServer with players is ever deleted", async (t) => {
    await using cluster = await Cluster.open({ targetFreeSeats: 100, minNodes: 1, scaleInCooldownMs: 20_000 });
    const { kubernetes } = cluster;
    await cluster.runUntil(() => cluster.serving.length === 2);
    for (const id of cluster.serving) cluster.setPlayers(id, 60);
    await cluster.runUntil(() => cluster.serving.length === 4);
    await cluster.run(2 * SYNC_EVERY_S);
    assert.equal(kubernetes.in(FLEET).length, 4, "none stands about");

    // The evening is over, but for two.
    const [first, second, ...rest] = cluster.serving;
    cluster.setPlayers(first, 1);
    cluster.setPlayers(second, 30);
    for (const id of rest) cluster.setPlayers(id, 0);
    await cluster.runUntil(() => kubernetes.deleted > 0);
    await cluster.run(3 * SYNC_EVERY_S);
    for (const [id, players] of cluster.players)
      if (players > 0) assert.ok(kubernetes.gameServers.has(id), `${id} with ${players} players`);
    t.diagnostic(`made ${kubernetes.made}, removed ${kubernetes.removed}, deleted ${kubernetes.deleted}`);
    assert.equal(kubernetes.made, 4, "what drained was not made anew");
    assert.equal(kubernetes.in(FLEET).length, cluster.serving.length);
  });

  it("replaces a GameServer that is gone", async () => {
    await using cluster = await Cluster.open({ targetFreeSeats: 60, minNodes: 1 });
    await cluster.runUntil(() => cluster.serving.length === 1);
    const [id] = cluster.serving;
    cluster.kubernetes.gameServers.delete(id);
    cluster.table.setState(cluster.table.indexOf(id), "lost", 0);
    await cluster.runUntil(() => cluster.serving.length === 1 && cluster.table.indexOf(id) < 0);
  });

  it("gives up what Agones does not make, and asks later", async () => {
    await using cluster = await Cluster.open({ targetFreeSeats: 0, minNodes: 1, startTimeoutMs: 20_000 });
    cluster.kubernetes.scale = () => undefined;
    await cluster.runUntil(() => cluster.log.some((line) => /gives up a node: not there 20 s after/.test(line)));
    const { note } = cluster.scaler.explain().regions[0];
    assert.match(note, /the last did not start|on their way/);
  });
});
