/**
 * A flood of bad requests from one network over connections that are kept open, and 2,000 idle or slow connections from
 * others: who else asks is answered in under 50 ms, 99 times in 100, on connections that are open and on new ones.
 *
 * Server, attackers and a control are processes of their own. On a machine of its own the server would not share its
 * processor with the attackers: so it, the control and this process go first, where the system allows it. The control
 * answers the same requests and is not attacked: where it takes 50 ms, other programs keep the processor from all, and the
 * clock says nothing; what the server computed at a stretch, while others waited, counts always.
 */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setPriority } from "node:os";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { FloodBalancerReport } from "./flood-balancer.ts";
import type { FloodReport, FloodTask } from "./flood-clients.ts";

const LIMIT_MS = 50;
const FLOOD_PER_SEC = 5000;
const SLOW_CONNECTIONS = 2000;
const CALM_MS = 2000;
/** Long enough for the 1 % to be more than the first 0.15 s, in which what the flood needs is compiled. */
const FLOOD_MS = 15_000;
const ATTEMPTS = 3;
/** Of the others, at each server; from 4 networks, so that each is under its own limit. */
const ASK_EVERY_MS = 12;
const NETWORKS = 4;

test(
  "a flood from one network and 2,000 slow connections keep nobody else waiting",
  { timeout: 180_000 },
  async (t) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { calm, own, control, report, flood } = await attackOnce(t);
      const perSec = flood.made / flood.seconds;
      const [p99, controlP99] = [at(own, 0.99), at(control, 0.99)];
      t.diagnostic(
        `attempt ${attempt}: ${perSec.toFixed(0)} bad requests a second, ${flood.sent} in all on ${flood.opened} of ${flood.tried} ` +
          `connections, ${flood.answered} answered; ${flood.slow} slow connections, opened ${flood.slowOpened} times; the server ` +
          `held ${report.open}, refused ${report.connectionsRefused} connections and ${report.requestsRefused} requests, ` +
          `disconnected ${report.requestsBlocked}, closed ${report.slow} as slow, and took ` +
          `${((100 * report.cpuMs) / FLOOD_MS).toFixed(0)} % of a core, at a stretch ${report.busyMsP99.toFixed(1)} ms (99 %), ` +
          `${report.busyMsMax.toFixed(1)} ms at most`,
      );
      t.diagnostic(
        `others: p50 ${at(own, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${at(own, 1).toFixed(1)} ms of ${own.length}; ` +
          `before the flood p99 ${at(calm, 0.99).toFixed(1)} ms; a server that is not attacked, at the same time: ` +
          `p50 ${at(control, 0.5).toFixed(1)} ms, p99 ${controlP99.toFixed(1)} ms`,
      );
      // However busy the machine is.
      assert.ok(!own.includes(Infinity), "somebody else was refused");
      assert.ok(
        report.requestsRefused + report.requestsBlocked + report.connectionsRefused > 300,
        "nothing was refused",
      );
      // What is slow is closed after 5 s, and comes again.
      assert.ok(flood.slowOpened > 1.2 * SLOW_CONNECTIONS, `${flood.slowOpened} slow connections`);
      assert.ok(report.busyMsP99 < LIMIT_MS, `computed ${report.busyMsP99.toFixed(1)} ms at a stretch`);
      if (p99 < LIMIT_MS && perSec >= FLOOD_PER_SEC) return;
      const clocks = `p99 ${p99.toFixed(1)} ms, and ${controlP99.toFixed(1)} ms where nobody is attacked`;
      assert.ok(p99 < LIMIT_MS || controlP99 > LIMIT_MS, clocks);
    }
    assert.fail("the machine had too much else to do for attackers or servers: nothing was shown");
  },
);

interface Outcome {
  /** Before the flood, and during it: of the server, and of the one that is not attacked. */
  readonly calm: readonly number[];
  readonly own: readonly number[];
  readonly control: readonly number[];
  readonly report: FloodBalancerReport;
  readonly flood: FloodReport;
}

async function attackOnce(t: TestContext): Promise<Outcome> {
  const [server, port] = await start(t, "flood-balancer.ts");
  const [other, controlPort] = await start(t, "flood-balancer.ts");
  const ports = [port, controlPort];
  // What is compiled on first use is not the flood's fault.
  await ask(ports, 1000);
  const [calm] = await ask(ports, CALM_MS);
  const task: FloodTask = { port, connections: 200, slowConnections: SLOW_CONNECTIONS };
  const [attackers] = await start(t, "flood-clients.ts", JSON.stringify(task));
  for (const pid of [server.pid!, other.pid!, process.pid]) goFirst(t, pid, -10);
  goFirst(t, attackers.pid!, -5);
  await ask(ports, 1000);
  await tell<FloodBalancerReport>(server);
  attackers.send("fire");
  const [own, control] = await ask(ports, FLOOD_MS);
  const report = await tell<FloodBalancerReport>(server);
  const flood = await tell<FloodReport>(attackers);
  server.disconnect();
  other.disconnect();
  return { calm, own, control, report, flood };
}

/** Asks all servers at the same times, for so long; how long each answer took, `Infinity` where it was none. */
async function ask(ports: readonly number[], durationMs: number): Promise<number[][]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const pending: Promise<number>[][] = ports.map(() => []);
  const endAt = performance.now() + durationMs;
  for (let i = 0; performance.now() < endAt; i++) {
    const localAddress = `127.0.${2 + (i % NETWORKS)}.${1 + (i % 3)}`;
    // Every fifth on a new connection.
    for (const [k, port] of ports.entries()) pending[k].push(allocate(port, localAddress, i % 5 === 0 ? false : agent));
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  const took = await Promise.all(pending.map((each) => Promise.all(each)));
  agent.destroy();
  return took.map((each) => each.sort((a, b) => a - b));
}

function allocate(port: number, localAddress: string, agent: Agent | false): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({ key: "0123456789abcdef", clients: [{ clientId: "7" }] });
  const headers = { "content-type": "application/json", "content-length": body.length };
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, localAddress, agent, method: "POST", path: "/v1/allocate", headers };
    request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200 ? performance.now() - startedAt : Infinity));
    })
      .on("error", () => resolve(Infinity))
      .end(body);
  });
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

async function tell<Report>(child: ChildProcess): Promise<Report> {
  const answer = once(child, "message");
  child.send("report");
  return ((await answer) as [Report])[0];
}

function goFirst(t: TestContext, pid: number, priority: number): void {
  try {
    setPriority(pid, priority);
  } catch {
    t.diagnostic("the system lets nobody go first");
  }
}

/** Starts a program beside this file; it says its port when it is ready. */
async function start(t: TestContext, file: string, argument: string = ""): Promise<[ChildProcess, number]> {
  const child = fork(new URL(file, import.meta.url), [argument]);
  t.after(() => child.kill());
  const [port] = (await once(child, "message")) as [number];
  return [child, port];
}
