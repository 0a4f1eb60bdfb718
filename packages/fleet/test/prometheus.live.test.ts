/**
 * A real Prometheus with our configuration scrapes a real exposition, with the token, and answers every query of the dashboard
 * and every rule: neither names a metric that there is not.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { FleetMetrics } from "../src/metrics/fleet-metrics.ts";
import type { RegionScalingStatus } from "../src/scaling/scaling-decision.ts";
import type { FleetView } from "../src/metrics/load-balancer-stats.ts";

const prometheus = peerOrSkip("prometheus");
const deploy = fileURLToPath(new URL("../../../deploy/", import.meta.url));
const docs = fileURLToPath(new URL("../../../docs/fleet-metrics.md", import.meta.url));
const TOKEN = "a-token-with-fleet-read";
const DEADLINE_MS = 60_000;

interface Answer {
  readonly status: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

test(
  "Prometheus answers every query of the dashboard and of the alerts",
  { skip: prometheus.skip, timeout: 120_000 },
  async (t) => {
    const { metrics, live } = createMetrics();
    const { server, refused } = await serve(t, metrics, live);
    const api = await startPrometheus(t, server);
    const queries = dashboardQueries();
    assert.ok(queries.length >= 30, `${queries.length} queries`);
    const unanswered = new Set(queries);
    for (const end = Date.now() + DEADLINE_MS; unanswered.size > 0 && Date.now() < end; await delay(250)) {
      for (const query of unanswered) if (await isAnswered(api, query)) unanswered.delete(query);
    }
    assert.deepEqual([...unanswered], []);
    assert.equal(refused(), 0);

    const known = await fetchJson<{ data: readonly string[] }>(`${api}/api/v1/label/__name__/values`);
    const alerts = readFileSync(join(deploy, "prometheus/alerts.yml"), "utf8");
    const named = alerts.match(/riposte_fleet_\w+/g) ?? [];
    assert.ok(named.length >= 12);
    const missing = named.filter((name) => !known.data.includes(name));
    assert.deepEqual(missing, []);
    const rules = await fetchJson<{
      data: { groups: readonly { rules: readonly { name: string; health: string }[] }[] };
    }>(`${api}/api/v1/rules`);
    const unhealthy = rules.data.groups.flatMap((group) => group.rules).filter(({ health }) => health === "err");
    assert.deepEqual(unhealthy, []);

    const page = readFileSync(docs, "utf8");
    const ours = new Set(known.data.map((name) => name.replace(/_(?:bucket|sum|count)$/, "")));
    const undocumented = [...ours].filter((name) => name.startsWith("riposte_fleet_") && !page.includes(`\`${name}\``));
    assert.deepEqual(undocumented, [], "every metric is in docs/fleet-metrics.md");
  },
);

function statusOf(region: string): RegionScalingStatus {
  const numbers = { presentNodes: 5, wantedNodes: 7, maxNodes: 9, targetFreeSeats: 100 };
  return { region, ...numbers } as RegionScalingStatus;
}

/** Of a balancer on which a little of everything happens between two scrapes. */
function createMetrics(): { readonly metrics: FleetMetrics; readonly live: () => void } {
  let configVersion = 1;
  const nodes = { starting: 1, ready: 5, full: 1, draining: 1, maintenance: 0, lost: 1 };
  const seats = { capacity: 500, free: 120, used: 380, lent: 30 };
  const region = { nodes, suspectedNodes: 1, seats };
  const view = (): FleetView => ({
    regions: {
      "eu-west": region,
      "us-east": region,
    },
    queueLength: 12,
    store: {
      kind: "etcd",
      status: "connected",
    },
    balancersAlive: 2,
    isLeader: true,
    configVersion,
    scaling: [statusOf("eu-west"), statusOf("us-east")],
  });
  const metrics = new FleetMetrics({ view, includesProcess: true });
  const live = (): void => {
    configVersion++;
    for (const name of ["eu-west", "us-east"]) {
      metrics.notePlacement(name, "composite", "placed");
      metrics.noteLatency(name, 30);
    }
    metrics.scaling.noteDecision({ kind: "start", region: "eu-west", count: 2, reason: "" });
    metrics.scaling.noteDriverError("start");
    metrics.noteRefusal("noMatch");
    metrics.noteClaim("stored");
    metrics.noteHealthChange("suspected");
    metrics.noteStoreError("timeout");
    metrics.noteLocation("city");
    metrics.noteRoute(0.01);
    metrics.noteAllocation(4);
    metrics.noteQueueWait(7000);
  };
  return { metrics, live };
}

async function serve(
  t: TestContext,
  metrics: FleetMetrics,
  live: () => void,
): Promise<{ readonly server: Server; readonly refused: () => number }> {
  let refused = 0;
  const server = createServer((request, response) => {
    if (request.url !== "/metrics" || request.headers.authorization !== `Bearer ${TOKEN}`) {
      refused++;
      response.writeHead(401).end();
      return;
    }
    live();
    void metrics.exposition().then((text) => response.setHeader("content-type", metrics.contentType).end(text));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, refused: () => refused };
}

/** With the files of deploy/, other targets and a shorter interval; resolves to its address. */
async function startPrometheus(t: TestContext, target: Server): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "riposte-prometheus-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(deploy, "prometheus"), folder, { recursive: true });
  const { port } = target.address() as AddressInfo;
  const config = readFileSync(join(folder, "prometheus.yml"), "utf8")
    .replaceAll(/_interval: 15s/g, "_interval: 500ms")
    .replace(/targets: \[.*\]/, `targets: ["127.0.0.1:${port}"]`);
  writeFileSync(join(folder, "prometheus.yml"), config);
  writeFileSync(join(folder, "riposte-fleet.token"), TOKEN);
  const child = spawn(
    prometheus.path,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return `http://${await addressOf(child)}`;
}

/** It says where it listens, and then when it is ready; what it says later must be read too, or it stops. */
async function addressOf(child: ChildProcess): Promise<string> {
  assert.ok(child.stderr !== null);
  const lines = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    let address = "";
    const said: string[] = [];
    lines.on("line", (line) => {
      said.push(line);
      address = /msg="Listening on" address=(\S+)/.exec(line)?.[1] ?? address;
      if (line.includes("Server is ready")) resolve(address);
    });
    child.once("exit", (code) => reject(new Error(`prometheus ended with ${code}: ${said.join("\n")}`)));
  });
}

/** The expressions of panels and annotations, with the variables as Grafana would fill them. */
function dashboardQueries(): readonly string[] {
  const queries: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "expr" && typeof inner === "string") queries.push(inner);
      else visit(inner);
    }
  };
  visit(JSON.parse(readFileSync(join(deploy, "grafana/fleet.json"), "utf8")));
  return queries.map((query) => {
    const filled = query
      .replaceAll("$__rate_interval", "1m")
      .replaceAll("$job", "riposte-fleet")
      .replaceAll("$region", ".+");
    assert.ok(!filled.includes("$"), filled);
    return filled;
  });
}

/** With a number: a quantile of nothing is NaN. */
async function isAnswered(api: string, query: string): Promise<boolean> {
  const answer = await fetchJson<Answer>(`${api}/api/v1/query?query=${encodeURIComponent(query)}`);
  assert.equal(answer.status, "success", `${query}: ${JSON.stringify(answer)}`);
  return answer.data.result.length > 0 && answer.data.result.every(({ value }) => Number.isFinite(Number(value[1])));
}

async function fetchJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  return (await response.json()) as T;
}
