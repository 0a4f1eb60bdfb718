/** Several network threads on one port. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, test } from "node:test";
import { nodeCrypto } from "@riposte/datapath";
import { NetworkError } from "@riposte/protocol";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import { Recorder } from "../../testkit/src/index.ts";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { WebSocketLink } from "../../client/src/websocket-link.ts";
import { dialUdp, listenNetworkThread } from "../src/index.ts";
import type { ClientTransport, GameTransport, ListenTransportOptions } from "../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, until } from "./fixture.ts";

const THREADS = 3;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function serve(
  options: Partial<ListenTransportOptions> = {},
): Promise<{ server: GameTransport; heard: Recorder }> {
  const heard = new Recorder();
  const server = await listenNetworkThread(
    {
      host: "127.0.0.1",
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 32,
      schemaHash: SCHEMA,
      handlers: heard,
      ...options,
    },
    { threads: THREADS },
  );
  opened.push(server);
  return { server, heard };
}

function tokenOf(port: number, clientId: number, issuedAt = Date.now()): Uint8Array {
  return generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: BigInt(clientId),
    privateKey: PRIVATE_KEY,
    serverAddresses: [`127.0.0.1:${port}`],
    timeoutSeconds: 5,
    userData: writeUserData({ issuedAt }),
    nowSeconds: Date.now() / 1000,
    crypto: nodeCrypto(),
  });
}

async function dial(token: Uint8Array): Promise<{ client: ClientTransport; heard: Recorder }> {
  const heard = new Recorder();
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: heard });
  opened.push(client);
  return { client, heard };
}

/** The thread of a connection, by its seat. */
function threadsOf({ opened: connections }: Recorder): Set<number> {
  return new Set(connections.map(({ index }) => index % THREADS));
}

describe("several network threads", () => {
  test("share the clients of a port, and each client stays with its own wherever it moves", async () => {
    const { server, heard } = await serve();
    const clients = await Promise.all(Array.from({ length: 24 }, (_, i) => dial(tokenOf(server.port, i + 1))));
    await until(() => heard.opened.length === 24, "all are there");
    assert.ok(threadsOf(heard).size >= 2, "more than one thread has clients");
    assert.equal(new Set(heard.opened.map(({ index }) => index)).size, 24, "seats");
    assert.equal(server.endpoint.connections.size, 24);
    await until(() => server.endpoint.clientCount === 24, "counted over all threads");
    for (const connection of heard.opened)
      connection.send("reliableOrdered", Uint8Array.of(Number(connection.clientId)));
    server.flush();
    for (const [i, { heard: own }] of clients.entries()) {
      await until(() => own.messages.length === 1, "each hears its own");
      assert.deepEqual([...own.messages[0].bytes], [i + 1]);
    }
    // Other ports are other sockets to the kernel: many packets come to the wrong thread from now on.
    await Promise.all(clients.map(({ client }) => client.migrate()));
    const moved = (): number => heard.opened.filter(({ stats }) => stats.migrations > 0).length;
    await until(() => moved() === 24, "all have moved");
    for (const { client } of clients) {
      for (let i = 0; i < 20; i++) client.connection.send("reliableOrdered", Uint8Array.of(i));
      client.flush();
    }
    await until(() => heard.messages.length === 24 * 20, "and go on");
    for (const connection of heard.opened) {
      const own = heard.messages.filter((message) => message.connection === connection);
      assert.deepEqual(
        own.map(({ bytes }) => bytes[0]),
        Array.from({ length: 20 }, (_, i) => i),
      );
    }
    await until(() => (server.stats.thread?.passedOn ?? 0) > 24, "some were passed on");
    assert.equal(heard.ended.length, 0);
  });

  test("a session moves to a WebSocket, whose turn is another thread's, and to another one", async () => {
    const { server, heard } = await serve();
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => dial(tokenOf(server.port, i + 1))));
    await until(() => heard.opened.length === 6, "all are there");
    for (const { client } of [...clients, ...clients]) {
      const link = new WebSocketLink(`ws://127.0.0.1:${server.port}/riposte`);
      await link.opened;
      await client.migrateTo(link);
    }
    await until(() => heard.opened.every(({ stats }) => stats.migrations === 2), "all have moved twice");
    for (const connection of heard.opened) {
      assert.equal(connection.carrier.name, "websocket");
      assert.equal(server.addressOf(connection), "127.0.0.1");
    }
    await until(() => server.stats.webSocket?.open === 6, "the sockets that were left are closed");
    for (const { client } of clients) {
      client.connection.send("reliableOrdered", Uint8Array.of(1));
      client.flush();
    }
    await until(() => heard.messages.length === 6, "all are heard");
  });

  test("clients that come by WebSocket take turns", async () => {
    const { server, heard } = await serve();
    for (let i = 1; i <= 6; i++) {
      const options = { token: tokenOf(server.port, i), schemaHash: SCHEMA, handlers: new Recorder() };
      opened.push(await dialWebSocket({ ...options, url: `ws://127.0.0.1:${server.port}/riposte` }));
    }
    await until(() => heard.opened.length === 6, "all are there");
    assert.equal(threadsOf(heard).size, THREADS);
  });

  test("a newer token displaces the older connection, whichever thread it is on", async () => {
    const { server, heard } = await serve();
    const began = Date.now();
    let last: Awaited<ReturnType<typeof dial>> | undefined;
    for (let i = 0; i < 8; i++) {
      const before = last;
      last = await dial(tokenOf(server.port, 5, began + i));
      await until(() => heard.opened.length === i + 1, "it is there");
      if (before === undefined) continue;
      await until(() => before.heard.ended.length === 1, "the older one hears it");
      assert.equal(before.heard.ended[0].error?.code, "displaced");
      await until(() => heard.ended.length === i, "the server, too");
      assert.equal(heard.ended[i - 1].error?.code, "displaced");
    }
    assert.ok(threadsOf(heard).size >= 2, "they were on different threads");
    await until(() => server.endpoint.clientCount === 1, "one is left");
    assert.equal(server.endpoint.connections.size, 1);
    // An older one does not come back in: its own thread does not answer, another one sends it away.
    for (let i = 0; i < 6; i++) {
      const ended = dial(tokenOf(server.port, 5, began - 1000)).then(
        ({ heard: own }) => until(() => own.ended.length === 1, "it is sent away"),
        (error: unknown) => assert.ok(error instanceof NetworkError),
      );
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300))]);
      ended.catch(() => {});
    }
    assert.equal(heard.opened.length, 8);
    assert.equal(last?.client.connection.state, "open");
  });

  test("seats count over all threads", async () => {
    const { server, heard } = await serve({ maxClients: 4 });
    for (let i = 1; i <= 4; i++) await dial(tokenOf(server.port, i));
    await until(() => heard.opened.length === 4, "four are there");
    for (let i = 5; i <= 9; i++) {
      await assert.rejects(dial(tokenOf(server.port, i)), /it is full/);
    }
    assert.equal(heard.opened.length, 4);
  });

  test("a token that one client used is worth nothing to another, on any thread", async () => {
    const { server, heard } = await serve();
    const token = tokenOf(server.port, 1);
    const first = await dial(token);
    await until(() => heard.opened.length === 1, "it is there");
    await first.client.close();
    await until(() => heard.ended.length === 1, "it is gone");
    for (let i = 0; i < 6; i++) {
      const again = dial(token);
      await assert.rejects(Promise.race([again, until(() => false, "no answer", 300)]), /no answer/);
      again.catch(() => {});
    }
    await until(() => server.endpoint.drops.tokenReused >= 6, "counted");
    assert.equal(heard.opened.length, 1);
  });

  test("a port that is taken is said to be, though the sockets could share it", async () => {
    const { server } = await serve({ http: false });
    await assert.rejects(serve({ http: false, port: server.port }), { name: "PortInUseError" });
    const other = createSocket("udp4").bind(0, "127.0.0.1");
    await once(other, "listening");
    await assert.rejects(serve({ http: false, port: other.address().port }), { name: "PortInUseError" });
    other.close();
    await assert.rejects(listenNetworkThread({} as ListenTransportOptions, { threads: 9 }), RangeError);
  });
});
