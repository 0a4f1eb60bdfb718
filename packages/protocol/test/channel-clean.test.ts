import assert from "node:assert/strict";
import { test } from "node:test";
import { Pipe, pattern } from "./channel-pipe.ts";

test("three channels deliver on a clean link", () => {
  const pipe = new Pipe(1, { conditions: { latencyMs: 20 } }).open();
  assert.equal(pipe.client.connection.state, "open");
  const sizes = [0, 1, 4, 63, 64, 500, 1150, 1188, 1189, 1200, 5000, 70_000, 262_144];
  for (const [id, size] of sizes.entries()) {
    assert.equal(pipe.client.connection.send("reliableOrdered", pattern(id, size)), "queued");
    assert.equal(pipe.client.connection.send("unreliableOrdered", pattern(id, size)), "queued");
    assert.equal(pipe.server.connection.send("unreliableUnordered", pattern(id, size)), "queued");
    pipe.run(2_000);
  }
  for (const [id, size] of sizes.entries()) {
    assert.deepEqual(pipe.server.of("reliableOrdered")[id], pattern(id, size), `reliable ${size}`);
    assert.deepEqual(pipe.server.of("unreliableOrdered")[id], pattern(id, size), `ordered ${size}`);
    assert.deepEqual(pipe.client.of("unreliableUnordered")[id], pattern(id, size), `unordered ${size}`);
  }
  assert.equal(pipe.server.received.length, 2 * sizes.length);
  assert.equal(pipe.client.received.length, sizes.length);
  assert.equal(pipe.client.connection.stats.packetsLost, 0);
  assert.equal(pipe.client.connection.stats.reliableQueuedBytes, 0);
  assert.ok(Math.abs(pipe.client.connection.stats.rttMs - 40) < 5);
});
