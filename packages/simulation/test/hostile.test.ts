import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GameClient, Match, outgoingMessage } from "@riposte/simulation";
import { game, still } from "./shooting-game.ts";
import { TestNetwork } from "./link.ts";

/** Real traffic of a short game, to be damaged. */
function record(): { up: Uint8Array[]; down: Uint8Array[] } {
  const match = new Match(game);
  const client = new GameClient(game);
  const seat = match.join(1n);
  match.join(2n);
  const up: Uint8Array[] = [];
  const down: Uint8Array[] = [];
  const out = outgoingMessage();
  const buffer = new Uint8Array(1400);
  for (let tick = 0; tick < 60; tick++) {
    match.tick();
    while (match.pollMessage(seat, out)) down.push(out.buffer.slice(out.offset, out.offset + out.length));
    const length = match.writeSnapshot(seat, buffer);
    down.push(buffer.slice(0, length));
    for (const bytes of down.slice(-2)) client.receive(bytes, 0, bytes.length, tick * 16);
    client.advance(tick * 16, { ...still, moveX: Math.sin(tick), fire: tick % 5 === 0 });
    while (client.pollMessage(out)) {
      const bytes = out.buffer.slice(out.offset, out.offset + out.length);
      up.push(bytes);
      match.receive(seat, bytes, 0, bytes.length);
    }
  }
  return { up, down };
}

const traffic = record();

const damaged = (messages: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // The right first byte gets further.
    fc.tuple(fc.integer({ min: 1, max: 7 }), fc.uint8Array({ maxLength: 200 })).map(([kind, rest]) => {
      return Uint8Array.from([kind, ...rest]);
    }),
    fc.tuple(fc.nat(messages.length - 1), fc.nat(4000), fc.nat(4000), fc.nat(7)).map(([which, cut, at, bit]) => {
      const bytes = messages[which].slice(0, 1 + (cut % messages[which].length));
      bytes[at % bytes.length] ^= 1 << bit;
      return bytes;
    }),
    fc.nat(messages.length - 1).map((which) => messages[which]),
  );

describe("hostile bytes", () => {
  it("never make a match throw, and never disturb another player", () => {
    const match = new Match(game);
    const attacker = match.join(1n);
    const victim = match.join(2n);
    const health = match.world.players.firstOwnedBy(victim)?.x;
    assert.ok(health !== undefined);
    let refused = 0;
    fc.assert(
      fc.property(fc.array(damaged(traffic.up), { minLength: 1, maxLength: 5 }), (messages) => {
        for (const bytes of messages) if (!match.receive(attacker, bytes, 0, bytes.length)) refused++;
        match.tick();
        for (const row of match.world.players) {
          assert.ok(Number.isFinite(row.x) && Math.abs(row.x) <= 50);
          assert.ok(Number.isFinite(row.y) && Math.abs(row.y) <= 50);
        }
        assert.equal(match.world.players.firstOwnedBy(victim)?.x, health);
      }),
      { seed: 11, numRuns: 3000 },
    );
    assert.ok(refused > 1000);
    assert.equal(match.seat(attacker)?.stats.malformed, refused);
    assert.equal(match.seat(victim)?.stats.malformed, 0);
  });

  it("never make a client throw, and do not stop it from playing on", () => {
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 40 }, still);
    network.run(1000);
    fc.assert(
      // A forged welcome is the server's word: it is not among what a client can survive unharmed.
      fc.property(damaged(traffic.down.filter((bytes) => bytes[0] !== 1)), (bytes) => {
        if (bytes[0] === 1 || bytes[0] === 2) return;
        player.client.receive(bytes, 0, bytes.length, network.now);
        network.run(2);
      }),
      { seed: 12, numRuns: 1000 },
    );
    player.input = { ...still, moveX: 1 };
    network.run(500);
    player.input = still;
    network.run(500);
    const there = network.match.world.players.firstOwnedBy(player.seat);
    assert.ok((there?.x ?? 0) > 1);
    assert.equal(player.client.world.players.firstOwnedBy(player.seat)?.x, there?.x);
  });

  it("that look like welcomes and snapshots never make a client throw", () => {
    fc.assert(
      fc.property(fc.array(damaged(traffic.down), { maxLength: 40 }), (messages) => {
        const client = new GameClient(game);
        const out = outgoingMessage();
        let now = 0;
        for (const bytes of messages) {
          client.receive(bytes, 0, bytes.length, now);
          client.advance((now += 16), still);
          while (client.pollMessage(out)) assert.ok(out.length > 0);
          for (const row of client.view.players) assert.ok(Math.abs(row.x) <= 51);
        }
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it("with view stamps beyond what was sent are clamped and counted", () => {
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 40 }, { ...still, fire: true });
    network.add({ latencyMs: 40 }, still);
    network.run(1500);
    const stats = network.match.seat(player.seat)?.stats;
    assert.equal(stats?.clampedViews, 0, "an honest client is never clamped");
    // The same client, whose stream of snapshots the server has forgotten: nothing it claims was sent.
    network.match.leave(player.seat);
    network.match.join(player.clientId);
    network.run(30);
    network.run(200);
    assert.ok((network.match.seat(player.seat)?.stats.clampedViews ?? 0) > 0);
  });
});
