/** The configuration of balancers that are processes of their own: changed at one, in force at the other, by way of an etcd. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { until } from "../../fleet/test/until.ts";
import { LocalFleet } from "./fleet/local-fleet.ts";

const { skip } = peerOrSkip("etcd");

interface Version {
  readonly version: number;
  readonly changedBy: string;
  readonly config: { readonly queue: { readonly maxWaiting: number; readonly patienceMs: number } };
}

describe("the configuration of two balancers", { skip }, () => {
  let fleet: LocalFleet;
  let authorization: string;
  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2, nodes: 0, etcd: true });
    authorization = fleet.operator("fleet:read config:write");
  });
  after(() => fleet[Symbol.asyncDispose]());

  async function send(index: number, method: string, path: string, body?: object): Promise<[number, Version]> {
    const headers = { authorization, ...(body && { "content-type": "application/json" }) };
    const response = await fetch(fleet.balancers[index].url + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return [response.status, (await response.json()) as Version];
  }

  async function inForce(index: number): Promise<Version> {
    return (await send(index, "GET", "/v1/config"))[1];
  }

  it("arrives at the other one", async (t) => {
    const first = await inForce(1);
    assert.equal((await send(0, "PATCH", "/v1/config", { queue: { maxWaiting: 123 } }))[0], 200);
    const ms = await until(async () => (await inForce(1)).config.queue.maxWaiting === 123);
    t.diagnostic(`after ${ms.toFixed(0)} ms`);
    const now = await inForce(1);
    assert.equal(now.changedBy, "operator");
    assert.ok(now.version > first.version);
    assert.deepEqual(now, await inForce(0));
  });

  it("is what one of two says who change it at once; the other is told", async () => {
    for (let round = 0; round < 5; round++) {
      const replies = await Promise.all(
        [0, 1].map((index) => send(index, "PATCH", "/v1/config", { queue: { maxWaiting: 1000 + 2 * round + index } })),
      );
      const won = [0, 1].filter((index) => replies[index][0] === 200);
      // Where one was late enough to have heard of the other, both are in force, one after the other.
      assert.ok(won.length >= 1, JSON.stringify(replies));
      for (const index of [0, 1]) if (!won.includes(index)) assert.equal(replies[index][0], 409);
      await until(async () => (await inForce(0)).version === (await inForce(1)).version);
      const { maxWaiting } = (await inForce(0)).config.queue;
      assert.ok(won.some((index) => maxWaiting === 1000 + 2 * round + index));
      assert.equal((await inForce(1)).config.queue.maxWaiting, maxWaiting);
    }
  });

  it("is rolled back at one for both", async () => {
    const { version, config } = await inForce(0);
    assert.equal((await send(0, "PATCH", "/v1/config", { queue: { patienceMs: 4321 } }))[0], 200);
    await until(async () => (await inForce(1)).config.queue.patienceMs === 4321);
    assert.equal((await send(1, "POST", "/v1/config/rollback", { version }))[0], 200);
    await until(async () => (await inForce(0)).config.queue.patienceMs === config.queue.patienceMs);
    assert.deepEqual((await inForce(0)).config, config);
    assert.equal((await send(1, "POST", "/v1/config/rollback", { version: 99_999 }))[0], 404);
  });

  it("is still there for one that is killed and starts again", async () => {
    const { config } = await inForce(0);
    await fleet.balancers[1].kill();
    await fleet.restartBalancer(1);
    await until(async () => (await inForce(1)).config.queue.maxWaiting === config.queue.maxWaiting);
    assert.deepEqual((await inForce(1)).config, config);
  });
});
