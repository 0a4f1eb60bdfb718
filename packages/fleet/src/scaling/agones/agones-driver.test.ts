import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { peerOrSkip } from "../../../../../scripts/peers.mjs";
import { failure, FakeKubernetes } from "../../../test/fake-kubernetes.ts";
import { until } from "../../../test/until.ts";
import { EmbeddedStore } from "../../store/embedded-store.ts";
import type { StateStore } from "../../store/state-store.ts";
import type { RegionScalingStatus } from "../scaling-decision.ts";
import { AgonesDriver } from "./agones-driver.ts";
import type { AgonesDriverOptions } from "./agones-driver.ts";
import { KubernetesApi } from "./kubernetes-api.ts";

const NEVER = new AbortController().signal;
const openssl = peerOrSkip("openssl");

interface Setting extends AsyncDisposable {
  readonly kubernetes: FakeKubernetes;
  readonly store: StateStore;
  readonly log: string[];
  readonly create: (more?: Partial<AgonesDriverOptions>) => AgonesDriver;
}

async function open(): Promise<Setting> {
  const kubernetes = await FakeKubernetes.listen();
  const store = await EmbeddedStore.open();
  const log: string[] = [];
  const drivers: AgonesDriver[] = [];
  return {
    kubernetes,
    store,
    log,
    create(more = {}) {
      const api = new KubernetesApi({ url: kubernetes.url, token: async () => kubernetes.token });
      const driver = new AgonesDriver({
        api,
        namespace: "games",
        fleets: { eu: "game-eu", us: "game-us" },
        store,
        log: (line) => void log.push(line),
        retryMs: 20,
        ...more,
      });
      drivers.push(driver);
      return driver;
    },
    async [Symbol.asyncDispose]() {
      for (const driver of drivers) await driver[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await kubernetes[Symbol.asyncDispose]();
    },
  };
}

/** How a region stands, in what the driver reads of it. */
function standing(region: string, drainingNodes = 0): RegionScalingStatus {
  return { region, drainingNodes } as RegionScalingStatus;
}

describe("AgonesDriver", () => {
  it("waits until the autoscaler has made a GameServer Ready, and allocates it", async () => {
    await using setting = await open();
    const { kubernetes } = setting;
    const driver = setting.create();
    const starts = [driver.start("eu", NEVER), driver.start("eu", NEVER)];
    await until(() => kubernetes.calls.length > 2);
    driver.note([standing("eu"), standing("us"), standing("elsewhere")]);
    const { response } = driver.review(kubernetes.review("game-eu"));
    assert.deepEqual([response?.scale, response?.replicas], [true, 2]);
    kubernetes.scale("game-eu", response!.replicas);
    const names = await Promise.all(starts);
    assert.deepEqual(new Set(names), new Set(kubernetes.in("game-eu", "Allocated").map(({ name }) => name)));
    assert.ok(names.every((name) => driver.owns(name)));
    assert.deepEqual(kubernetes.bodies.at(-1), {
      apiVersion: "allocation.agones.dev/v1",
      kind: "GameServerAllocation",
      spec: { selectors: [{ matchLabels: { "agones.dev/fleet": "game-eu" }, gameServerState: "Ready" }] },
    });
    driver.note([standing("eu")]);
    assert.equal(driver.review(kubernetes.review("game-eu")).response?.scale, false);
  });

  it("deletes a GameServer that drained, of which Agones makes none anew", async () => {
    await using setting = await open();
    const { kubernetes } = setting;
    const driver = setting.create();
    kubernetes.scale("game-eu", 3);
    const names = [];
    for (let i = 0; i < 3; i++) names.push(await driver.start("eu", NEVER));
    driver.note([standing("eu", 1)]);
    const { replicas } = driver.review(kubernetes.review("game-eu")).response!;
    assert.equal(replicas, 2);
    kubernetes.scale("game-eu", replicas);
    assert.equal(kubernetes.in("game-eu", "Allocated").length, 3, "Allocated ones stay");
    assert.equal(await driver.hasEnded(names[0]), false);
    await driver.stop(names[0]);
    kubernetes.scale("game-eu", replicas);
    assert.deepEqual([kubernetes.in("game-eu").length, kubernetes.made, kubernetes.removed], [2, 3, 0]);
    assert.equal(await driver.hasEnded(names[0]), true);
    await driver.stop(names[0]);
    assert.equal(kubernetes.deleted, 1);
  });

  it("has the same answer at every balancer, and none where nobody leads", async () => {
    await using setting = await open();
    const { kubernetes } = setting;
    const [leader, other] = [setting.create({ warmNodes: 2 }), setting.create()];
    const review = kubernetes.review("game-eu");
    for (const driver of [leader, other])
      assert.deepEqual(driver.review(review).response, { uid: review.request.uid, scale: false, replicas: 0 });
    leader.note([standing("eu")]);
    await until(() => other.review(review).response?.scale === true);
    for (const driver of [leader, other])
      assert.deepEqual(driver.review(review).response, { uid: review.request.uid, scale: true, replicas: 2 });
    const elsewhere = { ...review, request: { ...review.request, namespace: "default" } };
    assert.equal(leader.review(elsewhere).response?.scale, false);
    assert.equal(other.review(kubernetes.review("unknown")).response?.scale, false);
    await setting.store.put("scaling/agones", '{"game-eu":{"pending":-1},"game-us":7');
    await until(() => other.review(review).response?.scale === false);
  });

  it("tries again what may pass, and says so", async () => {
    await using setting = await open();
    const { kubernetes, log } = setting;
    const driver = setting.create();
    kubernetes.scale("game-us", 1);
    const contention = { status: { state: "Contention", gameServerName: "", source: "" } };
    kubernetes.next.push(
      failure(429, "too many requests"),
      { status: 201, body: contention },
      failure(500, "etcdserver: request timed out"),
    );
    assert.match(await driver.start("us", NEVER), /^game-us-/);
    assert.equal(kubernetes.calls.length, 4);
    assert.ok(log.some((line) => line.includes("429 too many requests")) && log.length === 2, log.join("\n"));
  });

  it("rejects what will not pass, and what is not waited for", async () => {
    await using setting = await open();
    const { kubernetes } = setting;
    const driver = setting.create();
    kubernetes.next.push(failure(403, 'gameserverallocations is forbidden: User "x" cannot create resource'));
    await assert.rejects(driver.start("eu", NEVER), /403 gameserverallocations is forbidden/);
    await assert.rejects(driver.start("asia", NEVER), /region asia has no Agones Fleet/);
    kubernetes.next.push(failure(403, "no"), failure(403, "no"));
    await assert.rejects(driver.stop("game-eu-1"), /403 no/);
    await assert.rejects(driver.hasEnded("game-eu-1"), /403 no/);
    const given = new AbortController();
    const start = driver.start("eu", given.signal);
    await until(() => kubernetes.calls.some((call) => call.startsWith("POST")));
    given.abort(new Error("given up"));
    await assert.rejects(start, /given up/);
    const closing = driver.start("eu", NEVER);
    await Promise.all([assert.rejects(closing, /closes/), driver[Symbol.asyncDispose]()]);
    assert.ok(!driver.owns("game-eu/../x") && !driver.owns("other-1"));
    for (const fleets of [{ eu: "Game" }, { eu: "a/b" }])
      assert.throws(() => setting.create({ fleets }), /is no name that Kubernetes has/);
  });

  it("trusts the cluster's own certificate authority, and nobody else", { skip: openssl.skip }, async () => {
    const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kubernetes";
    const pem = execFileSync(
      openssl.path,
      [...args.split(" "), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"],
      { stdio: ["ignore", "pipe", "ignore"] },
    ).toString();
    const certificate = pem.slice(pem.indexOf("-----BEGIN CERTIFICATE"));
    await using kubernetes = await FakeKubernetes.listen({ key: pem, cert: certificate });
    kubernetes.scale("game-eu", 1);
    const token = async (): Promise<string> => kubernetes.token;
    const name = kubernetes.in("game-eu")[0].name;
    const path = `/apis/agones.dev/v1/namespaces/games/gameservers/${name}`;
    using api = new KubernetesApi({ url: kubernetes.url, ca: certificate, token });
    assert.equal(((await api.call("GET", path)) as { kind: string }).kind, "GameServer");
    using stranger = new KubernetesApi({ url: kubernetes.url, token });
    await assert.rejects(stranger.call("GET", path), /self-signed certificate/);
    using nobody = new KubernetesApi({ url: kubernetes.url, ca: certificate, token: async () => "?" });
    await assert.rejects(nobody.call("GET", path), { name: "KubernetesError", status: 401 });
  });

  it("says that it is in no cluster", async () => {
    await assert.rejects(KubernetesApi.inCluster(), /this process is in no pod/);
  });
});
