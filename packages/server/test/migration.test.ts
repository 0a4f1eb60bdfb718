/** Sessions that change their address or their carrier, over real sockets: a new port, a WebSocket that breaks, UDP that falls silent. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "@riposte/client";
import type { Server } from "../src/index.ts";
import { Add, game, idle } from "./game.ts";
import type { Game } from "./game.ts";
import { Player, join, startServer, until } from "./play.ts";

/** What server and client tell of a session's moves, in order. */
function follow(server: Server<Game>, player: Player): { readonly server: string[]; readonly client: string[] } {
  const told = { server: [] as string[], client: [] as string[] };
  server.on("interrupted", () => told.server.push("interrupted"));
  server.on("migrated", ({ client }) => told.server.push(`migrated to ${client.carrier}`));
  player.session.on("interrupted", () => told.client.push("interrupted"));
  player.session.on("migrated", ({ carrier }) => told.client.push(`migrated to ${carrier}`));
  return told;
}

/** Plays on: the player walks, and the server and it agree on where. */
async function playsOn(server: Server<Game>, player: Player): Promise<void> {
  const start = player.me?.x ?? 0;
  player.input = { ...idle, right: start < 0, left: start >= 0 };
  await until([player], "it walks on", () => Math.abs((player.me?.x ?? start) - start) > 0.5);
  player.input = idle;
  const { seat } = player.session;
  const onServer = (): number => {
    for (const row of server.room.world.players) if (row.owner === seat) return row.x;
    return assert.fail("its entity is gone");
  };
  await until([player], "both agree", () => Math.abs(onServer() - (player.me?.x ?? 0)) < 0.05);
  assert.equal(await callWhilePlaying(player), 5);
}

async function callWhilePlaying(player: Player): Promise<number> {
  let sum = 0;
  void player.session.call(Add, { a: 2, b: 3 }).then((answer) => (sum = answer.sum));
  await until([player], "the call is answered", () => sum !== 0);
  return sum;
}

interface TcpProxy {
  readonly port: number;
  /** How long it holds back what a new connection says. */
  readonly delays: { connectMs: number };
  /** Connections so far. */
  accepted(): number;
  cut(): void;
}

/** A TCP proxy whose connections can all be cut at once. */
async function tcpProxy(t: TestContext, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const delays = { connectMs: 0 };
  let accepted = 0;
  const proxy = createServer((near) => {
    accepted++;
    const far = connectTcp(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    setTimeout(() => near.pipe(far).pipe(near), delays.connectMs).unref();
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    cut();
    proxy.close();
  });
  return { port: (proxy.address() as AddressInfo).port, delays, accepted: () => accepted, cut };
}

/** Carries one client's datagrams until it is muted. */
async function udpProxy(t: TestContext): Promise<{ readonly port: number; serverPort: number; muted: boolean }> {
  const near = createSocket("udp4").bind(0, "127.0.0.1");
  const far = createSocket("udp4").bind(0, "127.0.0.1");
  await Promise.all([once(near, "listening"), once(far, "listening")]);
  t.after(() => {
    near.close();
    far.close();
  });
  const proxy = { port: near.address().port, serverPort: 0, muted: false };
  let client = 0;
  near.on("message", (bytes, { port }) => {
    if (proxy.muted) return;
    client = port;
    far.send(bytes, proxy.serverPort, "127.0.0.1");
  });
  far.on("message", (bytes) => {
    if (!proxy.muted) near.send(bytes, client, "127.0.0.1");
  });
  return proxy;
}

test("a session moves to another port when it is told to, and nobody loses anything", async (t) => {
  const server = await startServer(t);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const player = await join(t, server);
  const other = await join(t, server);
  const told = follow(server, player);
  await until([player, other], "both are there", () => player.me !== undefined && other.me !== undefined);
  let moved = false;
  void player.session.migrate().then(() => (moved = true));
  await until([player, other], "it has moved", () => moved && told.server.length === 1);
  assert.deepEqual(told, { server: ["migrated to udp"], client: ["migrated to udp"] });
  await playsOn(server, player);
  assert.equal(server.room.clients.size, 2);
  assert.equal(player.session.stats.connection.migrations, 1);
});

test("a WebSocket that breaks is replaced by another, and the session goes on", async (t) => {
  const server = await startServer(t);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const proxy = await tcpProxy(t, server.port);
  const session = await connect(game, `http://127.0.0.1:${proxy.port}`, { carrier: "websocket" });
  t.after(() => session.close());
  const player = new Player(session);
  const told = follow(server, player);
  await until([player], "it is there", () => player.me !== undefined);
  const { seat } = session;
  proxy.cut();
  // Asked while there is no way to the server: answered when there is one again.
  const answer = callWhilePlaying(player);
  const moved = "migrated to websocket";
  await until([player], "it has moved", () => told.client.includes(moved) && told.server.includes(moved));
  assert.deepEqual(told.client, ["interrupted", moved]);
  // It need not have heard of the old socket's end before the new one is there.
  assert.deepEqual(
    told.server.filter((event) => event !== "interrupted"),
    [moved],
  );
  assert.equal(await answer, 5);
  await playsOn(server, player);
  assert.deepEqual([session.seat, server.room.clients.size], [seat, 1]);
});

test("of several attempts to come back the session moves to one, however many open", async (t) => {
  const server = await startServer(t);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const proxy = await tcpProxy(t, server.port);
  const session = await connect(game, `http://127.0.0.1:${proxy.port}`, { carrier: "websocket" });
  t.after(() => session.close());
  const player = new Player(session);
  const told = follow(server, player);
  await until([player], "it is there", () => player.me !== undefined);
  // The next attempts begin after 250 and 750 ms, so two or three are on their way when the first opens.
  proxy.delays.connectMs = 900;
  proxy.cut();
  await until([player], "it has moved", () => told.client.length > 1);
  const openedBy = performance.now() + 1500;
  await until([player], "all attempts have opened", () => performance.now() > openedBy);
  assert.deepEqual(told.client, ["interrupted", "migrated to websocket"]);
  await playsOn(server, player);
});

test("an attempt that opens when the old path is well again is not moved to", async (t) => {
  const udp = await udpProxy(t);
  const server = await startServer(t, { publicAddresses: [`127.0.0.1:${udp.port}`] });
  udp.serverPort = server.port;
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const tcp = await tcpProxy(t, server.port);
  const session = await connect(game, `http://127.0.0.1:${tcp.port}`);
  t.after(() => session.close());
  const player = new Player(session);
  await until([player], "it is there", () => player.me !== undefined);
  assert.equal(session.carrier, "udp");
  tcp.delays.connectMs = 1500;
  tcp.cut(); // so that the WebSocket does not take over the connection that asked for the token
  const connections = tcp.accepted();
  udp.muted = true;
  await until([player], "it tries a WebSocket", () => tcp.accepted() > connections);
  udp.muted = false;
  const openedBy = performance.now() + 2000;
  await until([player], "the WebSocket has opened", () => performance.now() > openedBy);
  assert.equal(session.carrier, "udp");
  await playsOn(server, player);
});

test("where UDP falls silent the session goes on by WebSocket", async (t) => {
  const proxy = await udpProxy(t);
  const server = await startServer(t, { publicAddresses: [`127.0.0.1:${proxy.port}`] });
  proxy.serverPort = server.port;
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const player = await join(t, server);
  const told = follow(server, player);
  await until([player], "it is there", () => player.me !== undefined);
  assert.equal(player.session.carrier, "udp");
  proxy.muted = true;
  await until([player], "it has moved", () => told.client.length > 0 && told.server.length > 0);
  assert.deepEqual(told, { server: ["migrated to websocket"], client: ["migrated to websocket"] });
  assert.equal(player.session.carrier, "websocket");
  await playsOn(server, player);
});

test("what nobody resumes ends with the token's timeout, and the seat is kept for who comes back", async (t) => {
  const server = await startServer(t, { timeoutSeconds: 1 });
  const proxy = await tcpProxy(t, server.port);
  const session = await connect(game, `http://127.0.0.1:${proxy.port}`, { carrier: "websocket" });
  const player = new Player(session);
  const told = follow(server, player);
  const left: (string | undefined)[] = [];
  server.on("left", ({ error }) => left.push(error?.code));
  await until([player], "it is there", () => player.me !== undefined);
  const { seat } = session;
  // No new connection gets anywhere.
  proxy.delays.connectMs = 60_000;
  proxy.cut();
  await session.closed;
  await until([], "the server gives it up", () => left.length === 1);
  assert.deepEqual([told.server, left], [["interrupted"], ["timedOut"]]);
  const again = await join(t, server, session.identity === undefined ? {} : { identity: session.identity });
  assert.equal(again.session.seat, seat);
});
