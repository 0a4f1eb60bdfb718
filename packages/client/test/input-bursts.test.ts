/** A whole session over a simulated network: how often inputs are repeated follows how the link loses packets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import { generateConnectToken } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { defineGame, Match, MessageKind, outgoingMessage } from "@riposte/simulation/game";
import { bool, defineInput, defineState, float } from "@riposte/simulation/state";
import { Recorder, SimulatedNetwork } from "@riposte/testkit";
import { GameSession } from "../src/game-session.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 64 });
const game = defineGame({
  tickRate: 60,
  states: { players: defineState({ x: coordinate, y: coordinate }) },
  input: defineInput({ right: bool() }),
  join: (world, client) => world.players.spawn(client.id),
  step(world, inputs) {
    for (const player of world.players) player.x += inputs.of(player).right ? world.dt : -world.dt;
  },
});

const SETTLE_MS = 15_000;
const MEASURED_MS = 15_000;
/** A tenth of the packets, each alone. */
const ALONE: NetworkConditions = { lossRate: 0.1 };
/** A tenth of the packets, three in a row on average. */
const IN_ROWS: NetworkConditions = { burst: { enterRate: 1 / 27, leaveRate: 1 / 3 } };

interface Played {
  readonly meanBurstPackets: number;
  /** Inputs in a message, on average. */
  readonly copies: number;
}

/** Plays with one client whose packets to the server meet these conditions. */
function play(t: TestContext, seed: number, up: NetworkConditions): Played {
  const network = new SimulatedNetwork({ seed, conditions: { latencyMs: 30 } });
  const { crypto } = network;
  t.mock.method(performance, "now", () => network.now);
  const privateKey = crypto.randomBytes(32);
  const serverHost = network.addHost();
  const heard = new Recorder();
  const match = new Match(game);
  let seat = -1;
  let messages = 0;
  let copies = 0;
  heard.onMessage = ({ bytes }) => {
    assert.ok(match.receive(seat, bytes, 0, bytes.length));
    if (bytes[0] !== MessageKind.inputs) return;
    messages++;
    // After the kind (8 bits) and the newest tick (32): count - 1 in 5 bits.
    copies += (bytes[5] & 31) + 1;
  };
  const server = new ServerEndpoint({
    protocolId: 1n,
    privateKey,
    maxClients: 1,
    publicAddresses: [serverHost.address],
    schemaHash: game.schemaHash,
    crypto,
    keys: serverHost.keys,
    driver: serverHost.driver,
    sink: heard,
    now: network.now,
    unixSeconds: network.clock.unixSeconds,
  });
  let toClient: Connection | undefined;
  serverHost.onEvent = (event) => {
    if (event.type !== "connected") return;
    toClient = event.connection;
    seat = match.join(1n);
  };
  serverHost.run(server);

  const clientHost = network.addHost();
  const session = new GameSession(game);
  const token = generateConnectToken({
    protocolId: 1n,
    clientId: 1n,
    privateKey,
    serverAddresses: [serverHost.address],
    nowSeconds: network.clock.unixSeconds,
    crypto,
  });
  const endpoint = new ClientEndpoint({
    token,
    schemaHash: game.schemaHash,
    crypto,
    keys: clientHost.keys,
    driver: clientHost.driver,
    serverPaths: [serverHost.id],
    sink: session.handlers,
    now: network.now,
  });
  let connected = false;
  clientHost.onEvent = (event) => {
    if (event.type !== "connected") return;
    connected = true;
    session.start(
      {
        connection: event.connection,
        flush: () => clientHost.flush(network.now),
        migrate: () => Promise.resolve(),
        simulate: () => {},
        close: () => Promise.resolve(),
      },
      1n,
      undefined,
    );
  };
  clientHost.run(endpoint);

  const out = outgoingMessage();
  const snapshot = new Uint8Array(1200);
  network.clock.every(game.tickMs, () => {
    match.tick();
    if (toClient === undefined) return;
    if (match.currentTick % game.snapshotTicks === 0) {
      const length = match.writeSnapshot(seat, snapshot);
      if (length > 0) toClient.send("unreliableUnordered", snapshot, 0, length);
    }
    while (match.pollMessage(seat, out)) toClient.send(out.channel, out.buffer, out.offset, out.length);
    serverHost.flush(network.now);
  });
  let frames = 0;
  network.clock.every(game.tickMs, () => {
    if (connected) session.advance(network.now, { right: frames++ % 20 < 10 });
  });
  network.runUntil(() => connected && session.seat >= 0, "the session is ready");
  network.simulate({ latencyMs: 30, ...up }, { from: clientHost.id });
  network.runFor(SETTLE_MS);
  messages = 0;
  copies = 0;
  network.runFor(MEASURED_MS);
  return { meanBurstPackets: session.stats.connection.meanBurstPackets, copies: copies / messages };
}

test("inputs are repeated more often on a link that loses packets in rows of three", (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const alone = play(t, seed, ALONE);
    const inRows = play(t, seed, IN_ROWS);
    const said = JSON.stringify({ seed, alone, inRows });
    assert.ok(alone.meanBurstPackets < 1.35 && alone.copies >= 3 && alone.copies < 6, said);
    assert.ok(inRows.meanBurstPackets > 2 && inRows.meanBurstPackets < 4.5, said);
    assert.ok(inRows.copies > alone.copies * 2.5, said);
  }
});
