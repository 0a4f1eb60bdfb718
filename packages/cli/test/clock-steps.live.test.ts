/**
 * The wall clocks of balancers and of nodes jump by an hour, ahead and behind, while players come: everybody gets a seat, with a
 * token that the node takes, queue tickets stay good, and nobody loses a session.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LocalFleet, shows, sleep } from "./fleet/local-fleet.ts";

const STEP_MS = 1500;
const preload = ["--import", new URL("fleet/clock-steps.ts", import.meta.url).href];

describe("clocks that jump", () => {
  let fleet: LocalFleet;
  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2, balancer: () => ({ execArgv: preload }), nodeExecArgv: preload });
  });
  after(() => fleet[Symbol.asyncDispose]());

  for (const who of ["balancers", "nodes"] as const)
    it(`of ${who}: tokens are good, and nobody notices`, (t) =>
      shows(
        t,
        async () => {
          const players = fleet.players();
          players.start();
          await sleep(STEP_MS);
          // One after the other: ahead, behind, right again.
          for (const { process: child } of fleet[who].slice(0, 2))
            for (let step = 0; step < 3; step++) {
              child.kill("SIGUSR2");
              await sleep(STEP_MS);
            }
          await players.finish();
          return players;
        },
        async (players) => {
          await fleet.checkAll(players);
          // A token may be under way while the clock by which it was made jumps: that one is asked for again.
          const away = players.stories.flatMap(({ turnedAway }) => turnedAway);
          assert.ok(away.length < players.stories.length / 10, `${away.length} were turned away: ${away[0]}`);
          if (who === "balancers") assert.deepEqual(away, []);
        },
      ));
});
