/**
 * A program, not a test: a game server in a process of its own, that notes when each tick began and how
 * much processor time the process had used by then. Told "begin" it forgets what it has noted, told
 * "report" it sends it.
 */

import { once } from "node:events";
import { defineGame } from "@riposte/simulation/game";
import { listen } from "../src/index.ts";
import { game } from "./game.ts";

export interface FloodServerReport {
  /** When each tick began, and the processor time used by all threads until then. */
  readonly tickAtMs: readonly number[];
  readonly cpuMs: readonly number[];
  readonly skippedTicks: number;
  /** Datagrams that came out of the kernel, hostile or not; and frames of WebSockets. */
  readonly datagrams: number;
  readonly frames: number;
  /** What of that was dropped, and the players' messages that came through it. */
  readonly dropped: number;
  readonly messages: number;
  readonly clients: number;
  /** Who left, and what went wrong. */
  readonly incidents: readonly string[];
}

const MAX_TICKS = 60 * 120;
const tickAtMs = new Float64Array(MAX_TICKS);
const cpuMs = new Float64Array(MAX_TICKS);
let ticks = 0;

const watched = defineGame({
  ...game,
  step(world, inputs) {
    const { user, system } = process.cpuUsage();
    tickAtMs[ticks] = performance.now();
    cpuMs[ticks++] = (user + system) / 1000;
    game.step(world, inputs);
  },
});

const incidents: string[] = [];
await using server = await listen(watched, {
  port: 0,
  publicDir: false,
  privateKey: Uint8Array.from(Buffer.from(process.argv[2] ?? "", "hex")),
});
server.on("left", ({ client, error }) => incidents.push(`seat ${client.seat} left: ${error?.message}`));
server.on("error", ({ during, error }) => incidents.push(`${during}: ${String(error)}`));

type Counts = Pick<FloodServerReport, "skippedTicks" | "datagrams" | "frames" | "dropped" | "messages">;

function counts(): Counts {
  const { loop, transport, messages } = server.stats;
  const { packetsReceived, receiveMalformed, receiveOverflowed } = transport.udp;
  return {
    skippedTicks: loop.skippedTicks,
    datagrams: packetsReceived + receiveMalformed + receiveOverflowed,
    frames: transport.webSocket?.packetsReceived ?? 0,
    dropped: transport.drops.total + receiveMalformed + receiveOverflowed,
    messages,
  };
}

let before = counts();

process.on("message", (command) => {
  if (command === "begin") {
    ticks = 0;
    before = counts();
    return;
  }
  const now = counts();
  const report: FloodServerReport = {
    tickAtMs: Array.from(tickAtMs.subarray(0, ticks)),
    cpuMs: Array.from(cpuMs.subarray(0, ticks)),
    skippedTicks: now.skippedTicks - before.skippedTicks,
    datagrams: now.datagrams - before.datagrams,
    frames: now.frames - before.frames,
    dropped: now.dropped - before.dropped,
    messages: now.messages - before.messages,
    clients: server.stats.clients,
    incidents,
  };
  process.send?.(report);
});
process.send?.(server.port);
await once(process, "disconnect");
