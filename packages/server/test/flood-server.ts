/**
 * A program, not a test: a game server in a process of its own, that notes when each tick began and how
 * much processor time the process had used by then. Told "begin" it forgets what it has noted, told "report" it reads
 * what has come so far and sends it.
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
  /** Datagrams and messages of WebSockets that came, hostile or not. */
  readonly datagrams: number;
  readonly frames: number;
  /** Of them: dropped by the sockets (malformed, or more than waits to be read), and given to the endpoint. */
  readonly droppedBySockets: number;
  readonly delivered: number;
  /** Of those: dropped by the endpoint, and packets of players. */
  readonly dropped: number;
  readonly packets: number;
  /** The players' messages in them. */
  readonly messages: number;
  readonly clients: number;
  /** Who left, and what went wrong. */
  readonly incidents: readonly string[];
}

const MAX_TICKS = 60 * 120;
const tickAtMs = new Float64Array(MAX_TICKS);
const cpuMs = new Float64Array(MAX_TICKS);
/** What still waits in sockets when the attack is over is read within this time. */
const DRAIN_MS = 500;
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

type Counts = Omit<FloodServerReport, "tickAtMs" | "cpuMs" | "clients" | "incidents">;

function counts(): Counts {
  const { loop, transport, messages } = server.stats;
  const { udp, webSocket, drops } = transport;
  const frames = webSocket ?? { packetsReceived: 0, receiveOverflowed: 0, malformed: 0 };
  let packets = 0;
  for (const { stats } of server.room.clients) packets += stats.packetsReceived;
  return {
    skippedTicks: loop.skippedTicks,
    datagrams: udp.packetsReceived + udp.receiveMalformed + udp.receiveOverflowed,
    frames: frames.packetsReceived + frames.malformed + frames.receiveOverflowed,
    droppedBySockets: udp.receiveMalformed + udp.receiveOverflowed + frames.malformed + frames.receiveOverflowed,
    delivered: udp.packetsReceived + frames.packetsReceived,
    dropped: drops.total,
    packets,
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
  const judged = ticks;
  setTimeout(() => {
    const now = counts();
    const report: FloodServerReport = {
      tickAtMs: Array.from(tickAtMs.subarray(0, judged)),
      cpuMs: Array.from(cpuMs.subarray(0, judged)),
      skippedTicks: now.skippedTicks - before.skippedTicks,
      datagrams: now.datagrams - before.datagrams,
      frames: now.frames - before.frames,
      droppedBySockets: now.droppedBySockets - before.droppedBySockets,
      delivered: now.delivered - before.delivered,
      dropped: now.dropped - before.dropped,
      packets: now.packets - before.packets,
      messages: now.messages - before.messages,
      clients: server.stats.clients,
      incidents,
    };
    process.send?.(report);
  }, DRAIN_MS);
});
process.send?.(server.port);
await once(process, "disconnect");
