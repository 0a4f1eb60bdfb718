/**
 * A WebSocket that takes nothing: its buffer stops growing at the limit, what waits above it goes stale and is dropped and
 * counted, and afterwards only what is fresh comes. On the server and on the client. Congestion control would hold the
 * packets back long before: here there is none.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import type { CongestionControl } from "@riposte/protocol/congestion";
import { Recorder } from "../../testkit/src/index.ts";
import { closeAll, serve, until } from "./fixture.ts";
import { dialThroughLine } from "./line.ts";

afterEach(closeAll);

const SNAPSHOT_BYTES = 1100;
/** Of a packet around a snapshot, and of the frame around that. */
const PACKET_BYTES = 1300;
/** Far more than the kernel holds for the sockets of a line. */
const SENT_WHILE_BLOCKED = 20_000;
/** `unreliableMaxAgeMs` of a connection. */
const MAX_AGE_MS = 250;

const noCongestionControl: CongestionControl = {
  name: "none",
  windowBytes: Infinity,
  pacingRateBytesPerSec: Infinity,
  pacingIntervalMs: 0,
  onPacketSent() {},
  onPacketAcked() {},
  onPacketLost() {},
  onPacketsLost() {},
  onEcnCongestion() {},
  onSpuriousLoss() {},
  onAckProcessed() {},
};

/** Sends numbered snapshots, as a game would that does not know that nothing passes. */
async function sendBlindly(connection: Connection, flush: () => void, each: () => void): Promise<void> {
  connection.setCongestionControl(() => noCongestionControl);
  const snapshot = new Uint8Array(SNAPSHOT_BYTES);
  for (let i = 0; i < SENT_WHILE_BLOCKED; i += 1) {
    new DataView(snapshot.buffer).setUint32(0, i);
    connection.send("unreliableUnordered", snapshot);
    flush();
    each();
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** After the line was held up: what waited is stale and dropped, what is new flows, and nothing is unaccounted for. */
async function freshAgain(connection: Connection, flush: () => void, resume: () => void, heard: Recorder) {
  const { stats } = connection;
  const [, , lane] = stats.channels;
  assert.ok(lane.droppedFull > 0, "the queue was full: its oldest were dropped");
  const waiting = lane.queuedBytes;
  assert.ok(waiting > 100 * SNAPSHOT_BYTES, `${waiting} bytes wait for the socket`);
  await new Promise((resolve) => setTimeout(resolve, MAX_AGE_MS + 50));
  resume();
  const fresh = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
  await until(() => {
    connection.send("unreliableUnordered", fresh);
    flush();
    return heard.messages.some(({ bytes }) => bytes.length === fresh.length);
  }, "new data flows");
  assert.ok(lane.droppedStale >= Math.floor(waiting / (SNAPSHOT_BYTES + 8)), `${lane.droppedStale} dropped as stale`);
  // WebSockets lose nothing: what did not come was dropped here, and counted.
  await until(
    () => heard.messages.length + lane.droppedFull + lane.droppedStale === lane.messagesSent,
    "all accounted",
  );
}

test("server: a client that does not read gets no more than the limit, and only what is fresh afterwards", async () => {
  const { server, heard } = await serve({ webSocket: { sendBufferBytes: 16_384 } });
  const clientHeard = new Recorder();
  const { line } = await dialThroughLine(server.port, clientHeard);
  await until(() => heard.opened.length === 1, "connected");
  const [connection] = heard.opened;
  line.pause();
  const flush = (): void => server.flush();
  await sendBlindly(connection, flush, () => {});
  const stats = server.stats.webSocket;
  assert.ok(stats !== undefined);
  assert.ok(stats.packetsSent < SENT_WHILE_BLOCKED - 100, `${stats.packetsSent} packets went out`);
  assert.equal(stats.sendOverflowed, 0, "nothing was made that the socket could not hold");
  await freshAgain(connection, flush, () => line.resume(), clientHeard);
  line.cut();
});

test("client: a server that does not read gets no more than the limit, and only what is fresh afterwards", async (t) => {
  const sockets: WebSocket[] = [];
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(url: string | URL) {
      super(url);
      sockets.push(this);
    }
  };
  t.after(() => void (globalThis.WebSocket = Original));
  const { server, heard } = await serve();
  const { line, client } = await dialThroughLine(server.port, new Recorder());
  await until(() => heard.opened.length === 1, "connected");
  line.pause();
  const flush = (): void => client.flush();
  let mostBuffered = 0;
  await sendBlindly(client.connection, flush, () => {
    mostBuffered = Math.max(mostBuffered, sockets[0].bufferedAmount);
  });
  assert.ok(mostBuffered >= 65_536 && mostBuffered < 65_536 + PACKET_BYTES, `${mostBuffered} bytes in its buffer`);
  await freshAgain(client.connection, flush, () => line.resume(), heard);
  line.cut();
});
