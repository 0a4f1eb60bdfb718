/**
 * Of what nodes and balancers say to each other, in each direction, 20 % is lost, and as much is late: players get seats as
 * before, and no seat is lost or doubled.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LocalFleet, isLong, shows, sleep } from "./fleet/local-fleet.ts";
import { frontBy } from "./fleet/meddling-proxy.ts";
import type { MeddlingProxy } from "./fleet/meddling-proxy.ts";

const PLAY_MS = isLong ? 60_000 : 8000;
/** Where the seats that a balancer was lent run out before the next report comes through, players wait a second in its queue. */
const ANSWERED_WITHIN_MS = 3000;

describe("a fleet that loses 20 % between nodes and balancers", () => {
  let fleet: LocalFleet;
  const proxies: MeddlingProxy[] = [];
  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2, front: frontBy(proxies) });
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  });

  it("seats everybody, once", (t) =>
    shows(
      t,
      async () => {
        for (const proxy of proxies) proxy.meddling = { loss: 0.2, delayed: 0.2, delayMs: 400 };
        const players = fleet.players();
        players.start();
        await sleep(PLAY_MS);
        await players.finish();
        for (const proxy of proxies) proxy.meddling = {};
        return players;
      },
      async (players) => {
        const lost = proxies.reduce((sum, proxy) => sum + proxy.lost, 0);
        t.diagnostic(`${lost} messages were lost`);
        assert.ok(lost > 20);
        await fleet.checkAll(players);
        assert.deepEqual(
          players.stories.flatMap(({ turnedAway }) => turnedAway),
          [],
        );
        const longest = players.answerTimes().at(-1)!;
        assert.ok(longest < ANSWERED_WITHIN_MS, `somebody waited for ${longest.toFixed(0)} ms`);
        for (const { counts, id } of (await Promise.all(fleet.nodes.map((node) => node.seats()))).flat())
          assert.deepEqual([id, counts.lost, counts.refused], [id, 0, 0]);
      },
    ));
});
