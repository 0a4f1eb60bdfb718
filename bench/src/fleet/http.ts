/**
 * Seats over HTTP, from two balancers with an etcd of three members, to players who come one by one; each answer has a copy at
 * the other balancer before it is given. Balancers, etcd's members, nodes and load are processes of their own, all on this
 * machine: beside what goes through, what a balancer computes for one seat says what more processors would give.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { LocalFleet } from "../../../packages/cli/test/fleet/local-fleet.ts";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import type { BenchResult } from "../bench.ts";
import { quantile } from "../statistics.ts";
import type { HttpLoad, HttpLoadReport } from "./http-load-client.ts";

const BALANCERS = 2;
const NODES = 16;
const SEATS = 20_000;
const ASKED_PER_SEC = 2000;
/** Of each balancer. */
const CONNECTIONS = 32;
/** Nodes lend as many seats as went lately: nobody waits in a queue where more come from second to second. */
const WARM_UP_PER_SEC = [100, 400, 1000, 1600];
const WARM_UP_SECONDS = 1.5;
const SECONDS = 5;
/** What a clock tick of /proc is, in ms. */
const TICK_MS = 10;

const NOTHING: BenchResult = { figures: {}, targets: {} };

export async function measureHttp(note: (line: string) => void): Promise<BenchResult> {
  const { skip } = peerOrSkip("etcd");
  if (skip !== false) return { ...NOTHING, details: [`not measured: HTTP allocations, as ${skip}`] };
  await using fleet = await LocalFleet.start({
    balancers: BALANCERS,
    nodes: 1,
    nodesPerProcess: NODES,
    seats: SEATS,
    etcd: true,
  });
  const load = fork(new URL("http-load-client.ts", import.meta.url));
  try {
    await once(load, "message");
    const ports = fleet.balancers.map(({ port }) => port);
    const task = { ports, seconds: SECONDS, connections: CONNECTIONS };
    for (const perSec of WARM_UP_PER_SEC) await run(load, { ...task, seconds: WARM_UP_SECONDS, perSec });
    const before = cpuMs(fleet);
    const fast = await run(load, task);
    const balancerMs = (cpuMs(fleet) - before) / fast.allocated;
    note(`as fast as it goes: ${describe(fast)}, ${balancerMs.toFixed(3)} ms of balancers for each`);
    const steady = await run(load, { ...task, perSec: ASKED_PER_SEC });
    note(`at ${ASKED_PER_SEC} a second: ${describe(steady)}`);
    return {
      figures: {
        http_allocations_per_sec: fast.allocated / fast.seconds,
        http_allocation_p99_ms: quantile(fast.times, 0.99),
        http_allocation_p50_ms: quantile(fast.times, 0.5),
        http_allocation_steady_per_sec: steady.allocated / steady.seconds,
        http_allocation_steady_p99_ms: quantile(steady.times, 0.99),
        http_allocation_steady_p50_ms: quantile(steady.times, 0.5),
        http_allocation_balancer_cpu_ms: balancerMs,
        http_allocations_queued: queued(fast) + queued(steady),
        http_allocations_refused: count(fast) + count(steady) - queued(fast) - queued(steady),
      },
      targets: {},
      floors: { http_allocations_per_sec: ASKED_PER_SEC },
    };
  } finally {
    load.kill();
  }
}

async function run(load: ChildProcess, task: HttpLoad): Promise<HttpLoadReport> {
  const report = once(load, "message");
  load.send(task);
  return ((await report) as [HttpLoadReport])[0];
}

function count({ others }: HttpLoadReport): number {
  return Object.values(others).reduce((sum, n) => sum + n, 0);
}

function queued({ others }: HttpLoadReport): number {
  return others["202"] ?? 0;
}

function describe({ allocated, seconds, others, times }: HttpLoadReport): string {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(times, share).toFixed(1));
  return `${(allocated / seconds).toFixed(0)} a second, p50 ${p50} ms, p99 ${p99} ms, others ${JSON.stringify(others)}`;
}

/** User and system time of all balancers. */
function cpuMs({ balancers }: LocalFleet): number {
  return balancers.reduce((sum, { process: { pid } }) => {
    // proc(5): the name is in parentheses; utime and stime are the 12th and 13th after it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return sum + TICK_MS * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}
