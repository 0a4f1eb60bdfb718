/** What only a network thread has: a game that stands still, rings that fill up, a thread that breaks. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { CubicCongestionControl } from "@riposte/protocol/congestion";
import type { ConnectionTrace, GameConnection } from "@riposte/protocol/channel";
import { Recorder } from "../../testkit/src/index.ts";
import { listenNetworkThread } from "../src/index.ts";
import type { GameTransport, ListenTransportOptions, NetworkThreadOptions } from "../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, closeAll, join, tokenFor, until } from "./fixture.ts";

const servers: GameTransport[] = [];

afterEach(async () => {
  await closeAll();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const COMMON = {
  host: "127.0.0.1",
  protocolId: PROTOCOL_ID,
  privateKey: PRIVATE_KEY,
  maxClients: 8,
  schemaHash: SCHEMA,
};

async function serve(
  options: Partial<ListenTransportOptions> = {},
  thread: NetworkThreadOptions = {},
): Promise<{ server: GameTransport; heard: Recorder }> {
  const heard = new Recorder();
  const server = await listenNetworkThread({ ...COMMON, http: false, handlers: heard, ...options }, thread);
  servers.push(server);
  return { server, heard };
}

async function joined(
  served: { server: GameTransport; heard: Recorder },
  clientId = 1,
): Promise<{ connection: GameConnection; client: Awaited<ReturnType<typeof join>> }> {
  const before = served.heard.opened.length;
  const client = await join(served.server.port, clientId);
  await until(() => served.heard.opened.length > before, "the server knows it");
  return { connection: served.heard.opened[before], client };
}

/** Sends `count` reliable messages of `length` bytes from a thread of its own; tells how many bytes were acknowledged. */
function startBulk(t: TestContext, port: number, count: number, length: number): Int32Array {
  const shown = new SharedArrayBuffer(4);
  const worker = new Worker(new URL("children/bulk-client.child.ts", import.meta.url), {
    workerData: { token: tokenFor(port, 77, 30), count, length, shown },
  });
  t.after(() => worker.terminate());
  return new Int32Array(shown);
}

describe("a network thread", () => {
  test("acknowledges while the game thread stands still, and slows the peer down when the ring is full", async (t) => {
    const numbers: number[] = [];
    const { server } = await serve(
      {
        limits: { receiveWindowBytes: 128 * 1024 },
        handlers: {
          message: (_connection, _channel, buffer, offset) =>
            numbers.push(new DataView(buffer.buffer, buffer.byteOffset + offset).getUint32(0)),
        },
      },
      { ringBytes: 2 ** 20 },
    );
    const [count, length] = [1500, 4000];
    const acknowledged = startBulk(t, server.port, count, length);
    await until(() => numbers.length > 0, "the first message");
    const [before, heard] = [Atomics.load(acknowledged, 0), numbers.length];
    // Nothing of this thread runs now. The other two do, until nothing more is acknowledged for a while.
    let last = before;
    for (let quiet = 0, turn = 0; quiet < 200 && turn < 4000; turn++) {
      Atomics.wait(acknowledged, 0, last, 5);
      const now = Atomics.load(acknowledged, 0);
      quiet = now === last ? quiet + 1 : 0;
      last = now;
    }
    assert.equal(numbers.length, heard, "this thread stood still");
    assert.ok(last - before > 256 * 1024, `only ${last - before} bytes were acknowledged`);
    const limit = heard * length + 2 ** 20 + 2 * 128 * 1024;
    assert.ok(last < limit, `${last} bytes were acknowledged, of which the game had read none since ${limit}`);
    assert.ok(last < count * length, "the peer had to wait");
    await until(() => numbers.length === count, "all of it arrives", 20_000);
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, i) => i),
    );
  });

  test("a full queue is said to be full, and when it is half empty again", async () => {
    const drained: GameConnection[] = [];
    const served = await serve({ limits: { reliableSendBytes: 100_000, reliableMessageBytes: 50_000 } });
    served.server.observe({ drained: (connection) => drained.push(connection) });
    const { connection, client } = await joined(served);
    const bytes = new Uint8Array(1000);
    let sent = 0;
    while (connection.send("reliableOrdered", bytes) === "queued") sent++;
    assert.ok(sent >= 98 && sent <= 100, `${sent} messages of 1,000 bytes in 100,000`);
    assert.ok(!connection.canSend("reliableOrdered", 1000));
    assert.equal(connection.stats.sendsRefused, 1);
    served.server.flush();
    await until(() => drained.length === 1, "it has drained");
    assert.equal(drained[0], connection);
    assert.ok(connection.canSend("reliableOrdered", 1000));
    while (connection.send("reliableOrdered", bytes) === "queued") sent++;
    served.server.flush();
    await until(() => client.heard.messages.length === sent, "all of it arrives");
    await until(() => connection.canSend("reliableOrdered", 1000), "acknowledged, it takes more");
    assert.equal(connection.send("reliableOrdered", bytes), "queued");
  });

  test("more than ring and queue hold in one tick: reliable messages are refused, and those that are not all arrive", async () => {
    const served = await serve({ limits: { reliableSendBytes: 4_000_000 } }, { ringBytes: 2 ** 20 });
    const { connection, client } = await joined(served);
    const bytes = new Uint8Array(60_000);
    let queued = 0;
    // How much the thread takes out of the ring meanwhile is its own affair; what is not acknowledged counts here.
    for (let i = 0; i < 100; i++) if (connection.send("reliableOrdered", bytes) === "queued") queued++;
    assert.ok(
      queued >= 14 && queued <= 66,
      `${queued} of 100 messages of 60,000 bytes in a ring of 1 MiB, 4 MB in all`,
    );
    assert.equal(connection.stats.of("reliableOrdered").sendsRefused, 100 - queued);
    for (let i = 0; i < 40; i++) assert.equal(connection.send("unreliableUnordered", bytes), "queued");
    const { droppedFull } = connection.stats.of("unreliableUnordered");
    assert.ok(droppedFull <= 26, `${droppedFull} of 40 were dropped, where 14 fit`);
    served.server.flush();
    await until(
      () => client.heard.messages.filter(({ channel }) => channel === "reliableOrdered").length === queued,
      "the reliable ones arrive",
    );
  });

  test("messages far larger than the ring cross both ways, in their order", async () => {
    const served = await serve({}, { ringBytes: 2 ** 20 });
    const { connection, client } = await joined(served);
    const large = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 7) & 255);
    const lengths = [10, large.length, 20, 300_000, 30];
    for (const length of lengths) {
      assert.equal(connection.send("reliableOrdered", large, 0, length), "queued");
      assert.equal(client.client.connection.send("reliableOrdered", large, 0, length), "queued");
    }
    served.server.flush();
    client.client.flush();
    for (const { messages } of [served.heard, client.heard]) {
      await until(() => messages.length === lengths.length, "all arrive", 20_000);
      assert.deepEqual(
        messages.map(({ bytes }) => bytes.length),
        lengths,
      );
      assert.ok(Buffer.from(messages[1].bytes).equals(large));
    }
  });

  test("the largest unreliable message fits the smallest ring", async () => {
    const served = await serve({}, { ringBytes: 2 ** 20 });
    const { connection, client } = await joined(served);
    const largest = Uint8Array.from({ length: 256 * 1024 }, (_, i) => (i * 7) & 255);
    await until(() => {
      connection.send("unreliableUnordered", largest);
      served.server.flush();
      return client.heard.messages.length > 0;
    }, "it arrives, sooner or later");
    assert.ok(Buffer.from(client.heard.messages[0].bytes).equals(largest));
  });

  test("streams, deadlines and closing keep their order with messages", async () => {
    const served = await serve();
    const { connection, client } = await joined(served);
    connection.send("reliableOrdered", Uint8Array.of(1), 0, 1, { stream: 9 });
    connection.send("unreliableOrdered", Uint8Array.of(2), 0, 1, { deadlineMs: 10_000 });
    connection.finish(77, "that is all");
    assert.equal(connection.state, "finishing");
    assert.equal(connection.send("reliableOrdered", Uint8Array.of(3)), "closed");
    await until(() => client.heard.ended.length === 1, "it hears the end");
    assert.deepEqual(
      [...new Set(client.heard.messages.map(({ bytes }) => bytes[0]))].toSorted((a, b) => a - b),
      [1, 2],
    );
    assert.equal(client.heard.ended[0].error?.closeCode, 77);
    await until(() => served.heard.ended.length === 1, "the server, too");
    assert.equal(served.heard.ended[0].error, undefined);
    assert.equal(connection.state, "closed");
    assert.ok(connection.stats.packetsSent > 0, "the last numbers stay");
  });

  test("traces hear of as many packets a second as they may, the rest is counted", async () => {
    const served = await serve({}, { tracedPacketsPerSec: 40 });
    const { connection, client } = await joined(served);
    const packets: { kind: string; at: number; length: number }[] = [];
    const trace: ConnectionTrace = {
      packetSent: (_number, _buffer, _offset, length, at) => packets.push({ kind: "sent", at, length }),
      packetReceived: (_number, _buffer, _offset, length, at) => packets.push({ kind: "received", at, length }),
      packetLost: () => {},
    };
    const startedAt = performance.now();
    connection.trace = trace;
    const left = (): number => served.server.stats.thread?.tracesLeftOut ?? 0;
    await until(() => {
      client.client.connection.send("unreliableUnordered", new Uint8Array(100));
      client.client.flush();
      return packets.length > 5 && left() > 20;
    }, "some are told, others left out");
    const now = performance.now();
    assert.ok(packets.length <= 10 + (40 * (now - startedAt + 100)) / 1000, `${packets.length} packets`);
    for (const { at } of packets) assert.ok(at > startedAt - 50 && at < now + 50, "in the game thread's time");
  });

  test("a thread that breaks ends every connection, and says so", async () => {
    const failures: Error[] = [];
    const heard = new Recorder();
    const failing = Object.assign(heard, { failed: (error: Error) => failures.push(error) });
    const served = { ...(await serve({ handlers: failing })), heard };
    const { connection } = await joined(served);
    assert.throws(() => served.server.simulate({ latencyMs: -1 }, connection), RangeError, "a mistake breaks nothing");
    breakThread(connection);
    await served.server.closed;
    assert.equal(failures.length, 1);
    assert.match(failures[0].message, /network thread failed/);
    assert.equal(connection.state, "closed");
    assert.equal(heard.ended[0].error?.code, "internalError");
    assert.equal(connection.send("reliableOrdered", Uint8Array.of(1)), "closed");
    await served.server.close();
  });

  test("what cannot cross is refused before a thread is started", async () => {
    const options = { ...COMMON, handlers: new Recorder() };
    await assert.rejects(
      listenNetworkThread({ ...options, congestionControl: () => new CubicCongestionControl() }),
      /TypeError: .*by name/,
    );
    await assert.rejects(listenNetworkThread(options, { ringBytes: 3_000_000 }), RangeError);
    await assert.rejects(listenNetworkThread({ ...options, maxPacketBytes: 99 }), /RangeError: .*maxPacketBytes/);
    const taken = await serve({ http: false });
    await assert.rejects(listenNetworkThread({ ...options, http: false, port: taken.server.port }), {
      name: "PortInUseError",
      protocol: "udp",
    });
    const aborted = AbortSignal.abort(new Error("changed my mind"));
    await assert.rejects(listenNetworkThread({ ...options, signal: aborted }), /changed my mind/);
  });

  test("an abort signal closes it", async () => {
    const controller = new AbortController();
    const served = await serve({ signal: controller.signal });
    const { client } = await joined(served);
    controller.abort();
    await served.server.closed;
    await until(() => client.heard.ended.length === 1, "the client hears goodbye");
  });
});

/** Makes the network thread throw, by a setting that this thread would have refused. */
function breakThread({ qos }: GameConnection): void {
  Object.defineProperty(qos, "overrides", { value: { reliableOrdered: { priority: -1 } } });
  qos.onChange?.();
}
