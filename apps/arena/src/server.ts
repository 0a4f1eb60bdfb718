/**
 * The arena's server: the game, the built client over HTTP, and bots when asked.
 *
 *     node src/server.ts [--port 7777] [--bots 8] [--host 0.0.0.0]
 *
 * A parent process gets `{ ready: { url, port } }`, and `{ report }` when it sends `{ report: true }`.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { listen } from "@riposte/server";
import type { Server } from "@riposte/server";
import { clientDir } from "./build-client.ts";
import { game } from "./game.ts";
import type { ArenaGame } from "./game.ts";

export interface ArenaOptions {
  /** Default 7777; the next free one if it is taken. */
  readonly port?: number;
  readonly host?: string;
}

/** What the benchmark wants to know of the server's process. */
export interface ServerReport {
  /** Microseconds of processor time since the start, user and system. */
  readonly cpuMicros: number;
  readonly atMs: number;
  readonly ticks: number;
  readonly tickP50Ms: number;
  readonly tickP99Ms: number;
  /** CPU time of a tick: what it costs, whoever else has the core. */
  readonly tickCpuP99Ms: number;
  readonly tickMaxMs: number;
  readonly clients: number;
  readonly memoryBytes: number;
}

/** A seat is kept this long: enough to reload the page. */
const GRACE_MS = 4000;

export function openArena(options: ArenaOptions = {}): Promise<Server<ArenaGame>> {
  return listen(game, {
    port: options.port ?? 7777,
    ...(options.host === undefined ? {} : { host: options.host }),
    publicDir: clientDir,
    maxClients: 128,
    createRoomsOnDemand: true,
    match: { maxSeats: 64, reconnectGraceMs: GRACE_MS, debug: process.env.NODE_ENV !== "production" },
  });
}

/** Bots in a process of their own: what they cost is not the server's. */
export function forkBots(url: string, count: number, args: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(new URL("bots.ts", import.meta.url)), [url, "--count", String(count), ...args]);
}

function report(server: Server<ArenaGame>): ServerReport {
  const { user, system } = process.cpuUsage();
  const { loop, clients } = server.stats;
  return {
    cpuMicros: user + system,
    atMs: performance.now(),
    ticks: loop.ticks,
    tickP50Ms: loop.duration.p50Ms,
    tickP99Ms: loop.duration.p99Ms,
    tickCpuP99Ms: loop.cpu.p99Ms,
    tickMaxMs: loop.duration.maxMs,
    clients,
    memoryBytes: process.memoryUsage().rss,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { port: { type: "string" }, bots: { type: "string" }, host: { type: "string" } },
  });
  const server = await openArena({
    ...(values.port === undefined ? {} : { port: Number(values.port) }),
    ...(values.host === undefined ? {} : { host: values.host }),
  });
  const bots = Number(values.bots ?? 0) > 0 ? forkBots(server.url, Number(values.bots)) : undefined;
  const end = (): void => {
    bots?.kill("SIGTERM");
    void server.close("the server is shutting down").then(() => process.exit(0));
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.on("disconnect", end);
  process.on("message", (message: { report?: boolean }) => {
    if (message.report === true) process.send?.({ report: report(server) });
  });
  if (process.send === undefined) console.log(`arena: play at ${server.url}`);
  else process.send({ ready: { url: server.url, port: server.port } });
}
