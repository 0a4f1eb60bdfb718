/**
 * What waiting for company buys: a server sends 32 clients a game's traffic (a snapshot at the end of each tick of 60 Hz,
 * small events in between) with different intervals of batching. Packets, bytes and CPU time of the server against how
 * much later an event arrives.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Connection } from "@riposte/protocol/channel";
import { listenTransport } from "@riposte/transport";
import { CLIENTS, PRIVATE_KEY, PROTOCOL_ID, SCHEMA, clock } from "./batching/shared.ts";
import type { Bench } from "./bench.ts";
import { quantile } from "./statistics.ts";

const TICK_MS = 1000 / 60;
const SNAPSHOT_BYTES = 250;
const EVENT_BYTES = 32;
/** One step between two events: each client gets one with this probability, by either channel. */
const EVENT_STEP_MS = 3;
const EVENT_CHANCE = 0.4;
const WARM_UP_MS = 1500;
const MEASURE_MS = 3500;
const INTERVALS = [0, 4, 8, TICK_MS, 33];

interface Measured {
  readonly packetsPerSec: number;
  readonly bytesPerSec: number;
  readonly messagesPerPacket: number;
  readonly fill: number;
  readonly cpuUsPerMessage: number;
  readonly cpuPercent: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

export const bench: Bench = async (note) => {
  const figures: Record<string, number> = {};
  const details = [
    "| interval ms | packets/s | kB/s | messages/packet | fill % | server CPU us/message | server CPU % | event delay p50 ms | p99 ms |",
    "| --: | --: | --: | --: | --: | --: | --: | --: | --: |",
  ];
  for (const intervalMs of INTERVALS) {
    const name = intervalMs === TICK_MS ? "tick" : String(intervalMs);
    note(`batching by ${name === "tick" ? "the tick" : `${name} ms`}`);
    const measured = await measure(intervalMs);
    details.push(row(name, measured));
    figures[`packets_per_sec_${name}`] = measured.packetsPerSec;
    figures[`cpu_us_per_message_${name}`] = measured.cpuUsPerMessage;
    figures[`event_delay_p50_ms_${name}`] = measured.delayP50Ms;
    figures[`event_delay_p99_ms_${name}`] = measured.delayP99Ms;
    figures[`messages_per_packet_${name}`] = measured.messagesPerPacket;
  }
  return { figures, targets: {}, details };
};

async function measure(intervalMs: number): Promise<Measured> {
  const server = await listenTransport({
    host: "127.0.0.1",
    protocolId: PROTOCOL_ID,
    privateKey: PRIVATE_KEY,
    maxClients: CLIENTS,
    schemaHash: SCHEMA,
    http: false,
    handlers: {},
    batch: { intervalMs },
  });
  const child = fork(fileURLToPath(new URL("batching/clients.ts", import.meta.url)), [String(server.port)]);
  await once(child, "message");
  const stop = play(
    () => [...server.endpoint.connections],
    () => server.flush(),
  );
  await wait(WARM_UP_MS);
  child.send("measure");
  const before = totals(server.endpoint.connections);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await wait(MEASURE_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const after = totals(server.endpoint.connections);
  stop();
  child.send("report");
  const [{ delays }] = (await once(child, "message")) as [{ delays: number[] }];
  child.send("end");
  await once(child, "exit");
  await server.close();
  const cpuMicros = user + system;
  const batches = after.batches - before.batches;
  return {
    packetsPerSec: (after.packets - before.packets) / seconds / CLIENTS,
    bytesPerSec: (after.bytes - before.bytes) / seconds / CLIENTS,
    messagesPerPacket: (after.pieces - before.pieces) / batches,
    fill: (after.used - before.used) / (after.capacity - before.capacity),
    cpuUsPerMessage: cpuMicros / (after.messages - before.messages),
    cpuPercent: cpuMicros / 1e4 / seconds,
    delayP50Ms: quantile(delays, 0.5),
    delayP99Ms: quantile(delays, 0.99),
  };
}

function totals(
  connections: Iterable<Connection>,
): Record<"packets" | "bytes" | "messages" | "batches" | "pieces" | "used" | "capacity", number> {
  const sum = { packets: 0, bytes: 0, messages: 0, batches: 0, pieces: 0, used: 0, capacity: 0 };
  for (const { stats } of connections) {
    sum.packets += stats.packetsSent;
    sum.bytes += stats.bytesSent;
    sum.messages += stats.messagesSent;
    sum.batches += stats.batches;
    sum.pieces += stats.batchedMessages;
    sum.used += stats.batchedBytes;
    sum.capacity += stats.batchCapacityBytes;
  }
  return sum;
}

/** Sends a game's traffic until the returned function is called. Snapshots are flushed with their tick; events wait as they are told to. */
function play(connections: () => Connection[], flush: () => void): () => void {
  const snapshot = new Uint8Array(SNAPSHOT_BYTES);
  const event = new Uint8Array(EVENT_BYTES);
  let count = 0;
  const events = setInterval(() => {
    for (const connection of connections()) {
      count = (count * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      if (count / 0x7fff_ffff > EVENT_CHANCE) continue;
      new DataView(event.buffer).setFloat64(0, clock());
      connection.send(count % 2 === 0 ? "reliableOrdered" : "unreliableUnordered", event);
    }
  }, EVENT_STEP_MS);
  let nextAt = performance.now();
  const tick = (): void => {
    new DataView(snapshot.buffer).setFloat64(0, clock());
    for (const connection of connections()) connection.send("unreliableOrdered", snapshot);
    flush();
    nextAt += TICK_MS;
    timer = setTimeout(tick, Math.max(0, nextAt - performance.now()));
  };
  let timer = setTimeout(tick, TICK_MS);
  return () => {
    clearInterval(events);
    clearTimeout(timer);
  };
}

function row(name: string, measured: Measured): string {
  const cells = [
    name,
    measured.packetsPerSec.toFixed(0),
    (measured.bytesPerSec / 1000).toFixed(1),
    measured.messagesPerPacket.toFixed(1),
    (measured.fill * 100).toFixed(0),
    measured.cpuUsPerMessage.toFixed(1),
    measured.cpuPercent.toFixed(0),
    measured.delayP50Ms.toFixed(1),
    measured.delayP99Ms.toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
