import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkWorld } from "../../test/network-world.ts";
import type { ConnectionNetworkStats, NetworkStats } from "../network/network-stats.ts";
import { findFindings } from "./findings.ts";

/** Numbers of a healthy server with one connection. */
function healthy(): { network: NetworkStats; connection: ConnectionNetworkStats } {
  const world = new NetworkWorld();
  const { id } = world.join();
  world.run(3_000, () => world.server.send(id, new Uint8Array(50), "unreliableUnordered"));
  return { network: world.server.stats(), connection: world.server.connectionStats(id)! };
}

test("a healthy server gives nothing to say", () => {
  const { network, connection } = healthy();
  assert.deepEqual(findFindings(network, [connection]), []);
});

test("what hurts players is said, problems first", () => {
  const { network, connection } = healthy();
  const reliableOrdered = { ...connection.channels.reliableOrdered, sendsRefused: 3 };
  const unreliableOrdered = { ...connection.channels.unreliableOrdered, messagesSent: 1000, droppedStale: 50 };
  const bad: ConnectionNetworkStats = {
    ...connection,
    rttMs: 320,
    jitterMs: 45,
    lossRate: 0.08,
    receiveLossRate: 0.03,
    packetsLost: 40,
    spuriousLosses: 20,
    malformedPackets: 1,
    reliableQueuedBytes: 900 * 1024,
    channels: { ...connection.channels, reliableOrdered, unreliableOrdered },
  };
  const findings = findFindings({ ...network, packetLossRate: 0.03, connectionAttempts: 20, failedConnections: 9 }, [
    bad,
  ]);
  assert.equal(findings[0].level, "problem");
  assert.deepEqual(
    findings.map(({ level, connectionId, text }) => `${level} ${connectionId ?? "server"}: ${text}`).sort(),
    [
      "notice server: connections lose 3.0 % of the server's packets on average",
      "problem 1: had 5.0 % of its unreliableOrdered messages dropped unsent",
      "problem 1: had no room for 3 reliable messages",
      "problem 1: has 900 KiB that it has not acknowledged",
      "problem 1: has a jitter of 45 ms",
      "problem 1: has a round trip of 320 ms",
      "problem 1: is on a path that reorders: 20 of 40 losses were none",
      "problem 1: loses 3.0 % of what it sends",
      "problem 1: loses 8.0 % of what is sent to it",
      "problem 1: sent 1 packets that could not be read",
      "problem server: 9 of 20 attempts to connect failed",
    ],
  );
});

test("a thousand bad connections are fifty lines and a count", () => {
  const { network, connection } = healthy();
  const many = Array.from({ length: 1_000 }, (_, i) => ({ ...connection, connectionId: i + 1, rttMs: 400 }));
  const findings = findFindings(network, many);
  assert.equal(findings.length, 51);
  assert.equal(findings[50].text, "950 more findings about single connections");
});
