/** Whatever is done to a server's network while packets flow, also from within its listeners: nothing escapes, nothing is left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@riposte/protocol";
import type { Channel } from "@riposte/protocol/channel";
import type { CongestionControlName } from "@riposte/protocol/congestion";
import { NetworkDiagnostics } from "../src/index.ts";
import type { ConnectionStatus, NetworkEventListener } from "../src/index.ts";
import { NetworkWorld } from "./network-world.ts";
import type { TestClient } from "./network-world.ts";

const SEEDS = 15;
const TICKS = 400;
const CHANNELS: readonly Channel[] = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"];
const ALGORITHMS: readonly CongestionControlName[] = ["newReno", "cubic", "bbr"];

/** What may follow each status, as `docs/network.md` draws it. */
const FOLLOWING: Readonly<Record<ConnectionStatus | "none", readonly ConnectionStatus[]>> = {
  none: ["connecting"],
  connecting: ["connected", "closing", "disconnected"],
  connected: ["interrupted", "migrated", "closing", "disconnected"],
  interrupted: ["migrated", "closing", "disconnected"],
  migrated: ["interrupted", "migrated", "closing", "disconnected"],
  closing: ["interrupted", "migrated", "disconnected"],
  disconnected: [],
};

class Monkey {
  readonly world: NetworkWorld;
  readonly diagnostics: NetworkDiagnostics;
  readonly statuses: Map<number, ConnectionStatus> = new Map();
  readonly problems: string[] = [];
  readonly #random: Random;
  readonly #clients: TestClient[] = [];
  readonly #packets: NetworkEventListener;
  #depth = 0;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    this.world = new NetworkWorld({
      seed,
      conditions: {
        latencyMs: 5 + random.int(60),
        jitterMs: random.int(20),
        lossRate: random.next() * 0.2,
        duplicateRate: 0.02,
        reorderRate: 0.05,
        corruptRate: 0.01,
      },
      endpoint: { maxClients: 4, limits: { reliableSendBytes: 300_000, reliableMessageBytes: 100_000 } },
    });
    const now = (): number => this.world.network.now;
    this.diagnostics = new NetworkDiagnostics(this.world.server, { now, timeOriginMs: 0 });
    this.#packets = { onPacketSent: () => this.#misbehave(0.01), onPacketReceived: () => this.#misbehave(0.01) };
    this.world.server.registerEventListener({
      onConnectionStatusChanged: (id, status) => {
        const before = this.statuses.get(id) ?? "none";
        if (!FOLLOWING[before].includes(status)) this.problems.push(`connection ${id}: ${before}, then ${status}`);
        this.statuses.set(id, status);
        this.#misbehave(0.2);
      },
      onNetworkError: () => this.#misbehave(0.2),
    });
  }

  /** Ten milliseconds. */
  tick(): void {
    const { network } = this.world;
    if (this.#random.chance(0.3)) this.#act();
    if (this.#clients.length < 12 && this.#random.chance(0.05)) this.#clients.push(this.#dial());
    if (this.#clients.length > 0) this.#actAs(this.#clients[this.#random.int(this.#clients.length)]);
    for (const host of network.hosts) host.flush(network.now);
    network.runFor(10);
  }

  /** Everybody leaves. */
  end(): void {
    for (const id of this.world.server.connectionIds) this.world.server.disconnect(id);
    for (const client of this.#clients) client.close();
    this.world.network.runFor(40_000);
    this.diagnostics.disable();
  }

  #misbehave(rate: number): void {
    if (this.#random.chance(rate)) this.#act();
    if (this.#random.chance(rate / 4)) throw new Error("a listener that throws");
  }

  #dial(): TestClient {
    const random = this.#random;
    if (random.chance(0.1)) return this.world.dial({ schemaHash: new Uint8Array(8) });
    if (random.chance(0.1)) return this.world.dial({ schemaHash: undefined });
    return this.world.dial({ clientId: BigInt(1 + random.int(6)), timeoutSeconds: 1 + random.int(3) });
  }

  #actAs(client: TestClient): void {
    const random = this.#random;
    const { host, network } = this.world;
    const { connection } = client.endpoint;
    if (random.chance(0.01)) client.close();
    else if (random.chance(0.025)) network.rebind(client.host);
    else if (random.chance(0.005)) client.host.run(undefined);
    else if (random.chance(0.02)) {
      client.endpoint.migrate(client.host.pathBy(network.addSocket(client.host), host), network.now);
    } else if (random.chance(0.5)) connection?.send(CHANNELS[random.int(3)], new Uint8Array(random.int(5_000)));
  }

  /** Something that an operator or a game may do, at any moment. */
  #act(): void {
    if (this.#depth > 2) return;
    this.#depth++;
    const { endpoint, network, server } = this.world;
    const random = this.#random;
    const ids = server.connectionIds;
    const channel = CHANNELS[random.int(3)];
    const rateBytesPerSec = random.chance(0.5) ? Infinity : 5_000 + random.int(100_000);
    const anywhere = [
      () => server.broadcast(() => new Uint8Array(random.int(2_000)), channel),
      () => server.multicast(ids, new Uint8Array(random.int(300)), channel),
      () => server.setQos(channel, { priority: random.int(5), weight: 1 + random.int(3), rateBytesPerSec }),
      () => server.clearReassembly(),
      () => server.flush(),
      () => server.stats(),
      () => server.registerEventListener(this.#packets),
      () => server.unregisterEventListener(this.#packets),
      () => this.diagnostics.enable({ maxConnections: 1 + random.int(3), samplePackets: 1 + random.int(3) }),
      () => this.diagnostics.disable(),
    ];
    const toOne = (id: number): readonly (() => unknown)[] => [
      () => server.send(id, new Uint8Array(random.int(channel === "reliableOrdered" ? 90_000 : 20_000)), channel),
      () => server.drained(id).catch(() => undefined),
      () => server.disconnect(id, random.int(9), "enough"),
      () => server.finish(id, 1, "done", random.int(3_000)),
      () => server.setCongestionControl(id, ALGORITHMS[random.int(3)]),
      () => server.setQos(channel, { rateBytesPerSec }, id),
      () => server.connectionStats(id),
      () => {
        const path = endpoint.pathOf(server.connection(id)!);
        if (path >= 0) endpoint.handlePathClosed(path, network.now);
      },
    ];
    const actions = ids.length > 0 && random.chance(0.6) ? toOne(ids[random.int(ids.length)]) : anywhere;
    actions[random.int(actions.length)]();
    this.#depth--;
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}`, () => {
    const monkey = new Monkey(seed);
    const { endpoint, host, server } = monkey.world;
    for (let tick = 0; tick < TICKS; tick++) {
      monkey.tick();
      assert.deepEqual(monkey.problems, []);
      if (tick % 20 > 0) continue;
      const stats = server.stats();
      for (const [name, value] of Object.entries(stats)) {
        if (typeof value === "number") assert.ok(value >= 0 && value < Infinity, `${name} is ${value}`);
      }
      assert.equal(stats.currentConnections, server.connectionIds.length);
      assert.ok(stats.successfulConnections + stats.failedConnections <= stats.connectionAttempts);
    }
    monkey.end();
    const stats = server.stats();
    assert.deepEqual([stats.currentConnections, endpoint.clientCount, endpoint.pendingCount], [0, 0, 0]);
    assert.deepEqual([stats.bytesInFlight, stats.reliableQueuedBytes, stats.unreliableQueuedBytes], [0, 0, 0]);
    assert.equal(endpoint.reassemblyPool.usedBytes, 0);
    assert.deepEqual([host.retained.size, host.keys.size], [0, 0]);
    assert.equal(stats.successfulConnections + stats.failedConnections, stats.connectionAttempts);
    assert.ok(stats.totalConnections > 3, "connections came");
    for (const [id, status] of monkey.statuses) assert.equal(status, "disconnected", `connection ${id}`);
  });
}
