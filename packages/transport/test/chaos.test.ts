/**
 * Everything that can go wrong at once, from one seed, under virtual time: loss to 30 %, reordering, duplicates, corruption,
 * rebinding NATs, broken carriers, stalls of five seconds, small MTUs. In the end every reliable message has come exactly once
 * and in the order of its stream, no limit was ever passed, and nothing is left behind.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { setTimeout } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { nodeCrypto } from "@riposte/datapath";
import { Random } from "@riposte/protocol";
import { BbrCongestionControl, CubicCongestionControl, NewRenoCongestionControl } from "@riposte/protocol/congestion";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { Channel, Connection, ConnectionSink } from "@riposte/protocol/channel";
import { SimulatedNetwork } from "../../testkit/src/index.ts";
import type { SimulatedHost } from "../../testkit/src/index.ts";

const CLIENTS = 3;
const STREAMS = 4;
const CHAOS_MS = 12_000;
const CALM_MS = 60_000;
const LIMITS = {
  reliableSendBytes: 400_000,
  receiveWindowBytes: 128 * 1024,
  unreliableSendBytes: 64 * 1024,
  reassemblyBytes: 96 * 1024,
};
const POOL_BYTES = 128 * 1024;
const ALGORITHMS = [
  () => new NewRenoCongestionControl(),
  () => new CubicCongestionControl(),
  () => new BbrCongestionControl({ seed: 5 }),
];

/** What one end of one connection sent and heard on each reliable stream. */
class Ledger {
  readonly sent: number[] = Array.from({ length: STREAMS }, () => 0);
  readonly heard: number[] = Array.from({ length: STREAMS }, () => 0);
  newestOrdered = -1;
  orderedSent = 0;
}

interface Player {
  readonly host: SimulatedHost;
  readonly endpoint: ClientEndpoint;
  readonly ledger: Ledger;
}

class Chaos {
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly server: ServerEndpoint;
  readonly serverHost: SimulatedHost;
  readonly players: Player[] = [];
  /** Of the server, by client id. */
  readonly ledgers = new Map<bigint, Ledger>();
  readonly #limits: { readonly seed: number };

  constructor(seed: number) {
    this.#limits = { seed };
    this.random = new Random(seed);
    const crypto = { ...nodeCrypto(), randomBytes: (length: number) => this.random.bytes(length) };
    const network = new SimulatedNetwork({ seed, crypto, conditions: { latencyMs: 20 } });
    this.network = network;
    this.serverHost = network.addHost();
    const congestionControl = ALGORITHMS[this.random.int(ALGORITHMS.length)];
    const common = { schemaHash: new Uint8Array(8), crypto, now: network.now, limits: LIMITS, congestionControl };
    const privateKey = this.random.bytes(32);
    this.server = new ServerEndpoint({
      ...common,
      protocolId: 1n,
      privateKey,
      maxClients: CLIENTS,
      publicAddresses: [this.serverHost.address],
      keys: this.serverHost.keys,
      driver: this.serverHost.driver,
      reassemblyPoolBytes: POOL_BYTES,
      batch: { intervalMs: 16 },
      sink: this.#sink((connection) => this.ledgers.get(connection.clientId) ?? assert.fail("nobody we know")),
      unixSeconds: network.clock.unixSeconds,
    });
    this.serverHost.run(this.server);
    for (let id = 1; id <= CLIENTS; id++) {
      const host = network.addHost();
      const ledger = new Ledger();
      this.ledgers.set(BigInt(id), new Ledger());
      const endpoint = new ClientEndpoint({
        ...common,
        token: generateConnectToken({
          protocolId: 1n,
          clientId: BigInt(id),
          privateKey,
          serverAddresses: [this.serverHost.address],
          timeoutSeconds: 20,
          userData: writeUserData({}),
          nowSeconds: network.clock.unixSeconds,
          crypto,
        }),
        keys: host.keys,
        driver: host.driver,
        serverPaths: [this.serverHost.id],
        sink: this.#sink(() => ledger),
      });
      host.run(endpoint);
      this.players.push({ host, endpoint, ledger });
    }
    network.runUntil(() => this.server.connections.size === CLIENTS && this.players.every(isOpen), "everybody joins");
  }

  run(): void {
    const { network, random } = this;
    const end = network.now + CHAOS_MS;
    let changeAt = 0;
    while (network.now < end) {
      if (network.now >= changeAt) {
        for (const player of this.players) this.#change(player);
        changeAt = network.now + 500 + random.int(1_500);
      }
      this.#talk();
      network.runFor(10 + random.int(30));
      this.#checkLimits();
    }
    // Calm: what is still under way arrives.
    network.simulate({ latencyMs: 20, lossRate: 0.02 });
    for (const player of this.players) this.#repair(player);
    const isDone = (): boolean => this.#pairs().every(([from, to]) => from.sent.join() === to.heard.join());
    for (let ms = 0; ms < CALM_MS && !isDone(); ms += 50) {
      network.runFor(50);
      if (ms % 3_000 === 2_950) for (const player of this.players) this.#repair(player);
      this.#checkLimits();
    }
    for (const [from, to] of this.#pairs()) {
      assert.deepEqual(to.heard, from.sent, `reliable messages of each stream (seed ${this.#limits.seed})`);
    }
    this.#end();
  }

  /** Draws new conditions for one player, and perhaps a misfortune. */
  #change({ host, endpoint }: Player): void {
    const { network, random } = this;
    const conditions: NetworkConditions = {
      latencyMs: random.int(120),
      jitterMs: random.int(40),
      lossRate: random.chance(0.1) ? 1 : random.next() * 0.3,
      reorderRate: random.next() * 0.2,
      reorderDelayMs: 5 + random.int(60),
      duplicateRate: random.next() * 0.1,
      corruptRate: random.next() * 0.05,
      ...(random.chance(0.3) && { mtuBytes: 1_250 + random.int(300) }),
      ...(random.chance(0.3) && { bandwidthBytesPerSec: 30_000 + random.int(200_000), queueBytes: 20_000 }),
    };
    network.simulate(conditions, { from: host.id });
    network.simulate({ ...conditions, lossRate: random.next() * 0.3 }, { to: host.id });
    if (random.chance(0.2)) network.rebind(host, host.sockets.length - 1);
    else if (random.chance(0.1)) {
      const before = endpoint.path;
      const socket = network.addSocket(host);
      if (random.chance(0.5)) host.closePath(before, network.now);
      endpoint.migrate(host.pathBy(socket, this.serverHost), network.now);
    }
    if (random.chance(0.03)) network.simulate({ lossRate: 1 }, { from: host.id }); // a stall until the next change
  }

  /** A player without a path gets one, as a driver would see to. */
  #repair({ host, endpoint }: Player): void {
    if (endpoint.path >= 0) return;
    endpoint.migrate(host.pathBy(this.network.addSocket(host), this.serverHost), this.network.now);
  }

  #talk(): void {
    for (const player of this.players) {
      this.#repairSometimes(player);
      const { connection } = player.endpoint;
      assert.ok(connection !== undefined);
      this.#send(connection, player.ledger);
      player.host.flush(this.network.now);
    }
    for (const connection of this.server.connections) {
      this.#send(connection, this.ledgers.get(connection.clientId) ?? assert.fail("nobody we know"));
    }
    this.serverHost.flush(this.network.now);
  }

  #repairSometimes(player: Player): void {
    if (this.random.chance(0.05)) this.#repair(player);
  }

  #send(connection: Connection, ledger: Ledger): void {
    const { random } = this;
    for (let i = random.int(3); i > 0; i--) {
      const stream = random.int(STREAMS);
      const bytes = message(ledger.sent[stream], random.chance(0.05) ? 20_000 : 4 + random.int(600));
      if (connection.send("reliableOrdered", bytes, 0, bytes.length, { stream }) === "queued") ledger.sent[stream]++;
    }
    const bytes = message(ledger.orderedSent++, random.chance(0.05) ? 6_000 : 4 + random.int(400));
    connection.send("unreliableOrdered", bytes);
    if (random.chance(0.5)) connection.send("unreliableUnordered", bytes);
  }

  #sink(ledgerOf: (connection: Connection) => Ledger): ConnectionSink {
    return {
      raw: () => assert.fail("nobody is plain here"),
      message: (connection, channel: Channel, buffer, offset, length, stream) => {
        const ledger = ledgerOf(connection);
        const number = new DataView(buffer.buffer, buffer.byteOffset + offset).getUint32(0);
        for (let i = 4; i < length; i++) {
          if (buffer[offset + i] !== ((number + i) & 255)) assert.fail(`byte ${i} of ${length} on ${channel}`);
        }
        if (channel === "reliableOrdered") assert.equal(number, ledger.heard[stream]++, `stream ${stream}`);
        if (channel !== "unreliableOrdered") return;
        assert.ok(number > ledger.newestOrdered, "never older than the newest");
        ledger.newestOrdered = number;
      },
    };
  }

  #checkLimits(): void {
    const connections = [
      ...this.server.connections,
      ...this.players.flatMap(({ endpoint }) => endpoint.connection ?? []),
    ];
    for (const { stats, fragmenter, state, closeError } of connections) {
      assert.equal(state, "open", String(closeError));
      assert.ok(stats.reliableQueuedBytes <= LIMITS.reliableSendBytes + 4);
      for (const channel of ["unreliableOrdered", "unreliableUnordered"] as const) {
        assert.ok(stats.of(channel).queuedBytes <= LIMITS.unreliableSendBytes);
      }
      assert.ok(fragmenter.usedBytes <= LIMITS.reassemblyBytes);
    }
    assert.ok(this.server.reassemblyPool.usedBytes <= POOL_BYTES);
  }

  #pairs(): [Ledger, Ledger][] {
    return this.players.flatMap(({ ledger }, i): [Ledger, Ledger][] => {
      const other = this.ledgers.get(BigInt(i + 1)) ?? assert.fail("nobody we know");
      return [
        [ledger, other],
        [other, ledger],
      ];
    });
  }

  /** Everybody leaves: nothing is left behind. */
  #end(): void {
    const { network } = this;
    for (const { endpoint } of this.players) endpoint.close(network.now);
    network.runFor(25_000);
    this.server.close(network.now);
    network.runFor(1_000);
    assert.deepEqual([this.server.clientCount, this.server.reassemblyPool.usedBytes], [0, 0]);
    for (const host of [this.serverHost, ...this.players.map((player) => player.host)]) {
      assert.deepEqual([host.retained.size, host.keys.size], [0, 0], "paths and keys given back");
    }
  }
}

function isOpen({ endpoint }: Player): boolean {
  return endpoint.connection?.state === "open";
}

function message(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 4; i < length; i++) bytes[i] = (number + i) & 255;
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

test("whatever the network does, every reliable message comes once and in order, within every limit", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => new Chaos(seed).run()),
    { seed: 20, numRuns: 25, endOnFailure: true },
  );
});

test("and memory after equals memory before", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = async (): Promise<number> => {
    // V8 frees array buffers on a thread of its own, some time after the collection that found them dead.
    for (let i = 0; i < 3; i++) {
      collect();
      await setTimeout(20);
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  for (let seed = 1; seed <= 3; seed++) new Chaos(seed).run();
  const before = await used();
  for (let seed = 4; seed <= 9; seed++) new Chaos(seed).run();
  const grown = (await used()) - before;
  assert.ok(grown < 1536 * 1024, `${grown} bytes after six more runs, each of which holds some megabytes`);
});
