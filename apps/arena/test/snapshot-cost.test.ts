/** What docs/snapshots.md says that snapshots cost, measured on a fight of bots in the arena, without a network. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { SnapshotReceiver, SnapshotStream } from "@riposte/simulation";
import { GameClient, Match, outgoingMessage } from "@riposte/simulation/game";
import { BitReader, BitWriter } from "@riposte/wire";
import { BotMind } from "../src/bot-mind.ts";
import { game } from "../src/game.ts";
import { goalNear } from "../src/navigation.ts";
import { states } from "../src/states.ts";
import { numbers } from "./numbers.ts";

const PLAYERS = 26;
const WARM_UP_TICKS = 300;
const TICKS = 1500;
/** The snapshots that the acknowledgement is behind: the round trip of a usual line. */
const UNDER_WAY = 5;

it("costs about 27 bits to tell of a player who fights, densely coded, and 1.5 kB/s for each client by default", (t) => {
  const match = new Match(game, { seed: 5 });
  const random = numbers();
  const bots = Array.from({ length: PLAYERS }, (_, i) => {
    const mind = new BotMind(0.5, random);
    mind.rally = goalNear(0, 0);
    match.join(BigInt(i + 1));
    return { client: new GameClient(game), mind };
  });
  // One observer hears of everybody, whatever the distance and the budget, from the dense encoder.
  const tables = { players: match.world.players, orbs: match.world.orbs };
  const stream = new SnapshotStream({ tables, clientId: PLAYERS, budgetBytes: 8000 });
  const receiver = new SnapshotReceiver({ definitions: states, clientId: PLAYERS });
  const underWay: number[] = [];
  const buffer = new Uint8Array(8000);
  const out = outgoingMessage();
  const all = { bits: 0, players: 0 };
  const each = { bytes: 0, snapshots: 0, seen: 0 };
  for (let tick = 1; tick <= TICKS; tick++) {
    const now = tick * game.tickMs;
    const counts = tick > WARM_UP_TICKS;
    match.tick();
    bots.forEach(({ client, mind }, seat) => {
      while (match.pollMessage(seat, out)) client.receive(out.buffer, out.offset, out.length, now);
      if (tick % game.snapshotTicks === 0) {
        const length = match.writeSnapshot(seat, buffer);
        client.receive(buffer, 0, length, now);
        if (counts) {
          each.bytes += length;
          each.snapshots++;
          each.seen += client.view.players.count - 1;
        }
      }
      const { players } = client.view;
      client.advance(now, mind.decide(players.mine, players.all(), 1 / game.tickRate));
      while (client.pollMessage(out)) match.receive(seat, out.buffer, out.offset, out.length);
    });
    if (tick % game.snapshotTicks !== 0) continue;
    const writer = new BitWriter().reset(buffer);
    assert.ok(stream.write(tick, 0, 0, writer));
    const { bitLength } = writer;
    underWay.push(receiver.read(new BitReader().reset(buffer, 0, writer.finish())));
    if (underWay.length > UNDER_WAY) stream.acknowledge(underWay.shift() ?? -1);
    if (!counts) continue;
    all.bits += bitLength;
    all.players += match.world.players.count;
  }
  const bits = all.bits / all.players;
  const bytesPerSec = (each.bytes / each.snapshots) * game.snapshotRate;
  const seen = each.seen / each.snapshots;
  t.diagnostic(
    `${bits.toFixed(1)} bits; a client sees ${seen.toFixed(1)} others for ${bytesPerSec.toFixed(0)} bytes a second`,
  );
  assert.ok(bits > 23 && bits < 32, `${bits} bits`);
  assert.ok(bytesPerSec > 1000 && bytesPerSec < 2000, `${bytesPerSec} bytes a second`);
});
