/** How a connection opens, turns raw, closes, and what a hostile peer can do to it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Connection, NetworkError } from "../src/channel/index.ts";
import { Pipe, WEBSOCKET, pattern } from "./channel-pipe.ts";

const OTHER_SCHEMA = { version: 1 as const, schemaHash: new Uint8Array(8).fill(9) };

const HELLO = { version: 1 as const, schemaHash: new Uint8Array(8) };

test("both sides open, agree on extensions, and stop saying hello", () => {
  const pipe = new Pipe(1, {
    client: { hello: { ...HELLO, extensions: { largePackets: 1472, migration: true } } },
    server: { hello: { ...HELLO, extensions: { largePackets: 8972, migration: 0xfedc_ba98 } } },
    conditions: { latencyMs: 20 },
  });
  assert.equal(pipe.client.connection.state, "hello");
  pipe.open();
  assert.deepEqual(pipe.server.connection.negotiated, { largePackets: 1472, sessionId: 0xfedc_ba98 });
  assert.deepEqual(pipe.client.connection.negotiated, { largePackets: 8972, sessionId: 0xfedc_ba98 });
  pipe.run(100);
  for (const end of [pipe.client, pipe.server]) {
    end.keepSent = true;
    end.connection.send("unreliableOrdered", pattern(1, 10));
  }
  pipe.run(100);
  for (const end of [pipe.client, pipe.server]) {
    assert.ok(end.sent.length > 0);
    for (const { bytes } of end.sent) assert.ok(bytes.length < 26, "no hello in it");
  }
});

test("an extension that one side does not want is not used", () => {
  for (const [client, server] of [
    [{ largePackets: 1472, migration: true as const }, {}],
    [{}, { largePackets: 1472, migration: 7 }],
  ]) {
    const pipe = new Pipe(1, {
      client: { hello: { ...HELLO, extensions: client } },
      server: { hello: { ...HELLO, extensions: server } },
    }).open();
    for (const { connection } of [pipe.client, pipe.server]) {
      assert.deepEqual(connection.negotiated, { largePackets: undefined, sessionId: undefined });
    }
  }
});

test("a client that repeats its hello is answered at once", () => {
  const pipe = new Pipe(1, { conditions: { latencyMs: 10 } });
  pipe.server.conditions = { lossRate: 1 };
  pipe.run(50);
  assert.equal(pipe.server.connection.state, "open");
  pipe.server.conditions = { latencyMs: 10 };
  pipe.run(75);
  assert.equal(pipe.client.connection.state, "open", "100 ms: its second hello, and 20 ms there and back");
});

test("a client that holds its seat and says nothing counts as a plain program", () => {
  const pipe = new Pipe(1, { client: { hello: undefined } });
  pipe.run(9_900);
  assert.equal(pipe.server.connection.state, "hello");
  pipe.run(200);
  assert.equal(pipe.server.connection.state, "raw");
});

test("a connection opens at 50 % loss", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const pipe = new Pipe(seed, { conditions: { latencyMs: 30, lossRate: 0.5 } }).open();
    assert.equal(pipe.client.connection.state, "open", `seed ${seed}`);
    assert.equal(pipe.server.connection.state, "open", `seed ${seed}`);
  }
});

test("messages sent before the hello is done arrive after it", () => {
  const pipe = new Pipe(2, { conditions: { latencyMs: 20 } });
  pipe.client.connection.send("reliableOrdered", pattern(1, 10));
  pipe.server.connection.send("reliableOrdered", pattern(2, 10));
  pipe.run(500);
  assert.deepEqual(pipe.server.of("reliableOrdered"), [pattern(1, 10)]);
  assert.deepEqual(pipe.client.of("reliableOrdered"), [pattern(2, 10)]);
});

test("another schema is refused with a clear error on both sides", () => {
  const pipe = new Pipe(3, { client: { hello: OTHER_SCHEMA }, conditions: { latencyMs: 20 } });
  pipe.run(1_000);
  for (const { connection } of [pipe.client, pipe.server]) {
    assert.equal(connection.state, "closed");
    assert.equal(connection.closeError?.code, "schemaMismatch");
    assert.match(connection.closeError?.message ?? "", /0909090909090909/);
  }
});

test("a peer without hello is raw, both ways", () => {
  const pipe = new Pipe(4, { client: { hello: undefined }, conditions: { latencyMs: 10 } });
  const { client, server } = pipe;
  assert.equal(client.connection.state, "raw");
  assert.equal(client.connection.sendRaw(pattern(1, 1200)), "queued");
  assert.equal(client.connection.sendRaw(pattern(2, 1)), "queued");
  pipe.run(50);
  assert.equal(server.connection.state, "raw");
  assert.deepEqual(server.of("raw"), [pattern(1, 1200), pattern(2, 1)]);
  assert.equal(server.connection.send("reliableOrdered", pattern(1, 5)), "closed");
  assert.equal(server.connection.sendRaw(pattern(3, 700)), "queued");
  pipe.run(50);
  assert.deepEqual(client.of("raw"), [pattern(3, 700)]);
  assert.throws(() => client.connection.sendRaw(pattern(1, 1201)), RangeError);
  assert.throws(() => client.connection.sendRaw(pattern(1, 0)), RangeError);
});

test("a client that expects a Riposte server gives up on a plain one", () => {
  const pipe = new Pipe(5, { server: { hello: undefined } });
  pipe.run(500);
  assert.ok(pipe.server.of("raw").length > 1, "the plain server sees the hellos as payloads");
  pipe.server.connection.sendRaw(Uint8Array.of(0x1d, 0, 0));
  pipe.run(500);
  assert.equal(pipe.client.connection.state, "hello");
  assert.ok(pipe.client.connection.stats.earlyPackets > 0);
  pipe.run(10_000);
  assert.equal(pipe.client.connection.closeError?.code, "versionMismatch");
});

test("close tells the peer code and reason, three times, then is silent", () => {
  const pipe = new Pipe(6, { conditions: { latencyMs: 10 } }).open();
  pipe.run(100);
  pipe.server.connection.send("unreliableOrdered", pattern(1, 5));
  pipe.server.connection.close(42, "round over \u{1f600}");
  assert.equal(pipe.server.connection.state, "closed");
  assert.equal(pipe.server.connection.closeError, undefined);
  assert.equal(pipe.server.connection.send("unreliableOrdered", pattern(1, 5)), "closed");
  const before = pipe.server.sentPackets;
  pipe.run(5_000);
  assert.equal(pipe.server.sentPackets - before, 3);
  const error = pipe.client.connection.closeError;
  assert.ok(error instanceof NetworkError);
  assert.deepEqual([error.code, error.closeCode, error.message], ["closedByPeer", 42, "round over ??"]);
  assert.equal(pipe.client.connection.state, "closed");
  assert.equal(pipe.client.received.length, 0);
});

test("fail gives the peer the same code; abandon gives it nothing", () => {
  for (const code of ["displaced", "kicked", "serverFull", "internalError"] as const) {
    const pipe = new Pipe(7).open();
    pipe.server.connection.fail(new NetworkError(code, "because"));
    pipe.run(100);
    assert.equal(pipe.client.connection.closeError?.code, code);
    assert.match(pipe.client.connection.closeError?.message ?? "", /because/);
  }
  const pipe = new Pipe(8).open();
  pipe.run(100);
  const before = pipe.server.sentPackets;
  pipe.server.connection.abandon(new NetworkError("timedOut", "gone"));
  pipe.run(100);
  assert.equal(pipe.server.sentPackets, before);
  assert.equal(pipe.client.connection.state, "open");
});

test("closing from inside the sink stops delivery at once", () => {
  const pipe = new Pipe(9).open();
  let seen = 0;
  pipe.server.onMessage = () => {
    seen++;
    pipe.server.connection.close();
  };
  for (let id = 0; id < 5; id++) {
    pipe.client.connection.send("reliableOrdered", pattern(id, 20));
    pipe.client.connection.send("unreliableUnordered", pattern(id, 20));
  }
  pipe.run(500);
  assert.equal(seen, 1);
});

test("mistakes of the caller throw; limits answer", () => {
  const pipe = new Pipe(10, { client: { limits: { reliableSendBytes: 5_000, unreliableSendBytes: 3_020 } } }).open();
  const { connection } = pipe.client;
  assert.throws(() => connection.send("reliableOrdered", new Uint8Array(16 * 1024 * 1024 + 1)), RangeError);
  assert.throws(() => connection.send("unreliableOrdered", new Uint8Array(3_021)), RangeError);
  assert.throws(() => connection.send("reliableOrdered", new Uint8Array(10), 5, 6), RangeError);
  assert.throws(() => connection.close(-1), RangeError);
  assert.equal(connection.send("reliableOrdered", pattern(1, 4_000)), "queued");
  assert.equal(connection.send("reliableOrdered", pattern(2, 4_000)), "full");
  assert.equal(connection.stats.sendsRefused, 1);
  for (let id = 0; id < 5; id++) assert.equal(connection.send("unreliableOrdered", pattern(id, 1_000)), "queued");
  assert.equal(connection.stats.droppedFull, 2);
  pipe.run(1_000);
  assert.deepEqual(pipe.server.of("unreliableOrdered"), [pattern(2, 1_000), pattern(3, 1_000), pattern(4, 1_000)]);
  assert.equal(connection.send("reliableOrdered", pattern(2, 4_000)), "queued");
});

test("unreliable messages that a slow carrier left waiting are dropped, reliable ones are not", () => {
  const pipe = new Pipe(11, { carrier: WEBSOCKET }).open();
  const { connection } = pipe.server;
  connection.send("unreliableUnordered", pattern(1, 100));
  connection.send("reliableOrdered", pattern(1, 100));
  // The endpoint does not ask for payloads while the socket is full, but time goes on.
  connection.handleTimeout(pipe.now);
  pipe.now += 300;
  connection.handleTimeout(pipe.now);
  connection.send("unreliableUnordered", pattern(2, 100));
  pipe.run(100);
  assert.deepEqual(pipe.client.of("unreliableUnordered"), [pattern(2, 100)]);
  assert.equal(pipe.client.of("reliableOrdered").length, 1);
  assert.equal(connection.stats.droppedStale, 1);
});

test("a hostile peer cannot make a connection throw or send for ever, and another connection does not notice", () => {
  // Frames that decode, with wild numbers in them.
  const wild = fc
    .nat(2 ** 30 - 1)
    .map((n) => Uint8Array.of(0x80 | (n >>> 24), (n >>> 16) & 255, (n >>> 8) & 255, n & 255));
  const frame = fc.tuple(fc.nat(5), wild, fc.nat(255)).map(([kind, n, last]) => {
    if (kind === 0) return Buffer.from([0x0e, 0, n[0], n[1], n[2], n[3], 1, 0]);
    if (kind === 1) return Buffer.from([0x02, n[0], n[1], n[2], n[3], 0, 0, 0]);
    if (kind === 2) return Buffer.from([0x11, 0, n[0], n[1], n[2], n[3]]);
    if (kind === 3) return Buffer.from([0x40, 0x43, n[0], n[1], n[2], n[3], 2, 7, 7]);
    if (kind === 4) return Buffer.from([0x40, 0x45, n[0], n[1], n[2], n[3], last, last, 1, 7]);
    return Buffer.from([0x01]);
  });
  const payload = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 1200 }),
    fc.array(frame, { minLength: 1, maxLength: 100 }).map((frames) => new Uint8Array(Buffer.concat(frames))),
  );
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 40 }), fc.nat(), (payloads, seed) => {
      const pipe = new Pipe(seed).open();
      pipe.run(50);
      const { connection } = pipe.server;
      const other = new Pipe(seed + 1).open().server.connection;
      for (const [index, bytes] of payloads.entries()) {
        connection.send("unreliableOrdered", pattern(index, 50));
        connection.send("reliableOrdered", pattern(index, 50));
        connection.receivePayload(bytes, 0, bytes.length, 1_000 + index, 0, pipe.now);
        connection.handleTimeout(pipe.now);
        const slot = new Uint8Array(1200);
        let packets = 0;
        while (connection.fillPayload(slot, 0, 1200, pipe.server.packetNumber++, pipe.now) > 0) {
          assert.ok(++packets < 100, "does not send for ever");
        }
        pipe.now += 10;
      }
      if (connection.state === "closed") assert.equal(connection.closeError instanceof NetworkError, true);
      assert.equal(other.state, "open");
    }),
    { seed: 12, numRuns: 150 },
  );
});

test("garbage as a first payload makes a raw peer, never an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      const pipe = new Pipe(1, { client: { hello: undefined } });
      pipe.server.connection.receivePayload(bytes, 0, bytes.length, 0, 0, pipe.now);
      assert.equal(pipe.server.connection.state, "raw");
      assert.deepEqual(pipe.server.of("raw"), [bytes]);
    }),
    { seed: 13, numRuns: 200 },
  );
});

test("keep-alives between packets do not disturb acknowledgements", () => {
  const pipe = new Pipe(14, { conditions: { latencyMs: 10 } }).open();
  for (let id = 0; id < 300; id++) {
    pipe.client.packetNumber += 1 + (id % 3); // numbers that netcode's keep-alives took
    pipe.client.connection.send("reliableOrdered", pattern(id, 20));
    pipe.run(40);
  }
  assert.equal(pipe.server.of("reliableOrdered").length, 300);
  assert.equal(pipe.client.connection.stats.packetsLost, 0);
  assert.equal(pipe.client.connection.stats.chunksRetransmitted, 0);
});

test("a Connection demands a schema hash of 8 bytes", () => {
  const sink = { message: () => undefined, raw: () => undefined };
  const owner = { wake: () => undefined };
  const hello = { version: 1 as const, schemaHash: new Uint8Array(7) };
  assert.throws(
    () => new Connection({ role: "client", carrier: WEBSOCKET, hello, sink, owner, now: 0 }),
    /schemaHash must be 8 bytes/,
  );
});
