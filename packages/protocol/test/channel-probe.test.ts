/** What a probe carries when nobody has answered for a probe timeout (RFC 9002 section 6.2.4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameReader } from "../src/channel/frame-reader.ts";
import { FRAME_STREAM } from "../src/channel/frames.ts";
import { Pipe, WEBSOCKET, idOf, pattern } from "./channel-pipe.ts";
import type { End } from "./channel-pipe.ts";

const LATENCY_MS = 40;
const MESSAGE_BYTES = 900;
/** Longer than packets sent in one go are paced apart, and shorter than a probe timeout. */
const SILENCE_MS = 50;

interface Chunk {
  readonly at: number;
  readonly offset: number;
}

/** The pieces of the reliable stream that have left, repetitions too. */
function chunks(end: End): Chunk[] {
  const reader = new FrameReader();
  const found: Chunk[] = [];
  for (const { at, bytes } of end.sent) {
    reader.reset(bytes, 0, bytes.length);
    while (reader.next()) if (reader.kind === FRAME_STREAM) found.push({ at, offset: reader.streamOffset });
  }
  return found;
}

/** A connection that knows its round trip, with the client's packets from now on written down. */
function settled(seed: number, carrier = {}): Pipe {
  const pipe = new Pipe(seed, { conditions: { latencyMs: LATENCY_MS }, ...carrier }).open();
  for (let i = 0; i < 20; i++) {
    pipe.client.connection.send("reliableOrdered", pattern(i, 4));
    pipe.run(200);
  }
  pipe.server.received.length = 0;
  pipe.client.keepSent = true;
  return pipe;
}

/** One message in a packet of its own; its chunk's offset. */
function send(pipe: Pipe, id: number): number {
  pipe.client.connection.send("reliableOrdered", pattern(id, MESSAGE_BYTES));
  const before = chunks(pipe.client).length;
  pipe.runUntil(() => chunks(pipe.client).length > before, SILENCE_MS);
  assert.equal(chunks(pipe.client).length, before + 1);
  return chunks(pipe.client)[before].offset;
}

test("a probe repeats the oldest chunk that nobody acknowledged, further probes too, and nothing is called lost", () => {
  const pipe = settled(1);
  const { client, server } = pipe;
  const { stats } = client.connection;
  pipe.setConditions({ latencyMs: LATENCY_MS, lossRate: 1 });
  const oldest = send(pipe, 0);
  send(pipe, 1);
  send(pipe, 2);
  const lastAt = pipe.now;
  pipe.runUntil(() => chunks(client).length > 3, 1000);
  const [probe] = chunks(client).slice(3);
  assert.equal(probe.offset, oldest);
  // Smoothed round trip, four variations and the peer's delay.
  const waited = probe.at - lastAt;
  assert.ok(waited > 2 * LATENCY_MS && waited < 6 * LATENCY_MS, `${waited} ms`);
  // The second timeout sends two probes.
  pipe.runUntil(() => chunks(client).length > 5, 1000);
  const [again, beside] = chunks(client).slice(4);
  assert.deepEqual([again.offset, beside.offset, beside.at - again.at], [oldest, oldest, 0]);
  assert.deepEqual([stats.packetsLost, stats.chunksRetransmitted], [0, 3]);
  // When the link is back, the ACK of a probe shows what was lost; each message arrives once.
  pipe.setConditions({ latencyMs: LATENCY_MS });
  pipe.run(3000);
  assert.deepEqual(server.of("reliableOrdered").map(idOf), [0, 1, 2]);
  assert.equal(stats.reliableQueuedBytes, 0);
});

test("a probe passes over what was acknowledged: the oldest chunk that was not", () => {
  const pipe = settled(2);
  const { client } = pipe;
  send(pipe, 0);
  pipe.setConditions({ latencyMs: LATENCY_MS, lossRate: 1 });
  const oldest = send(pipe, 1);
  send(pipe, 2);
  // What was on the way arrives, and its ACK comes back; then nothing does.
  pipe.setConditions({ latencyMs: LATENCY_MS });
  const { reliableQueuedBytes } = client.connection.stats;
  pipe.runUntil(() => client.connection.stats.reliableQueuedBytes < reliableQueuedBytes, 4 * LATENCY_MS);
  pipe.setConditions({ latencyMs: LATENCY_MS, lossRate: 1 });
  pipe.runUntil(() => chunks(client).length > 3, 1000);
  assert.equal(chunks(client)[3].offset, oldest);
});

test("where new data waits, a probe carries that instead", () => {
  const pipe = settled(3);
  const { client } = pipe;
  pipe.setConditions({ latencyMs: LATENCY_MS, lossRate: 1 });
  // More than the window takes: the rest waits.
  for (let id = 0; id < 40; id++) client.connection.send("reliableOrdered", pattern(id, MESSAGE_BYTES));
  const afterSilence = (): Chunk | undefined =>
    chunks(client).find(({ at }, i, all) => i > 0 && at - all[i - 1].at > SILENCE_MS);
  pipe.runUntil(() => afterSilence() !== undefined, 2000);
  const probe = afterSilence();
  assert.ok(
    probe !== undefined && client.connection.stats.bytesInFlight >= client.connection.stats.congestionWindowBytes,
  );
  const before = chunks(client).filter(({ at }) => at < probe.at);
  assert.ok(
    before.every(({ offset }) => offset < probe.offset),
    "it goes on where the window stopped",
  );
  assert.equal(client.connection.stats.chunksRetransmitted, 0);
});

test("on a carrier that loses nothing a probe repeats nothing", () => {
  const pipe = settled(4, { carrier: WEBSOCKET });
  const { client } = pipe;
  pipe.setConditions({ latencyMs: LATENCY_MS, lossRate: 1 });
  for (let id = 0; id < 3; id++) send(pipe, id);
  const before = client.sent.length;
  pipe.run(2000);
  assert.ok(client.sent.length > before, "probes went");
  assert.equal(chunks(client).length, 3);
});
