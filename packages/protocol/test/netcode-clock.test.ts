/** Timers on fractional clocks: a driver that sleeps exactly until `nextTimeout` always gets on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetcodeClient, SoftwareKeys } from "../src/netcode/index.ts";
import { NetcodeNetwork, UNIX_SECONDS, emptySlot } from "./support/netcode-network.ts";

test("a client that nobody answers asks ten times a second and gives up in time, whatever the clock's fraction", () => {
  const network = new NetcodeNetwork();
  const { crypto } = network;
  const token = network.token({ timeoutSeconds: 1 });
  for (let i = 0; i < 200; i++) {
    const start = 1000 + i * 37.000_123_456_7;
    let ended = "";
    const handler = { stateChanged: (state: string) => void (ended = state), payload: () => {}, fill: () => 0 };
    const keys = new SoftwareKeys(crypto);
    const client = new NetcodeClient({ token, serverPaths: [0], crypto, keys, now: start, handler });
    const slot = emptySlot();
    let requests = 0;
    let now = start;
    for (let wakes = 0; client.active; wakes++) {
      assert.ok(wakes < 30, `stuck at ${now} after ${requests} requests from ${start} on`);
      client.handleTimeout(now);
      while (client.pollTransmit(slot, now)) requests++;
      if (client.active) now = client.nextTimeout();
    }
    assert.deepEqual([ended, Math.round(now - start), requests], ["connectionRequestTimedOut", 1000, 10]);
  }
});

test("a wall clock that is set right while the server runs decides which tokens have expired", () => {
  const network = new NetcodeNetwork({ unixSeconds: UNIX_SECONDS + 3600 });
  const client = network.client();
  network.run(300);
  assert.ok(network.server.drops.tokenExpired > 0);
  network.server.setUnixTime(network.unixNow, network.now);
  network.run(300);
  assert.equal(client.machine.state, "connected");
});
