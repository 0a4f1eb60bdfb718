/**
 * 64 bots on native UDP in the arena for 20 s, the server in a process of its own. The bots' process measures what
 * they receive; the server's process measures itself.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Bots } from "@riposte/arena/bots";
import { AGE_BUCKET_MS } from "@riposte/simulation/game";
import type { ServerReport } from "@riposte/arena/server";
import type { Bench } from "./bench.ts";

const BOTS = 64;
const WARM_UP_MS = 4000;
const MEASURE_MS = 20_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const bench: Bench = async (note) => {
  const server = fork(fileURLToPath(import.meta.resolve("@riposte/arena/server")), ["--port", "0"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { url } = (await reply(server, "ready")) as { url: string };
  note(`server at ${url}; ${BOTS} bots join`);
  const bots = new Bots(url, { count: BOTS });
  await bots.start();
  await wait(WARM_UP_MS);

  note(`measuring for ${MEASURE_MS / 1000} s`);
  const before = totals(bots);
  for (const session of bots.sessions) session.stats.game.resetEntityAges();
  const serverBefore = await report(server);
  await wait(MEASURE_MS);
  const serverAfter = await report(server);
  const after = totals(bots);
  // The sums are over sessions: one that ended would take what it had counted with it.
  if (bots.lost > 0 || bots.sessions.length !== BOTS || serverAfter.clients !== BOTS)
    throw new Error(
      `the figures would be wrong: ${bots.lost} sessions were lost, ${bots.sessions.length} bots are left, ${serverAfter.clients} clients`,
    );
  const seconds = (serverAfter.atMs - serverBefore.atMs) / 1000;

  const figures = {
    server_cpu_percent: ((serverAfter.cpuMicros - serverBefore.cpuMicros) / 1e6 / seconds) * 100,
    tick_p99_ms: serverAfter.tickP99Ms,
    tick_cpu_p99_ms: serverAfter.tickCpuP99Ms,
    tick_p50_ms: serverAfter.tickP50Ms,
    ticks_per_sec: (serverAfter.ticks - serverBefore.ticks) / seconds,
    bytes_per_sec_per_client_down: (after.received - before.received) / seconds / BOTS,
    bytes_per_sec_per_client_up: (after.sent - before.sent) / seconds / BOTS,
    entity_age_p99_ms: ageMs(bots, 0.99),
    entity_age_p50_ms: ageMs(bots, 0.5),
    mispredictions_per_min: ((after.mispredictions - before.mispredictions) / seconds / BOTS) * 60,
    clients: serverAfter.clients,
    server_memory_mb: serverAfter.memoryBytes / 1e6,
  };
  await bots.close();
  server.kill("SIGTERM");
  await once(server, "exit");
  return {
    figures,
    targets: {
      server_cpu_percent: 40,
      tick_p99_ms: 4,
      bytes_per_sec_per_client_down: 8000,
      entity_age_p99_ms: 120,
    },
  };
};

function totals(bots: Bots): { received: number; sent: number; mispredictions: number } {
  const sum = { received: 0, sent: 0, mispredictions: 0 };
  for (const { stats } of bots.sessions) {
    sum.received += stats.connection.bytesReceived;
    sum.sent += stats.connection.bytesSent;
    sum.mispredictions += stats.game.mispredictions;
  }
  return sum;
}

/** Over all bots, entities and frames; beyond the link's own delay. */
function ageMs(bots: Bots, fraction: number): number {
  const counts = bots.sessions.map(({ stats }) => stats.game.entityAges);
  const total = counts.flatMap((ages) => [...ages]).reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let bucket = 0; bucket < (counts[0]?.length ?? 0); bucket++) {
    for (const ages of counts) below += ages[bucket];
    if (below >= fraction * total) return (bucket + 1) * AGE_BUCKET_MS;
  }
  return Number.NaN;
}

async function report(server: ChildProcess): Promise<ServerReport> {
  server.send({ report: true });
  return (await reply(server, "report")) as ServerReport;
}

async function reply(child: ChildProcess, key: string): Promise<unknown> {
  for (;;) {
    const [message] = (await once(child, "message")) as [Record<string, unknown>];
    if (key in message) return message[key];
  }
}
