/**
 * The short form of the chaos test over a network thread, in real time: bad links that change, clients that move, and a game
 * thread that stands still now and then. In the end every reliable message has come once and in the order of its stream.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@riposte/protocol";
import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { congestionControlFactory } from "@riposte/protocol/congestion";
import { writeUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { nodeCrypto } from "@riposte/datapath";
import { generateConnectToken } from "@riposte/protocol/netcode";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { dialUdp, listenNetworkThread } from "../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, until } from "./fixture.ts";

const CHAOS_MS = 4000;
const STREAMS = 3;
const SEED = 5;

/** What one end of one connection sent and heard on each reliable stream. */
class Ledger {
  readonly sent: number[] = Array.from({ length: STREAMS }, () => 0);
  readonly heard: number[] = Array.from({ length: STREAMS }, () => 0);
  unreliableSent = 0;
  unreliableHeard = 0;
  #newest = -1;

  send(connection: GameConnection, random: Random): void {
    for (let i = random.int(3); i > 0; i--) {
      const stream = random.int(STREAMS);
      const bytes = message(this.sent[stream], random.chance(0.05) ? 20_000 : 4 + random.int(600));
      if (connection.send("reliableOrdered", bytes, 0, bytes.length, { stream }) === "queued") this.sent[stream]++;
    }
    connection.send("unreliableOrdered", message(this.unreliableSent++, 4 + random.int(400)));
  }

  hear(channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number): void {
    const number = new DataView(buffer.buffer, buffer.byteOffset + offset).getUint32(0);
    for (let i = 4; i < length; i++) {
      if (buffer[offset + i] !== ((number + i) & 255)) assert.fail(`byte ${i} of ${length} on ${channel}`);
    }
    if (channel === "reliableOrdered") assert.equal(number, this.heard[stream]++, `stream ${stream}`);
    else {
      assert.ok(number > this.#newest, "never older than the newest");
      this.#newest = number;
      this.unreliableHeard++;
    }
  }
}

function message(number: number, length: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (number + i) & 255);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function draw(random: Random): NetworkConditions {
  return {
    latencyMs: random.int(40),
    jitterMs: random.int(20),
    lossRate: random.next() * 0.2,
    reorderRate: random.next() * 0.2,
    reorderDelayMs: 5 + random.int(30),
    duplicateRate: random.next() * 0.1,
    corruptRate: random.next() * 0.05,
  };
}

test("whatever happens, every reliable message comes once and in order", async () => {
  const random = new Random(SEED);
  const ledgers = new Map<bigint, Ledger>();
  const ledgerOf = (connection: GameConnection): Ledger =>
    ledgers.get(connection.clientId) ?? assert.fail("a stranger");
  const connections = new Map<bigint, GameConnection>();
  await using server = await listenNetworkThread(
    {
      host: "127.0.0.1",
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 8,
      schemaHash: SCHEMA,
      batch: { intervalMs: 16 },
      congestionControl: congestionControlFactory("bbr"),
      limits: { reliableSendBytes: 400_000, receiveWindowBytes: 128 * 1024 },
      handlers: {
        connected: (connection) => void connections.set(connection.clientId, connection),
        message: (connection, channel, buffer, offset, length, stream) =>
          ledgerOf(connection).hear(channel, buffer, offset, length, stream),
      },
    },
    { ringBytes: 2 ** 20 },
  );
  const players = await Promise.all(
    [1, 2, 3, 4].map(async (id) => {
      const ledger = new Ledger();
      ledgers.set(BigInt(id), new Ledger());
      const options = {
        token: generateConnectToken({
          protocolId: PROTOCOL_ID,
          clientId: BigInt(id),
          privateKey: PRIVATE_KEY,
          serverAddresses: [`127.0.0.1:${server.port}`],
          timeoutSeconds: 20,
          userData: writeUserData({}),
          nowSeconds: Date.now() / 1000,
          crypto: nodeCrypto(),
        }),
        schemaHash: SCHEMA,
        handlers: {
          message: (
            _connection: GameConnection,
            channel: Channel,
            buffer: Uint8Array,
            offset: number,
            length: number,
            stream: number,
          ) => ledger.hear(channel, buffer, offset, length, stream),
          disconnected: () => {},
          raw: () => assert.fail("nobody is plain here"),
        },
      };
      const udp = id % 2 === 0 ? await dialUdp(options) : undefined;
      const client = udp ?? (await dialWebSocket({ ...options, url: `ws://127.0.0.1:${server.port}/riposte` }));
      return { id: BigInt(id), udp, client, ledger };
    }),
  );
  await until(() => connections.size === players.length, "all are there");
  const end = performance.now() + CHAOS_MS;
  let changeAt = 0;
  while (performance.now() < end) {
    if (performance.now() >= changeAt) {
      server.simulate(draw(random));
      for (const { client } of players) client.simulate(draw(random));
      for (const { udp } of players) if (udp !== undefined && random.chance(0.4)) void udp.migrate().catch(() => {});
      changeAt = performance.now() + 300 + random.int(500);
    }
    for (const { id, client, ledger } of players) {
      ledger.send(client.connection, random);
      client.flush();
      const connection = connections.get(id);
      if (connection?.state === "open") ledgers.get(id)?.send(connection, random);
    }
    server.flush();
    const still = performance.now() + (random.chance(0.1) ? random.int(60) : 0);
    while (performance.now() < still);
    await new Promise((resolve) => setTimeout(resolve, 5 + random.int(20)));
  }
  server.simulate(undefined);
  for (const { client } of players) client.simulate(undefined);
  for (const { id, client, ledger } of players) {
    const other = ledgers.get(id) ?? assert.fail("nobody we know");
    await until(() => ledger.sent.join() === other.heard.join(), `all of ${id} arrives (seed ${SEED})`, 20_000);
    await until(() => other.sent.join() === ledger.heard.join(), `all to ${id} arrives (seed ${SEED})`, 20_000);
    assert.ok(other.unreliableHeard > 0 && ledger.unreliableHeard > 0);
    await client.close();
  }
  await until(() => server.endpoint.connections.size === 0, "everybody has left");
  await until(
    () => server.endpoint.clientCount === 0 && server.endpoint.reassemblyPool.usedBytes === 0,
    "nothing stays",
  );
});
