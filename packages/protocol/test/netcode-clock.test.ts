/** Timers on fractional clocks: a driver that sleeps exactly until `nextTimeout` always gets on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetcodeClient, SoftwareKeys } from "../src/netcode/index.ts";
import { NetcodeNetwork, UNIX_SECONDS, emptySlot } from "./support/netcode-network.ts";

const REQUEST = 0;
const RESPONSE = 3;

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

test("a request counts until the second that its token expires in, by the server's clock", () => {
  for (const [arrivesAt, admitted] of [
    [9.9, true],
    [10, false],
    [10.1, false],
  ] as const) {
    const network = new NetcodeNetwork();
    const token = network.token({ expireSeconds: 10 });
    network.now += arrivesAt * 1000;
    const client = network.client(token);
    network.step();
    assert.equal(network.server.pendingCount + network.server.clientCount, admitted ? 1 : 0, `after ${arrivesAt} s`);
    assert.equal(network.server.drops.tokenExpired, admitted ? 0 : 1, `after ${arrivesAt} s`);
    assert.equal(client.machine.active, true, "its lifetime begins when the client gets it");
  }
});

test("a token that expires during the handshake: who was challenged in time is let in, who was not gives up", () => {
  const network = new NetcodeNetwork();
  const challenged = network.client(network.token({ expireSeconds: 1, timeoutSeconds: 10 }));
  const unheard = network.client(network.token({ expireSeconds: 1, timeoutSeconds: 10 }));
  network.pass = (datagram) => datagram.path === challenged.path && (datagram.bytes[0] & 15) !== RESPONSE;
  network.run(900);
  assert.deepEqual(
    [challenged.machine.state, unheard.machine.state],
    ["sendingConnectionResponse", "sendingConnectionRequest"],
  );
  // What the client answered last comes late, when the server's clock says that the token has expired.
  const late = network.sent(true, RESPONSE).at(-1);
  assert.ok(late !== undefined);
  network.run(200);
  assert.deepEqual([challenged.machine.state, unheard.machine.state], ["connectTokenExpired", "connectTokenExpired"]);
  network.toServer(late.bytes, late.path);
  network.step();
  assert.equal(network.server.clientCount, 1, "the challenge was answered");
  assert.equal(network.server.drops.tokenExpired, 0);
  // A request of the same token, now, is refused.
  const request = network.sent(true, REQUEST).find(({ path }) => path === unheard.path);
  assert.ok(request !== undefined);
  network.toServer(request.bytes, request.path);
  assert.equal(network.server.drops.tokenExpired, 1);
});

test("a backend's clock that is behind takes from a token's lifetime, one that is ahead adds to it", () => {
  for (const [aheadSeconds, state] of [
    [-40, "connected"],
    [-46, "sendingConnectionRequest"],
    [3600, "connected"],
  ] as const) {
    const network = new NetcodeNetwork();
    const token = network.token({ nowSeconds: network.unixNow + aheadSeconds, expireSeconds: 45 });
    const client = network.client(token);
    network.run(300);
    assert.equal(client.machine.state, state, `a backend ${aheadSeconds} s ahead`);
    assert.equal(network.server.drops.tokenExpired > 0, state !== "connected");
  }
});

test("a client needs no clock: it gives up after the token's lifetime, counted from when it got it", () => {
  for (const aheadSeconds of [-3600, 0, 3600]) {
    const network = new NetcodeNetwork();
    const nowSeconds = network.unixNow + aheadSeconds;
    const client = network.client(network.token({ nowSeconds, expireSeconds: 45, timeoutSeconds: -1 }));
    network.pass = () => false;
    network.run(44_900);
    assert.equal(client.machine.state, "sendingConnectionRequest");
    network.run(200);
    assert.equal(client.machine.state, "connectTokenExpired", `a backend ${aheadSeconds} s ahead`);
  }
});
