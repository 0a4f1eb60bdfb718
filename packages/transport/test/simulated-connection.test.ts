/** Conditions of one connection alone go where it goes and end with it: no other connection ever gets them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, test } from "node:test";
import { PacketBatch } from "@riposte/datapath";
import type { GameConnection } from "@riposte/protocol/channel";
import { writeUserData } from "@riposte/protocol/netcode";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { Recorder } from "../../testkit/src/index.ts";
import type { ServerTransport } from "../src/index.ts";
import { SimulatedCarrier } from "../src/simulated-carrier.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";

const NOTHING_PASSES = { lossRate: 1 };

afterEach(closeAll);

/** By way of `port`. Its session may move. */
function dial(server: ServerTransport, clientId: number, port: number, schemaHash: Uint8Array = SCHEMA) {
  return dialWebSocket({
    url: `ws://127.0.0.1:${port}/riposte`,
    token: tokenFor(server.port, clientId, 10, writeUserData({})),
    schemaHash,
    handlers: new Recorder(),
    signal: AbortSignal.timeout(4_000),
  });
}

/** A way to the server that can be cut. */
async function cuttable(serverPort: number): Promise<{ readonly port: number; cut(): void }> {
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(serverPort, "127.0.0.1");
    for (const socket of [near, far]) sockets.push(socket.on("error", () => {}));
    near.pipe(far).pipe(near);
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const cut = (): void => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (proxy.address() as AddressInfo).port, cut };
}

test("the next WebSocket in the place of an interrupted one", async () => {
  const { server } = await serve({ webSocket: { maxSockets: 1 } });
  const way = await cuttable(server.port);
  const first = await dial(server, 1, way.port);
  await until(() => server.endpoint.connections.size === 1, "the first is in");
  const [connection] = server.endpoint.connections;
  server.simulate(NOTHING_PASSES, connection);
  way.cut();
  await until(() => connection.interrupted && server.stats.webSocket?.open === 0, "it is interrupted");
  const second = await dial(server, 2, server.port);
  assert.equal(server.endpoint.connections.size, 2);
  await Promise.all([first.close(), second.close()]);
});

test("the next one in the place of one that was refused", async () => {
  const admitted: GameConnection[] = [];
  const rejected: unknown[] = [];
  const { server } = await serve({
    webSocket: { maxSockets: 1 },
    handlers: {
      admitted: (connection) => {
        if (admitted.push(connection) === 1) server.simulate({ latencyMs: 600 }, connection);
      },
      rejected: (connection) => rejected.push(connection),
    },
  });
  const other = SCHEMA.toReversed();
  const refused = dial(server, 1, server.port, other).catch(() => undefined);
  await until(() => admitted.length === 1 && rejected.length === 1, "the first is refused", 10_000);
  await refused;
  await until(() => server.stats.webSocket?.open === 0, "its socket is gone", 10_000);
  const second = await dial(server, 2, server.port);
  second.connection.send("reliableOrdered", Uint8Array.of(1));
  second.flush();
  await until(() => second.connection.stats.rttMs > 0, "its round trip is known");
  const { minRttMs } = second.connection.stats;
  assert.ok(minRttMs < 1_200, `${minRttMs} ms`);
  await second.close();
});

test("conditions that cannot be are refused, and packets pass as before", () => {
  const sent: PacketBatch[] = [];
  const carrier = new SimulatedCarrier({
    seed: 1,
    slotBytes: 2048,
    receive: () => undefined,
    transmit: (batch) => {
      sent.push(batch);
      return batch;
    },
  });
  assert.throws(() => carrier.set({ lossRate: 2 }, 7), /lossRate must be from 0 to 1, not 2/);
  const batch = new PacketBatch(1);
  batch.append(new Uint8Array(10), 0, 10, 7);
  carrier.transmit(batch);
  assert.deepEqual([sent.length, sent[0].path[0]], [1, 7], "as it is, not by way of a simulator");
  carrier.stop();
});
