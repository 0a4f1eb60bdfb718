/**
 * The store of a fleet, an etcd of three members, under a steady load: each member is killed and is stopped, all are gone for a while
 * (`npm run soak`: for a minute), and all come back with nothing. No player notices any of it.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import type { EtcdCluster } from "../../fleet/test/etcd-cluster.ts";
import { until } from "../../fleet/test/until.ts";
import { LocalFleet, isLong, shows, sleep } from "./fleet/local-fleet.ts";
import type { Players } from "./fleet/players.ts";

const { skip } = peerOrSkip("etcd");
const GONE_FOR_MS = isLong ? 60_000 : 8000;
const DOWN_MS = 1500;
const CALM_MS = 500;
const ANSWERED_WITHIN_MS = 1000;

describe("a fleet whose store dies", { skip }, () => {
  let fleet: LocalFleet;
  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2, etcd: true });
  });
  after(() => fleet[Symbol.asyncDispose]());

  async function check(players: Players): Promise<void> {
    await fleet.checkAll(players);
    assert.deepEqual(
      players.stories.flatMap(({ turnedAway }) => turnedAway),
      [],
    );
    const longest = players.answerTimes().at(-1)!;
    assert.ok(longest < ANSWERED_WITHIN_MS, `somebody waited for ${longest.toFixed(0)} ms`);
  }

  /** Every balancer has everything of the store, which can be written. */
  async function inStep(): Promise<void> {
    await until(async () => {
      const stats = await Promise.all(fleet.balancers.map((balancer) => fleet.stats(balancer)));
      return stats.every(({ store, unsavedNodes }) => store === "connected" && unsavedNodes === 0);
    });
  }

  for (const fault of ["kill -9", "SIGSTOP"] as const)
    it(`${fault} of each member: nobody notices`, (t) =>
      shows(
        t,
        async () => {
          const etcd = fleet.etcd!;
          const players = fleet.players();
          players.start();
          await sleep(CALM_MS);
          for (let member = 0; member < 3; member++) {
            if (fault === "SIGSTOP") etcd.freeze(member);
            else await etcd.kill(member);
            await sleep(DOWN_MS);
            if (fault === "SIGSTOP") etcd.thaw(member);
            else etcd.start(member);
            await etcd.ready();
          }
          await players.finish();
          return players;
        },
        check,
      ));

  it(`all gone for ${GONE_FOR_MS / 1000} s: nobody notices, and a node that comes meanwhile is in the store later`, async (t) => {
    await shows(
      t,
      async () => {
        const etcd = fleet.etcd!;
        await inStep();
        const players = fleet.players();
        players.start();
        await sleep(CALM_MS);
        for (let member = 0; member < 3; member++) etcd.freeze(member);
        await sleep(GONE_FOR_MS / 2);
        fleet.nodes.push(await fleet.startNode(fleet.nodes.length));
        await sleep(GONE_FOR_MS / 2);
        const stores = await Promise.all(fleet.balancers.map(async (balancer) => (await fleet.stats(balancer)).store));
        assert.deepEqual(stores, ["away", "away"]);
        for (let member = 0; member < 3; member++) etcd.thaw(member);
        await players.finish();
        return players;
      },
      async (players) => {
        await check(players);
        await inStep();
        const newest = fleet.nodes.at(-1)!.nodes[0];
        assert.ok(players.stories.some(({ told }) => told[0].answer.node.id === newest));
      },
    );
  });

  it("lost, and restored from nothing: nobody notices, and all is in it again", (t) =>
    shows(
      t,
      async () => {
        const etcd = fleet.etcd!;
        await inStep();
        const players = fleet.players();
        players.start();
        await sleep(CALM_MS);
        await etcd.wipe();
        await sleep(DOWN_MS);
        await etcd.startAll();
        await inStep();
        await players.finish();
        return players;
      },
      async (players) => {
        await check(players);
        const wanted = [
          ...fleet.nodes.flatMap(({ nodes }) => nodes).map((id) => `nodes/${id}`),
          ...fleet.balancers.map(({ id }) => `balancers/${id}`),
        ];
        // Connected again, a balancer learns within a moment that what it had put is gone.
        let missing = wanted;
        for (let i = 0; i < 50 && missing.length > 0; i++) {
          await sleep(100);
          const keys = await keysOf(fleet.etcd!);
          missing = wanted.filter((name) => !keys.some((key) => key.endsWith(name)));
        }
        assert.deepEqual(missing, []);
      },
    ));
});

async function keysOf(etcd: EtcdCluster): Promise<readonly string[]> {
  const all = Buffer.from("\0").toString("base64");
  const { kvs = [] } = (await etcd.post("/v3/kv/range", { key: all, range_end: all, keys_only: true })) as {
    readonly kvs?: readonly { readonly key: string }[];
  };
  return kvs.map(({ key }) => Buffer.from(key, "base64").toString());
}
