/**
 * Nodes as processes of their own, under a steady load: each is killed and started again, and each is stopped and continued.
 * Nobody is sent to a dead node later than 2.5 s after its death, and whoever was sent there gets a seat elsewhere.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LocalFleet, shows, sleep } from "./fleet/local-fleet.ts";

/** A lease, and what an answer may take after it. */
const NOBODY_AFTER_MS = 2500;
const DOWN_MS = 3200;
const CALM_MS = 800;

interface Outage {
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

describe("nodes that die", () => {
  let fleet: LocalFleet;
  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2 });
  });
  after(() => fleet[Symbol.asyncDispose]());

  for (const fault of ["kill -9", "SIGSTOP"] as const)
    it(`${fault} of each: it gets nobody after ${NOBODY_AFTER_MS} ms, and nobody is lost`, async (t) => {
      const outages: Outage[] = [];
      await shows(
        t,
        async () => {
          const players = fleet.players();
          players.start();
          await sleep(CALM_MS);
          for (const [index, node] of [...fleet.nodes].entries()) {
            if (fault === "SIGSTOP") node.stop();
            else await node.kill();
            const from = node.downSince!;
            await sleep(DOWN_MS);
            outages.push({ node: node.nodes[0], from, to: performance.now() });
            if (fault === "SIGSTOP") node.continue();
            else fleet.nodes[index] = await fleet.startNode(index);
            await sleep(CALM_MS);
          }
          await players.finish();
          return players;
        },
        async (players) => {
          await fleet.checkAll(players);
          const late = players.stories.flatMap(({ told }) =>
            told.flatMap(({ answer, at }) =>
              outages
                .filter(({ node, from, to }) => node === answer.node.id && at > from + NOBODY_AFTER_MS && at < to)
                .map(({ from }) => at - from),
            ),
          );
          const sent = players.stories.flatMap(({ told }) =>
            told.flatMap(({ answer, at }) =>
              outages
                .filter(({ node, from, to }) => node === answer.node.id && at > from && at < to)
                .map(({ from }) => at - from),
            ),
          );
          t.diagnostic(
            `sent to a dead node: ${sent.length}, the last ${Math.max(0, ...sent).toFixed(0)} ms after its death`,
          );
          assert.deepEqual(late, []);
        },
      );
    });
});
