/** `server.network` of a real server, over real sockets. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { dialUdp } from "@riposte/transport";
import type { ClientTransport } from "@riposte/transport";
import type { DiagnosticReport, DumpedReport, Server, ServerError } from "../src/index.ts";
import { resolveOptions } from "../src/options.ts";
import { game } from "./game.ts";
import type { Game } from "./game.ts";
import { StatusRecorder } from "./network-world.ts";
import { join, startServer, until } from "./play.ts";
import { checkQlog } from "./qlog-schema.ts";

/** No message of the game. */
const HELLO = Uint8Array.of(250, 1, 2);

/** A client that shows which of these came, and its id at the server. */
async function dial(
  t: TestContext,
  server: Server<Game>,
  heard: Uint8Array[] = [],
): Promise<{ client: ClientTransport; id: number }> {
  const before = new Set(server.network.connectionIds);
  const client = await dialUdp({
    token: server.issueToken(),
    schemaHash: game.schemaHash,
    handlers: {
      message: (_connection, channel, buffer, offset, length) => {
        const own = channel === "reliableOrdered" && length === HELLO.length && buffer[offset] === HELLO[0];
        if (own) heard.push(buffer.slice(offset, offset + length));
      },
    },
  });
  t.after(() => client.close());
  let id: number | undefined;
  await until([], "the server has it", () => {
    id = server.network.connectionIds.find((other) => !before.has(other));
    return id !== undefined && server.network.status(id) === "connected";
  });
  return { client, id: id ?? 0 };
}

test("statuses, packets and numbers of players on both carriers", async (t) => {
  const server = await startServer(t);
  const statuses = new StatusRecorder();
  server.network.registerEventListener(statuses);
  let sent = 0;
  let received = 0;
  server.network.registerEventListener({ onPacketSent: () => sent++, onPacketReceived: () => received++ });
  const udp = await join(t, server, { carrier: "udp" });
  const webSocket = await join(t, server, { carrier: "websocket" });
  await until([udp, webSocket], "both play", () => udp.me !== undefined && webSocket.me !== undefined);
  assert.deepEqual(statuses.of(1).slice(0, 2), ["connecting", "connected"]);
  assert.deepEqual(statuses.of(2).slice(0, 2), ["connecting", "connected"]);
  assert.match(server.network.addressOf(1), /^(127\.0\.0\.1|\[::1\]):\d+$/);
  assert.match(server.network.addressOf(2), /127\.0\.0\.1|::1/);
  await until([udp, webSocket], "packets flow, and round trips are measured", () =>
    [1, 2].every((id) => {
      const stats = server.network.connectionStats(id);
      return stats !== undefined && stats.rttMs > 0 && stats.packetsSent > 20 && stats.packetsReceived > 20;
    }),
  );
  const stats = server.network.stats();
  assert.deepEqual([stats.currentConnections, stats.successfulConnections, stats.failedConnections], [2, 2, 0]);
  assert.ok(stats.averageRttMs > 0);
  assert.equal(stats.packetsSent, sent);
  assert.equal(stats.packetsReceived, received);
  assert.equal(server.network.connectionStats(1)?.carrier, "udp");
  assert.equal(server.network.connectionStats(2)?.carrier, "websocket");
  assert.ok(server.network.connectionStats(1)!.channels.unreliableUnordered.messagesSent > 0);
  await udp.session.close();
  await until([webSocket], "it is gone", () => server.network.status(1) === "disconnected");
  assert.equal(server.network.stats().totalConnections, 2);
});

test("messages go out by id, to some or to all, and end with a code", async (t) => {
  const server = await startServer(t);
  const heard: Uint8Array[][] = [[], []];
  const [one, other] = [await dial(t, server, heard[0]), await dial(t, server, heard[1])];
  assert.equal(server.network.send(one.id, HELLO, "reliableOrdered"), "queued");
  await until([], "one has it", () => heard[0].length === 1);
  assert.equal(heard[1].length, 0);
  assert.equal(server.network.broadcast(HELLO, "reliableOrdered").queued, 2);
  await until([], "both have it", () => heard[0].length === 2 && heard[1].length === 1);
  assert.equal(server.network.disconnect(other.id, 7, "enough"), true);
  await other.client.closed;
  assert.equal(other.client.connection.closeError?.closeCode, 7);
});

test("a connection that moves to another port is migrated, and its address is the new one", async (t) => {
  const server = await startServer(t);
  const statuses = new StatusRecorder();
  server.network.registerEventListener(statuses);
  const { client, id } = await dial(t, server);
  const before = server.network.addressOf(id);
  await client.migrate();
  await until([], "the server has moved", () => statuses.of(id).includes("migrated"));
  assert.equal(server.network.status(id), "connected");
  assert.notEqual(server.network.addressOf(id), before);
});

test("congestion control by name for the server, and live for one connection", async (t) => {
  const server = await startServer(t, { congestionControl: "bbr" });
  const { id } = await dial(t, server);
  assert.equal(server.network.connectionStats(id)?.congestionControl, "bbr");
  assert.equal(server.network.connectionStats(id)?.congestionState, "startup");
  server.network.setCongestionControl(id, "cubic");
  assert.equal(server.network.connectionStats(id)?.congestionControl, "cubic");
});

test("a bad link in front of one connection alone is felt there and nowhere else, until it is taken away", async (t) => {
  const server = await startServer(t);
  const [bad, good] = [await dial(t, server), await dial(t, server)];
  const latest = (id: number): number => server.network.connectionStats(id)?.latestRttMs ?? 0;
  server.network.simulateNetworkConditions({ latencyMs: 150 }, bad.id);
  await until([], "it is felt", () => latest(bad.id) > 290);
  assert.ok(server.network.connectionStats(good.id)!.minRttMs < 250);
  server.network.simulateNetworkConditions(undefined, bad.id);
  await until([], "and over", () => latest(bad.id) < 250);
});

test("what a listener throws is an error of the server, told once a second at most", async (t) => {
  const errors: ServerError[] = [];
  const server = await startServer(t);
  server.on("error", (error) => errors.push(error));
  server.network.registerEventListener({
    onPacketSent: () => {
      throw new Error("oops");
    },
  });
  const player = await join(t, server);
  await until([player], "it plays all the same", () => player.me !== undefined);
  await until([player], "it is told", () => errors.length > 0);
  assert.match(errors[0].during, /onPacketSent/);
  assert.match(String(errors[0].error), /oops/);
});

test("a report of a server that is played on: its traces follow the schema, and its loop goes on", async (t) => {
  const server = await startServer(t, { diagnostics: { includeAddresses: true } });
  server.on("error", () => undefined);
  const players = [await join(t, server, { carrier: "udp" }), await join(t, server, { carrier: "websocket" })];
  server.network.simulateNetworkConditions({ lossRate: 0.1 }, 1);
  await until(players, "packets are lost", () => (server.network.connectionStats(1)?.packetsLost ?? 0) > 2);
  server.diagnostics.logEvent("round over", { winner: players[0].session.seat });
  server.network.registerEventListener({
    onConnectionStatusChanged: () => {
      throw new Error("oops");
    },
  });
  await players[1].session.close();
  await until(players.slice(0, 1), "it has left", () => server.network.status(2) === "disconnected");
  const path = await mkdtemp(joinPath(tmpdir(), "riposte-report-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  const dump = server.diagnostics.dumpReport(path);
  let dumped: DumpedReport | undefined;
  void dump.then((result) => (dumped = result));
  await until(players.slice(0, 1), "it is written", () => dumped !== undefined);
  assert.deepEqual(dumped?.files, ["report.md", "report.json", "connection-1.sqlog", "connection-2.sqlog"]);
  for (const id of [1, 2]) {
    const { events } = checkQlog(await readFile(joinPath(path, `connection-${id}.sqlog`), "utf8"));
    assert.equal(events[0].data.ip_version, String(events[0].data.src_ip).includes(":") ? "v6" : "v4");
    assert.match(String(events[0].data.src_ip), /^(127\.0\.0\.1|::1)$/);
    assert.ok(events.some(({ name }) => name === "transport:packet_sent"));
    assert.equal(
      events.some(({ name }) => name === "recovery:packet_lost"),
      id === 1,
      `connection ${id}`,
    );
  }
  const report = JSON.parse(await readFile(joinPath(path, "report.json"), "utf8")) as DiagnosticReport;
  assert.equal(report.eventCounts["round over"], 1);
  assert.equal(report.eventCounts.error, 1, "what listeners throw is an event, too");
  assert.ok((report.sections.server as { loop: { ticks: number } }).loop.ticks > 10);
});

test("the network's options have defaults, and are checked", async (t) => {
  const { network } = resolveOptions({}, 50);
  assert.deepEqual(network.batch, { intervalMs: 20 }, "the length of a tick");
  assert.deepEqual(resolveOptions({ batch: { intervalMs: 0 } }, 50).network.batch, { intervalMs: 0 });
  assert.throws(() => resolveOptions({ batch: { intervalMs: -1 } }, 50), /batch.intervalMs/);
  assert.throws(() => resolveOptions({ congestionControl: "vegas" as "bbr" }, 50), /newReno, cubic, bbr/);
  await assert.rejects(startServer(t, { maxPacketBytes: 100 }), /maxPacketBytes/);
  const server = await startServer(t, {
    qos: { reliableOrdered: { priority: 9 } },
    extensions: { migration: false },
    reassemblyPoolBytes: 1_000_000,
  });
  assert.equal(server.network.qos.of("reliableOrdered").priority, 9);
  assert.equal(server.network.inspectReassembly().limitBytes, 1_000_000);
  const { client } = await dial(t, server);
  await assert.rejects(client.migrate(), { code: "denied" });
});
