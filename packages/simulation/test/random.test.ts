/** Random numbers of entities: the same for the server and the owner's client, and for nobody else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, uint } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

/** What was drawn, as `side tick owner bits`. */
const drawn: string[] = [];

const spread = defineGame({
  tickRate: 60,
  states: { players: defineState({ last: uint({ bits: 31 }) }) },
  input: defineInput({ fire: bool() }),
  join(world, client) {
    world.players.spawn(client.id);
  },
  step(world) {
    for (const player of world.players) {
      const bits = world.randomOf(player).bits();
      assert.equal(world.randomOf(player).bits(), bits, "from the beginning at each call");
      player.last = bits >>> 1;
      if (!world.isReplay) drawn.push(`${world.isServer ? "server" : "client"} ${world.tick} ${player.owner} ${bits}`);
    }
  },
});

const link = { latencyMs: 60 };

/** What is drawn for the first player of a match with this entropy. */
function bitsOf(fill: number): number {
  const network = new TestNetwork(spread, { seed: 3, entropy: (length) => new Uint8Array(length).fill(fill) });
  network.add(link, { fire: false });
  network.run(100);
  const { world } = network.match;
  return world.randomOf(world.players.firstOwnedBy(0) ?? assert.fail()).bits();
}

describe("world.randomOf", () => {
  it("is predicted by the owner of an entity", () => {
    drawn.length = 0;
    const network = new TestNetwork(spread);
    const players = [network.add(link, { fire: false }), network.add(link, { fire: false })];
    network.run(2000);
    const server = new Set(drawn.filter((line) => line.startsWith("server")).map((line) => line.slice(7)));
    const client = drawn.filter((line) => line.startsWith("client")).map((line) => line.slice(7));
    assert.ok(client.filter((line) => server.has(line)).length > 100);
    for (const { client: own } of players) assert.equal(own.stats.mispredictions, 0);
    const bits = new Set([...server].map((line) => line.split(" ")[2]));
    assert.ok(bits.size > 200, "each tick and player another");
  });

  it("cannot be told by other clients, although they know the seed", () => {
    const network = new TestNetwork(spread);
    const ada = network.add(link, { fire: false });
    const eve = network.add(link, { fire: false });
    network.run(500);
    const row = network.match.world.players.firstOwnedBy(ada.seat) ?? assert.fail();
    const at = { id: row.id, owner: row.owner, index: row.index };
    for (const { client } of [ada, eve]) client.world.beginTick(row.id + 500, 1, false);
    network.match.world.beginTick(row.id + 500, 1, false);
    const truth = network.match.world.randomOf(at).bits();
    assert.equal(ada.client.world.randomOf(at).bits(), truth);
    assert.notEqual(eve.client.world.randomOf(at).bits(), truth);
    assert.notEqual(eve.client.world.randomOf({ ...at, owner: eve.seat }).bits(), truth);
    assert.equal(eve.client.world.random.bits(), network.match.world.random.bits(), "this one is for all");
  });

  it("comes from the entropy that the server gives, not from its seed", () => {
    assert.equal(bitsOf(1), bitsOf(1));
    assert.notEqual(bitsOf(1), bitsOf(2));
  });

  it("stays a player's own when it comes back, and is new for the next one in the seat", () => {
    const network = new TestNetwork(spread, { reconnectGraceMs: 1000 });
    const player = network.add(link, { fire: false });
    network.run(1000);
    const { match } = network;
    const before = match.randomKeyOf(player.seat);
    network.disconnect(player);
    network.run(200);
    network.connect(player);
    network.run(1000);
    assert.equal(match.randomKeyOf(player.seat), before);
    assert.equal(player.client.stats.mispredictions, 0);
    network.disconnect(player);
    network.run(1500);
    const { seat } = network.add(link, { fire: false });
    assert.equal(seat, 0);
    assert.notDeepEqual(match.randomKeyOf(seat), before);
    assert.notDeepEqual(match.randomKeyOf(seat), match.randomKeyOf(-1));
  });
});
