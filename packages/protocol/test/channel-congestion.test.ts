/** Each congestion control in real connections: game flows never wait for it, and a transfer uses the link. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BbrCongestionControl, CubicCongestionControl, NewRenoCongestionControl } from "../src/congestion/index.ts";
import type { CongestionControl } from "../src/congestion/index.ts";
import { Pipe, UDP, idOf, pattern } from "./channel-pipe.ts";
import type { LinkConditions } from "./channel-pipe.ts";

const algorithms: Record<string, () => CongestionControl> = {
  newReno: () => new NewRenoCongestionControl(),
  cubic: () => new CubicCongestionControl(),
  bbr: () => new BbrCongestionControl(),
};

for (const [name, make] of Object.entries(algorithms)) {
  const pipeOver = (seed: number, conditions: LinkConditions): Pipe =>
    new Pipe(seed, {
      conditions,
      client: { congestionControl: make },
      server: { congestionControl: make },
    }).open();

  test(`${name}: thirty packets of 200 bytes a second never wait on a clean link`, () => {
    const pipe = pipeOver(1, { latencyMs: 75 });
    pipe.run(500);
    const sentAt = new Map<number, number>();
    pipe.runTicks(30_000, 1000 / 30, (index) => {
      sentAt.set(index, pipe.now);
      pipe.server.connection.send("unreliableUnordered", pattern(index, 200));
      pipe.client.connection.send("unreliableUnordered", pattern(index, 60));
    });
    pipe.run(100);
    assert.equal(pipe.client.received.length, 900);
    for (const { at, bytes } of pipe.client.received) {
      assert.ok(at - (sentAt.get(idOf(bytes)) ?? 0) < 75.01, "arrives after the link's latency alone");
    }
  });

  test(`${name}: a transfer uses a link of 1 MB/s and 60 ms, with game data beside it`, () => {
    const pipe = pipeOver(2, { latencyMs: 30, bytesPerMs: 1000, queueBytes: 60_000 });
    pipe.run(200);
    let ticks = 0;
    pipe.server.connection.send("reliableOrdered", pattern(1, 6_000_000));
    pipe.runTicks(9_000, 1000 / 30, (index) => {
      ticks++;
      pipe.server.connection.send("unreliableOrdered", pattern(index, 400));
      pipe.flush();
      assert.equal(pipe.server.connection.stats.unreliableQueuedBytes, 0, "game data does not wait at the sender");
    });
    assert.equal(pipe.client.of("reliableOrdered").length, 1, "6 MB within 9 s");
    const arrived = pipe.client.of("unreliableOrdered").length;
    assert.ok(arrived > 0.85 * ticks, `${arrived} of ${ticks} arrived`);
  });
}

test("a congestion control that cannot be made changes nothing, then or at the next path", () => {
  const pipe = new Pipe(31, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  assert.throws(() => connection.setCongestionControl(noneToBeHad), /none to be had/);
  assert.equal(connection.stats.congestionControl, "newReno");
  connection.resume(UDP, true, pipe.now);
  connection.send("reliableOrdered", pattern(1, 5_000));
  pipe.run(1_000);
  assert.equal(pipe.client.of("reliableOrdered").length, 1);
});

function noneToBeHad(): never {
  throw new Error("none to be had");
}
