/**
 * The handshake measures the round trip, so that a connection's first timers fit the link: told by when the first
 * packet that nobody answers is followed by a probe (RFC 9002 section 6.2.1). By Karn's rule a packet of the handshake that was
 * sent twice measures nothing: nobody knows which of them was answered.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import type { Connection } from "@riposte/protocol/channel";
import { generateConnectToken } from "@riposte/protocol/netcode";
import { Recorder, SimulatedNetwork } from "../src/index.ts";
import type { SimulatedHost } from "../src/index.ts";

const SCHEMA = new Uint8Array(8);
/** Below half of netcode's interval between requests, so that nothing is sent twice on a link that loses nothing. */
const LATENCY_MS = 30;
/** RFC 9002 section 6.2.2: what is assumed where nothing was measured. */
const UNKNOWN_RTT_MS = 333;
/** How long a peer may hold back an ACK of reliable data. */
const MAX_ACK_DELAY_MS = 25;
/** Clocks of the simulation step by less. */
const TOLERANCE_MS = 5;

/** Without samples the variation is half the round trip: smoothed + 4 * variation + the peer's delay. */
function probeTimeoutMs(rttMs: number): number {
  return 3 * rttMs + MAX_ACK_DELAY_MS;
}

/** How long the first packet of a fresh connection waits for its ACK, on either side; `during` may spoil the handshake. */
function firstProbeAfterMs(
  side: "client" | "server",
  during: (network: SimulatedNetwork, hosts: Hosts) => void,
): number {
  const network = new SimulatedNetwork({ seed: 3, conditions: { latencyMs: LATENCY_MS } });
  const { crypto } = network;
  const privateKey = crypto.randomBytes(32);
  const hosts: Hosts = { server: network.addHost(), client: network.addHost() };
  const sentAt: number[] = [];
  hosts[side].onEvent = (event) => {
    if (event.type !== "connected") return;
    network.simulate({ lossRate: 1 });
    follow(event.connection, sentAt);
    event.connection.send("reliableOrdered", Uint8Array.of(1));
  };
  hosts.server.run(
    new ServerEndpoint({
      protocolId: 1n,
      privateKey,
      maxClients: 1,
      publicAddresses: [hosts.server.address],
      schemaHash: SCHEMA,
      crypto,
      keys: hosts.server.keys,
      driver: hosts.server.driver,
      sink: new Recorder(),
      now: network.now,
      unixSeconds: network.clock.unixSeconds,
    }),
  );
  hosts.client.run(
    new ClientEndpoint({
      token: generateConnectToken({
        protocolId: 1n,
        clientId: 1n,
        privateKey,
        serverAddresses: [hosts.server.address],
        nowSeconds: network.clock.unixSeconds,
        crypto,
      }),
      schemaHash: SCHEMA,
      crypto,
      keys: hosts.client.keys,
      driver: hosts.client.driver,
      serverPaths: [hosts.server.id],
      sink: new Recorder(),
      now: network.now,
    }),
  );
  during(network, hosts);
  network.runUntil(() => sentAt.length >= 2, "a probe", 5000);
  return sentAt[1] - sentAt[0];
}

interface Hosts {
  readonly server: SimulatedHost;
  readonly client: SimulatedHost;
}

/** Writes down when packets with something in them leave. */
function follow(connection: Connection, sentAt: number[]): void {
  connection.trace = {
    packetSent: (_number, _buffer, _offset, _length, now) => void sentAt.push(now),
    packetReceived: () => {},
    packetLost: () => {},
  };
}

for (const side of ["client", "server"] as const) {
  test(`${side}: the round trip of the handshake sets the first timers`, () => {
    const waited = firstProbeAfterMs(side, () => {});
    const expected = probeTimeoutMs(2 * LATENCY_MS);
    assert.ok(Math.abs(waited - expected) < TOLERANCE_MS, `${waited} ms, expected ${expected}`);
  });

  test(`${side}: a handshake packet that was sent twice measures nothing`, () => {
    const waited = firstProbeAfterMs(side, (network, hosts) => {
      // The server's challenge, sent when the request has come; the client's response to it, sent when that has come.
      network.runFor(side === "server" ? LATENCY_MS - 1 : 2 * LATENCY_MS - 1);
      network.simulate({ lossRate: 1, latencyMs: LATENCY_MS }, { from: hosts[side].id });
      network.runFor(10);
      network.simulate({ latencyMs: LATENCY_MS });
    });
    const expected = probeTimeoutMs(UNKNOWN_RTT_MS);
    assert.ok(Math.abs(waited - expected) < TOLERANCE_MS, `${waited} ms, expected ${expected}`);
  });
}
