/** What the way to the server does to a session: old tokens, blocked UDP, bad links, plain netcode peers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@riposte/client";
import type { Connection } from "@riposte/protocol/channel";
import { generateConnectToken, nobleCrypto } from "@riposte/protocol/netcode";
import { dialUdp } from "@riposte/transport";
import { listen } from "../src/index.ts";
import { Add, game, idle } from "./game.ts";
import { join, startServer, until } from "./play.ts";

const DEFAULT_PROTOCOL_ID = 0x5249504f53544531n;

test("a token that expired says so, on both carriers", async (t) => {
  const privateKey = new Uint8Array(32).fill(5);
  const server = await startServer(t, { privateKey });
  const token = generateConnectToken({
    protocolId: DEFAULT_PROTOCOL_ID,
    clientId: 5n,
    privateKey,
    serverAddresses: [`127.0.0.1:${server.port}`],
    expireSeconds: 1,
    nowSeconds: Date.now() / 1000 - 100,
    crypto: nobleCrypto((length) => crypto.getRandomValues(new Uint8Array(length))),
  });
  const outcomes = await Promise.allSettled(
    (["udp", "websocket"] as const).map((carrier) => connect(game, server.url, { token, carrier })),
  );
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected");
    assert.equal((outcome.reason as { code?: string }).code, "tokenExpired");
  }
});

test("where UDP gets no answer a Node client falls back to WebSocket, as the same player", async (t) => {
  // The token names a UDP address where nobody is.
  const server = await startServer(t, { publicAddresses: ["127.0.0.1:9"], timeoutSeconds: 1 });
  await assert.rejects(connect(game, server.url, { carrier: "udp" }), { code: "timedOut" });
  const player = await join(t, server);
  assert.equal(player.session.carrier, "websocket");
  await until([player], "it plays", () => player.me !== undefined);
});

test("a given token is enough to fall back where UDP gets no answer, unless the carrier is said or the token is too old", async (t) => {
  const server = await startServer(t, { publicAddresses: ["127.0.0.1:9"], timeoutSeconds: 1, tokenExpireSeconds: 5 });
  const player = await join(t, server, { token: server.issueToken({ clientId: 77n }) });
  assert.equal(player.session.carrier, "websocket");
  await until([player], "it plays", () => player.me !== undefined);
  assert.deepEqual(
    [...server.room.clients].map(({ clientId }) => clientId),
    [77n],
  );
  await assert.rejects(connect(game, server.url, { token: server.issueToken(), carrier: "udp" }), { code: "timedOut" });

  const brief = await startServer(t, { publicAddresses: ["127.0.0.1:9"], timeoutSeconds: 2, tokenExpireSeconds: 1 });
  await assert.rejects(connect(game, brief.url, { token: brief.issueToken() }), { code: "tokenExpired" });
});

test("a bad link, simulated by server or client, is felt and survived", async (t) => {
  const server = await startServer(t);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const udp = await join(t, server, { simulate: { latencyMs: 30, lossRate: 0.1 } });
  const websocket = await join(t, server, { carrier: "websocket", simulate: { latencyMs: 30, lossRate: 0.1 } });
  const all = [udp, websocket];
  const calls = all.flatMap(({ session }) =>
    Array.from({ length: 20 }, (_, i) => session.call(Add, { a: i, b: i }).then(({ sum }) => assert.equal(sum, 2 * i))),
  );
  let answered = false;
  void Promise.all(calls).then(() => (answered = true));
  await until(all, "every call is answered", () => answered);
  for (const { session } of all) {
    assert.ok(session.stats.connection.rttMs > 55, `${session.carrier}: ${session.stats.connection.rttMs} ms`);
    session.simulate(undefined);
  }
  await until(all, "the links are good again", () =>
    all.every(({ session }) => session.stats.connection.latestRttMs < 50),
  );
  server.simulate({ latencyMs: 40 });
  await until(all, "the server's simulator is felt by all", () =>
    all.every(({ session }) => session.stats.connection.latestRttMs > 75),
  );
  server.simulate(undefined);
  udp.input = { ...idle, right: true };
  await until(all, "they play on", () => (websocket.sees(udp.session.seat)?.x ?? 0) > 0.5);
});

test("a plain netcode program talks to the application raw, beside the players", async (t) => {
  const heard: string[] = [];
  const server = await startServer(t, {
    plainPeers: {
      connected: (connection) => heard.push(`connected ${connection.clientId}`),
      message: (connection, buffer, offset, length) => {
        heard.push(Buffer.from(buffer.subarray(offset, offset + length)).toString());
        connection.sendRaw(Buffer.from("pong"));
      },
      disconnected: () => heard.push("disconnected"),
    },
  });
  const player = await join(t, server);
  const { promise: pong, resolve } = Promise.withResolvers<string>();
  const plain = await dialUdp({
    token: server.issueToken({ clientId: 9n }),
    schemaHash: undefined,
    handlers: {
      raw: (_connection: Connection, buffer, offset, length) =>
        resolve(Buffer.from(buffer.subarray(offset, offset + length)).toString()),
    },
  });
  plain.connection.sendRaw(Buffer.from("ping"));
  plain.flush();
  assert.equal(await pong, "pong");
  await plain.close();
  await until([player], "its end is told", () => heard.length === 3);
  assert.deepEqual(heard, ["connected 9", "ping", "disconnected"]);
  assert.equal(server.room.clients.size, 1);
});

function broken(): void {
  throw new Error("handler is broken");
}

test("handlers of plain peers that throw are reported, and the server goes on", async (t) => {
  const lines: string[] = [];
  const server = await startServer(t, {
    plainPeers: { connected: broken, message: broken, disconnected: broken },
    log: (line) => lines.push(line),
  });
  const player = await join(t, server);
  const plain = await dialUdp({ token: server.issueToken(), schemaHash: undefined, handlers: {} });
  plain.connection.sendRaw(Uint8Array.of(1, 2, 3));
  plain.flush();
  await until([player], "the message was reported", () => lines.some((line) => line.includes("message of a plain")));
  await plain.close();
  await until([player], "its end was reported", () => lines.some((line) => line.includes("disconnected of a plain")));
  assert.match(lines[0] ?? "", /error in connected of a plain peer: Error: handler is broken/);
  assert.equal(server.room.clients.size, 1);
});

test("a server that takes no plain peers puts them out", async () => {
  await using server = await listen(game, { port: 0, publicDir: false });
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const plain = await dialUdp({
    token: server.issueToken(),
    schemaHash: undefined,
    handlers: { disconnected: () => resolve() },
  });
  plain.connection.sendRaw(Uint8Array.of(1, 2, 3));
  plain.flush();
  await over;
  await plain.closed;
  assert.equal(server.room.clients.size, 0);
});
