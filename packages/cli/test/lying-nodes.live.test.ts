/**
 * One node of three lies: it says that it is empty while it sends everybody away; it reports numbers that cannot be; it says
 * that it has lent more seats than it has. All players get a seat elsewhere, and the others are not disturbed.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LocalFleet, shows, sleep } from "./fleet/local-fleet.ts";
import { frontBy } from "./fleet/meddling-proxy.ts";
import type { Meddling, MeddlingProxy } from "./fleet/meddling-proxy.ts";

const LIAR = "node-2";
const PLAY_MS = 7000;
const SEATS = 1500;
/** Who is sent away asks again, and not for that node. */
const SEATED_WITHIN_MS = 1500;

interface Lie {
  readonly name: string;
  readonly says: (report: Record<string, unknown>) => object;
  readonly refuses: boolean;
  /** Of the players, in the last seconds, at most this share is sent there. */
  readonly share: number;
}

const empty = { sessions: 0, players: 0, reserved: 0, cpu: 0, tickMs: 0 };
const LIES: readonly Lie[] = [
  { name: "it is empty, and sends everybody away", says: () => ({ load: empty }), refuses: true, share: 0.1 },
  {
    name: "numbers that cannot be",
    says: () => ({
      load: { sessions: 1e300, players: 1e300, reserved: 5e-324, cpu: 1e300, tickMs: 1e300 },
      arrived: 2 ** 52,
    }),
    refuses: false,
    share: 1,
  },
  {
    name: "no numbers at all",
    says: () => ({ load: { ...empty, players: "many", cpu: null }, expired: -1 }),
    refuses: false,
    share: 0,
  },
  {
    name: "more seats than it has",
    says: ({ seats }) => ({
      load: empty,
      seats: {
        ...(seats as object),
        grants: Array.from({ length: 64 }, (_, i) => ({
          block: 100_000 + 64 * Math.floor(performance.now() / 500) + i,
          seats: 32,
        })),
      },
    }),
    refuses: true,
    share: 0,
  },
];

describe("a node that lies", () => {
  let fleet: LocalFleet;
  const proxies: MeddlingProxy[] = [];
  before(async () => {
    const config = new URL("short-seats.json", import.meta.url).pathname;
    fleet = await LocalFleet.start({
      balancers: 2,
      front: frontBy(proxies),
      seats: SEATS,
      balancer: () => ({ config }),
    });
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  });

  for (const { name, says, refuses, share } of LIES)
    it(`says: ${name}`, async (t) => {
      const index = fleet.nodes.findIndex(({ nodes }) => nodes.includes(LIAR));
      await shows(
        t,
        async () => {
          const rewrite: Meddling["rewrite"] = (node, report) =>
            node === LIAR ? { ...report, ...says(report) } : report;
          if (refuses) await fleet.nodes[index].refuse([LIAR]);
          for (const proxy of proxies) proxy.meddling = { rewrite };
          await sleep(500);
          const players = fleet.players({ leave: true });
          players.start();
          await sleep(PLAY_MS);
          await players.finish();
          return players;
        },
        async (players) => {
          assert.deepEqual(players.lost, []);
          assert.ok(players.stories.every(({ turnedAway }) => turnedAway.length <= 1));
          const seatedMs = Math.max(...players.stories.map(({ told, startedAt }) => told.at(-1)!.at - startedAt));
          const last = Math.max(...players.stories.map(({ startedAt }) => startedAt));
          const late = players.stories.filter(({ startedAt }) => startedAt > last - PLAY_MS / 4);
          const there = late.filter(({ told }) => told[0].answer.node.id === LIAR).length / late.length;
          t.diagnostic(
            `at last ${(100 * there).toFixed(0)} % are sent there; seated after ${seatedMs.toFixed(0)} ms at most`,
          );
          assert.ok(there <= share, `${there} are sent there`);
          assert.ok(seatedMs < SEATED_WITHIN_MS, `${seatedMs} ms`);
          const seats = (await Promise.all(fleet.nodes.map((node) => node.seats()))).flat();
          for (const { id, counts, seated, capacity } of seats) {
            assert.ok(seated <= capacity);
            if (id !== LIAR) assert.deepEqual([id, counts.refused, counts.lost], [id, 0, 0]);
          }
        },
      );
      // The next lie is another node's, with a clean name.
      for (const proxy of proxies) proxy.meddling = {};
      await fleet.nodes[index].kill();
      fleet.nodes[index] = await fleet.startNode(2);
      await sleep(6000);
    });
});
