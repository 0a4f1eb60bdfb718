/** A game server whose network runs in a thread of its own, over real sockets. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { createCongestionControl } from "@riposte/protocol/congestion";
import type { CongestionControl } from "@riposte/protocol/congestion";
import { listen } from "../src/index.ts";
import { Add, game, idle } from "./game.ts";
import { join, startServer, until } from "./play.ts";

const options = { networkThread: true };

/** A function of the user's own. */
function ownCubic(): CongestionControl {
  return createCongestionControl("cubic");
}

/** The game thread does nothing else meanwhile, as in a long tick. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("clients join by UDP and by WebSocket, play, call, and leave", async (t) => {
  const server = await startServer(t, options);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const left: string[] = [];
  server.on("left", ({ client }) => left.push(client.carrier));
  const players = [await join(t, server), await join(t, server, { carrier: "websocket" }), await join(t, server)];
  await until(players, "everybody sees everybody", () =>
    players.every((player) => players.every((other) => player.sees(other.session.seat) !== undefined)),
  );
  assert.deepEqual(
    Array.from(server.room.clients, ({ carrier }) => carrier),
    ["udp", "websocket", "udp"],
  );
  players[0].input = { ...idle, right: true };
  await until(players, "one walks, and all see it", () =>
    players.every((player) => (player.sees(players[0].session.seat)?.x ?? 0) > 0.5),
  );
  let sum = 0;
  void players[1].session.call(Add, { a: 2, b: 3 }).then((answer) => (sum = answer.sum));
  await until(players, "the call is answered", () => sum === 5);
  assert.deepEqual([...server.network.connectionIds], [1, 2, 3]);
  assert.match(server.network.addressOf(1), /^127\.0\.0\.1:\d+$|^\[::1\]:\d+$/);
  assert.match(server.network.addressOf(2), /^127\.0\.0\.1$|^::1$/);
  await players[2].session.close();
  await until(players.slice(0, 2), "it is gone", () => left.length === 1);
  assert.equal(server.network.status(3), "disconnected");
});

test("a session moves to another port, of two threads", async (t) => {
  const server = await startServer(t, { networkThread: { threads: 2 } });
  const told: string[] = [];
  server.on("migrated", ({ client }) => told.push(client.carrier));
  const player = await join(t, server);
  await until([player], "it is there", () => player.me !== undefined);
  const before = server.network.addressOf(1);
  let moved = false;
  void player.session.migrate().then(() => (moved = true));
  await until([player], "it has moved", () => moved && told.length === 1);
  assert.notEqual(server.network.addressOf(1), before);
  assert.deepEqual(told, ["udp"]);
  await until([player], "its numbers follow", () => server.network.connectionStats(1)?.migrations === 1);
});

test("numbers, quality of service, congestion control and diagnostics reach over", async (t) => {
  const server = await startServer(t, { ...options, congestionControl: "bbr" });
  const { network } = server;
  const player = await join(t, server);
  await until([player], "packets are counted", () => (network.connectionStats(1)?.packetsReceived ?? 0) > 20);
  const stats = network.connectionStats(1);
  assert.ok(stats !== undefined && stats.rttMs > 0 && stats.messagesPerPacket > 0);
  assert.equal(stats.congestionControl, "bbr");
  assert.equal(network.setCongestionControl(1, "cubic"), true);
  await until([player], "another algorithm", () => network.connectionStats(1)?.congestionControl === "cubic");
  assert.throws(() => network.setCongestionControl(1, ownCubic), /by name/);
  assert.deepEqual([network.stats().currentConnections, network.stats().successfulConnections], [1, 1]);
  assert.ok(server.stats.transport.udp.packetsReceived > 20);

  network.setQos("unreliableUnordered", { rateBytesPerSec: 2000 }, 1);
  const before = network.connectionStats(1)?.channels.unreliableUnordered.droppedStale ?? 0;
  await until([player], "the rate limit holds messages back until they are stale", () => {
    network.send(1, new Uint8Array(1000), "unreliableUnordered");
    return (network.connectionStats(1)?.channels.unreliableUnordered.droppedStale ?? 0) > before;
  });
  network.qosOf(1)?.clear("unreliableUnordered");

  server.diagnostics.enable();
  await until([player], "packets are recorded", () => server.diagnostics.recordedConnections === 1);
  for (let i = 0; i < 60; i++) await until([player], "a frame", () => true);
  await until([player], "and some more", () => (network.connectionStats(1)?.packetsReceived ?? 0) > 60);
  const folder = await mkdtemp(joinPath(tmpdir(), "riposte-thread-"));
  t.after(() => rm(folder, { recursive: true }));
  const { files } = await server.diagnostics.dumpReport(folder);
  assert.ok(files.includes("connection-1.sqlog"));
  const packets = (await readFile(joinPath(folder, "connection-1.sqlog"), "utf8")).split("\x1e");
  assert.ok(packets.filter((line) => line.includes("packet_received")).length > 5);
  assert.deepEqual(network.inspectReassembly(1).connections, []);
  assert.equal(network.clearReassembly(), 0);
});

test("a client that is put out hears why, and the server's end is told to all", async (t) => {
  const server = await startServer(t, options);
  const players = [await join(t, server), await join(t, server, { carrier: "websocket" })];
  const ends: (string | undefined)[] = [];
  for (const { session } of players) session.on("closed", ({ error }) => ends.push(error?.message));
  for (const client of server.room.clients) {
    if (client.carrier === "udp") client.kick("for testing");
  }
  await until(players.slice(1), "the first hears it", () => ends.length === 1);
  assert.match(String(ends[0]), /for testing/);
  await server.close("good night");
  await until([], "the other hears it", () => ends.length === 2);
  assert.match(String(ends[1]), /good night/);
});

test("a game thread that stands still keeps its clients", async (t) => {
  const server = await startServer(t, { ...options, timeoutSeconds: 1 });
  const player = await join(t, server);
  await until([player], "it is there", () => player.me !== undefined);
  // The client lives in this thread, too: what counts is that the server's keep-alives and acknowledgements went on.
  for (let i = 0; i < 3; i++) {
    block(600);
    await until([player], "it goes on", () => true);
  }
  assert.equal(server.network.status(1), "connected");
});

test("what cannot go to another thread is said before anything is opened", async () => {
  await assert.rejects(listen(game, { ...options, port: 0, congestionControl: ownCubic }), /chosen by name/);
  await assert.rejects(listen(game, { networkThread: { ringBytes: 1000 }, port: 0 }), RangeError);
});
