/** Messages, calls, errors and endings of sessions, and the server's own life. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { CallError, connect } from "@riposte/client";
import { defineGame } from "@riposte/simulation/game";
import { listen } from "../src/index.ts";
import type { Client, Server } from "../src/index.ts";
import { Add, Chat, game, idle } from "./game.ts";
import type { Game } from "./game.ts";
import { join, startServer, until } from "./play.ts";
import type { Player } from "./play.ts";

test("typed messages and calls, both ways and over both carriers", async (t) => {
  const server = await startServer(t);
  const heard: string[] = [];
  server.onMessage(Chat, ({ text }, client) => heard.push(`${client.seat}: ${text}`));
  server.onCall(Add, async ({ a, b }) => {
    if (a === 13) throw new Error("unlucky");
    return { sum: a + b };
  });
  const errors: string[] = [];
  server.on("error", ({ during, room }) => errors.push(`${room}/${during}`));
  const ada = await join(t, server);
  const eve = await join(t, server, { carrier: "websocket" });
  for (const { session } of [ada, eve]) {
    assert.equal(session.send(Chat, { text: `hello from ${session.carrier}` }), true);
    assert.deepEqual(await session.call(Add, { a: 2, b: 40 }), { sum: 42 });
    await assert.rejects(
      session.call(Add, { a: 13, b: 1 }),
      (error: unknown) => error instanceof CallError && error.reason === "refused",
    );
  }
  assert.deepEqual(heard, [`${ada.session.seat}: hello from udp`, `${eve.session.seat}: hello from websocket`]);
  assert.equal(errors[0], `/handler of call "add"`);

  const lines: string[] = [];
  ada.session.onMessage(Chat, ({ text }) => lines.push(`ada ${text}`));
  eve.session.onMessage(Chat, ({ text }) => lines.push(`eve ${text}`));
  const off = eve.session.onMessage(Chat, ({ text }) => lines.push(`eve's second ear ${text}`));
  server.room.broadcast(Chat, { text: "to all" });
  await until([ada, eve], "both heard it", () => lines.length === 3);
  off();
  const first = clientOf(server, ada);
  assert.equal(server.room.send(Chat, { text: "to one" }, first), true);
  // What is said later arrives later: by then Eve would have heard what was not for her.
  server.room.broadcast(Chat, { text: "to all again" });
  await until([ada, eve], "both heard the last", () => lines.filter((line) => line.endsWith("again")).length === 2);
  assert.deepEqual(lines.toSorted(), [
    "ada to all",
    "ada to all again",
    "ada to one",
    "eve to all",
    "eve to all again",
    "eve's second ear to all",
  ]);
  await ada.session.close();
  await until([eve], "Ada is gone", () => server.stats.clients === 1);
  assert.equal(server.room.send(Chat, { text: "to nobody" }, first), false);
});

function clientOf(server: Server<Game>, player: Player): Client {
  for (const client of server.room.clients) if (client.seat === player.session.seat) return client;
  return assert.fail("there is no such client");
}

test("the server calls its clients, over both carriers, whether they draw frames or not", async (t) => {
  const server = await startServer(t);
  const ada = await join(t, server);
  const eve = await join(t, server, { carrier: "websocket" });
  const errors: string[] = [];
  for (const player of [ada, eve]) {
    const { session } = player;
    const client = clientOf(server, player);
    await assert.rejects(
      server.room.call(Add, { a: 1, b: 1 }, client),
      (error: unknown) => error instanceof CallError && error.reason === "refused",
      "nobody answers it yet",
    );
    session.on("error", ({ during }) => errors.push(during));
    session.onCall(Add, async ({ a, b }) => {
      if (a === 13) throw new Error("unlucky");
      return { sum: a + b };
    });
    assert.deepEqual(await server.room.call(Add, { a: 2, b: 40 }, client), { sum: 42 });
    await assert.rejects(server.room.call(Add, { a: 13, b: 1 }, client), { reason: "refused" });
    session.onCall(Add, ({ a, b }) => ({ sum: a * b }));
    assert.deepEqual(await server.room.call(Add, { a: 2, b: 40 }, client), { sum: 80 });
    const unanswered = Promise.withResolvers<{ sum: number }>();
    session.onCall(Add, () => unanswered.promise);
    const pending = assert.rejects(server.room.call(Add, { a: 1, b: 1 }, client), { reason: "closed" });
    await session.close();
    await pending;
    await assert.rejects(server.room.call(Add, { a: 1, b: 1 }, client), { reason: "closed" });
  }
  assert.deepEqual(errors, [`handler of call "add"`, `handler of call "add"`]);
});

test("errors of listeners and of game code are reported and nobody is hurt", async (t) => {
  let broken = false;
  const fragile = defineGame({
    ...game,
    messages: [Chat, Add],
    step() {
      if (broken) throw new Error("step is broken");
    },
  });
  const lines: string[] = [];
  await using server = await listen(fragile, { port: 0, publicDir: false, log: (line) => lines.push(line) });
  server.on("joined", () => {
    throw new Error("listener is broken");
  });
  await using session = await connect(fragile, server.url);
  assert.ok(session.seat >= 0);
  assert.match(lines.join("\n"), /listener of "joined".*listener is broken/);
  broken = true;
  const tick = server.room.tick;
  const { promise, resolve } = Promise.withResolvers<string>();
  server.on("error", ({ during }) => resolve(during));
  assert.equal(await promise, "step");
  while (server.room.tick < tick + 5) await new Promise((next) => setTimeout(next, 5));
  assert.equal(server.stats.clients, 1);
  t.diagnostic(`${server.room.stats.errors} errors, ${lines.length} lines logged`);
  assert.ok(server.room.stats.errors >= 4);
  assert.ok(lines.length < 4, "reports are limited");
});

test("a join of the game that throws costs no seat, and the client hears that it was an error", async () => {
  let broken = true;
  const fragile = defineGame({
    ...game,
    messages: [Chat, Add],
    join(world, client) {
      if (broken) throw new Error("join is broken");
      game.join(world, client);
    },
  });
  const lines: string[] = [];
  const options = {
    port: 0,
    publicDir: false,
    match: { maxSeats: 2 },
    log: (line: string) => lines.push(line),
  } as const;
  await using server = await listen(fragile, options);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(connect(fragile, server.url), { code: "internalError", message: /failed to let/ });
  }
  assert.match(lines.join("\n"), /error in join.*join is broken/);
  broken = false;
  await using ada = await connect(fragile, server.url);
  await using eve = await connect(fragile, server.url);
  assert.deepEqual(new Set([ada.seat, eve.seat]), new Set([0, 1]));
});

test("connect says what to do when it cannot", async (t) => {
  const server = await startServer(t, { match: { maxSeats: 1 }, tokenExpireSeconds: 5 });
  const nobody = createServer().listen(0);
  await once(nobody, "listening");
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await once(nobody, "close");
  await assert.rejects(connect(game, `http://localhost:${port}`), {
    name: "NetworkError",
    code: "carrierFailed",
    message: /no game server answers at http:\/\/localhost:\d+: start it/,
  });
  await assert.rejects(connect(game, server.url, { room: "attic" }), { code: "denied", message: /no room "attic"/ });
  const other = defineGame({ ...game, messages: [Chat] });
  await assert.rejects(connect(other, server.url), { code: "schemaMismatch", message: /another version of the game/ });
  // With a token of its own it gets as far as the hello.
  for (const carrier of ["udp", "websocket"] as const) {
    await assert.rejects(connect(other, server.url, { token: server.issueToken(), carrier }), {
      code: "schemaMismatch",
    });
  }
  await assert.rejects(connect(game, server.url, { token: server.issueToken({ room: "attic" }) }), {
    code: "kicked",
    message: /no room "attic"/,
  });
  for (const bad of ["localhost:7777", "seven", "ftp://x"]) await assert.rejects(connect(game, bad), TypeError);
  await assert.rejects(connect(game, server.url, { token: new Uint8Array(10) }), RangeError);
  await assert.rejects(connect(game, server.url, { inputRedundancy: 99 }), RangeError);
  await assert.rejects(connect(game, server.url, { smoothingHalfLifeMs: -1 }), RangeError);
  const forged = server.issueToken().fill(0, 200, 300);
  await assert.rejects(connect(game, server.url, { token: new Uint8Array(2048), carrier: "websocket" }), {
    code: "invalidToken",
  });
  assert.equal(forged.length, 2048);

  await join(t, server);
  await assert.rejects(connect(game, server.url), { code: "serverFull", message: /no seat is free/ });
  await assert.rejects(connect(game, server.url, { token: server.issueToken() }), { code: "serverFull" });
});

test("aborting ends connecting with the signal's reason", async (t) => {
  const server = await startServer(t);
  const reason = new Error("changed my mind");
  await assert.rejects(connect(game, server.url, { signal: AbortSignal.abort(reason) }), reason);
  for (const carrier of ["udp", "websocket"] as const) {
    const controller = new AbortController();
    // A link on which nothing arrives: it would wait for the token's timeout.
    const connecting = connect(game, server.url, {
      signal: controller.signal,
      token: server.issueToken(),
      carrier,
      simulate: { lossRate: 1 },
    });
    setImmediate(() => controller.abort(reason));
    await assert.rejects(connecting, reason);
  }
});

test("advance wants the clock of the page, and says so", async (t) => {
  const server = await startServer(t);
  const { session } = await join(t, server);
  assert.throws(() => session.advance(Date.now(), idle), /performance\.now\(\)/);
  assert.throws(() => session.advance(Number.NaN, idle), RangeError);
  session.advance(performance.now(), idle);
});

test("kicked clients and clients of a closing server hear why", async (t) => {
  const server = await startServer(t);
  const ada = await join(t, server);
  const eve = await join(t, server, { carrier: "websocket" });
  const closed: string[] = [];
  ada.session.on("closed", ({ error }) => closed.push(`ada ${error?.code}`));
  for (const client of server.room.clients) if (client.seat === ada.session.seat) client.kick("be nice");
  const kicked = await ada.session.closed;
  assert.equal(kicked?.code, "kicked");
  assert.match(kicked?.message ?? "", /be nice/);
  assert.deepEqual(closed, ["ada kicked"]);
  // A session that is over does nothing, quietly.
  ada.session.advance(performance.now(), ada.input);
  assert.equal(ada.session.send(Chat, { text: "anybody?" }), false);
  await assert.rejects(ada.session.call(Add, { a: 1, b: 1 }), { reason: "closed" });

  const pending = eve.session.call(Add, { a: 1, b: 1 });
  const outcome = pending.then(
    () => "answered",
    (error: CallError) => error.reason,
  );
  await server.close("maintenance");
  const error = await eve.session.closed;
  assert.equal(error?.code, "closedByPeer");
  assert.match(error?.message ?? "", /maintenance/);
  assert.ok(["refused", "closed"].includes(await outcome));
});

test("a client that sends too much is bounded, then put out; the others play on", async (t) => {
  const server = await startServer(t, { messageLimit: { messagesPerSec: 200, bytesPerSec: 20_000, burstSeconds: 1 } });
  const ada = await join(t, server);
  const mallory = await join(t, server);
  const flood = new Uint8Array(900).fill(3);
  for (let i = 0; i < 100; i++) mallory.session.connection.send("unreliableUnordered", flood);
  await until([ada, mallory], "the flood was limited", () => server.stats.limited > 20);
  assert.equal(server.stats.clients, 2, "unreliable messages are dropped, nobody is put out");
  for (let i = 0; i < 100; i++) mallory.session.connection.send("reliableOrdered", flood);
  await until([ada, mallory], "Mallory is out", () => server.stats.clients === 1);
  assert.equal((await mallory.session.closed)?.code, "kicked");
  const tick = server.room.tick;
  await until([ada], "Ada plays on", () => server.room.tick > tick + 10 && ada.me !== undefined);
  assert.equal(server.stats.loop.skippedTicks, 0);
});

test("a client cannot make the server keep a large message for it", async (t) => {
  const server = await startServer(t);
  const mallory = await join(t, server);
  mallory.session.connection.send("reliableOrdered", new Uint8Array(8 << 20));
  await until([mallory], "Mallory is out", () => server.stats.clients === 0);
  const { bytesReceived } = server.stats.transport.udp;
  assert.ok(bytesReceived < 1 << 18, `the server took ${bytesReceived} bytes`);
});

test("a server may send what it would not take", async (t) => {
  const server = await startServer(t, { limits: { reliableSendBytes: 3_000_000 } });
  const ada = await join(t, server);
  const { connection } = ada.session;
  const map = new Uint8Array(2_500_000);
  const [id] = server.network.connectionIds;
  assert.throws(() => server.network.send(id, new Uint8Array(3_000_001), "reliableOrdered"), RangeError);
  assert.equal(server.network.send(id, map, "reliableOrdered"), "queued");
  await until([ada], "the map is there", () => connection.stats.of("reliableOrdered").bytesReceived >= map.length);
});

test("a client whose messages make no sense is put out", async (t) => {
  const server = await startServer(t);
  const mallory = await join(t, server);
  for (let i = 0; i < 150; i++) {
    const garbage = Uint8Array.from({ length: 1 + (i % 40) }, (_, at) =>
      at === 0 ? i & 7 : (i * 31 + at * 17) & 0xff,
    );
    mallory.session.connection.send("unreliableUnordered", garbage);
  }
  await until([mallory], "Mallory is out", () => server.stats.clients === 0);
  assert.ok(server.stats.malformed >= 100);
});

test("a port in use, by TCP or UDP, gets a clear message and the next number", async (t) => {
  const first = await startServer(t);
  const lines: string[] = [];
  const second = await startServer(t, { port: first.port, log: (line) => lines.push(line) });
  assert.ok(second.port > first.port);
  assert.match(lines[0] ?? "", new RegExp(`port ${first.port} is in use, trying ${first.port + 1}`));
  const blocker = createSocket("udp4");
  blocker.bind(0);
  await once(blocker, "listening");
  t.after(() => blocker.close());
  const third = await startServer(t, { port: blocker.address().port, log: () => undefined });
  assert.ok(third.port > blocker.address().port);
  const player = await join(t, third);
  assert.equal(player.session.carrier, "udp");
});

test("options that cannot work are refused, above all simulation in production", async () => {
  const privateKey = new Uint8Array(32).fill(1);
  const production = { port: 0, environment: "production", privateKey } as const;
  await assert.rejects(listen(game, { ...production, simulate: { latencyMs: 10 } }), TypeError);
  await assert.rejects(listen(game, { port: 0, environment: "production" }), /privateKey is required/);
  await assert.rejects(listen(game, { port: -1 }), RangeError);
  await assert.rejects(listen(game, { port: 0, maxClients: 5000 }), RangeError);
  await assert.rejects(listen(game, { port: 0, privateKey: new Uint8Array(16) }), RangeError);
  await assert.rejects(listen(game, { port: 0, rooms: ["a\nb"] }), RangeError);
  await assert.rejects(listen(game, { signal: AbortSignal.abort(new Error("no")) }), /no/);
  await using server = await listen(game, { ...production, publicDir: false });
  assert.throws(() => server.simulate({ latencyMs: 10 }), TypeError);
  await assert.rejects(connect(game, server.url), { code: "denied", message: /issues no tokens/ });
  await using session = await connect(game, server.url, { token: server.issueToken({ clientId: 77n }) });
  assert.ok(session.seat >= 0);
  assert.deepEqual(
    Array.from(server.room.clients, ({ clientId }) => clientId),
    [77n],
  );
});

test("an aborted signal closes the server, and nothing keeps the process alive", async () => {
  // In a process of its own: it must end by itself.
  const source = `
    import { connect } from "@riposte/client";
    import { listen } from "@riposte/server";
    import { game } from "./game.ts";
    const controller = new AbortController();
    const server = await listen(game, { port: 0, publicDir: false, signal: controller.signal });
    const udp = await connect(game, server.url);
    const ws = await connect(game, server.url, { carrier: "websocket" });
    udp.advance(performance.now(), { up: true, down: false, left: false, right: false, fire: false, aim: 0 });
    await udp.close();
    controller.abort();
    await server.closed;
    const error = await ws.closed;
    console.log("closed", error?.message);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { cwd: import.meta.dirname });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const timer = setTimeout(() => child.kill(), 15_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  const text = Buffer.concat(output).toString();
  assert.equal(code, 0, text);
  assert.match(text, /^closed .*the server was shut down/);
});
