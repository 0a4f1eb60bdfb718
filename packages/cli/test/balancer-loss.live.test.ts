/**
 * Balancers as processes of their own, under a steady load: each is killed, and each is stopped and continued. No player is left
 * without an answer for longer than a second, and no key has two.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LocalFleet, shows, sleep } from "./fleet/local-fleet.ts";

/** From the first question to the answer, however many balancers had to be asked. */
const ANSWERED_WITHIN_MS = 1000;
const DOWN_MS = 1800;
/** Also for one that has started again to be told what the other knows: two that are lost at once are another matter. */
const CALM_MS = 1600;

for (const count of [2, 3])
  describe(`${count} balancers of which one dies`, () => {
    let fleet: LocalFleet;
    before(async () => {
      fleet = await LocalFleet.start({ balancers: count });
    });
    after(() => fleet[Symbol.asyncDispose]());

    for (const fault of ["kill -9", "SIGSTOP"] as const)
      it(`${fault} of each: nobody waits longer than a second, nobody has two seats`, (t) =>
        shows(
          t,
          async () => {
            const players = fleet.players();
            players.start();
            await sleep(CALM_MS);
            for (const [index, balancer] of [...fleet.balancers].entries()) {
              if (fault === "SIGSTOP") balancer.stop();
              else await balancer.kill();
              await sleep(DOWN_MS);
              if (fault === "SIGSTOP") balancer.continue();
              else await fleet.restartBalancer(index);
              await sleep(CALM_MS);
            }
            await players.finish();
            return players;
          },
          async (players) => {
            await fleet.checkAll(players);
            assert.deepEqual(
              players.stories.flatMap(({ turnedAway }) => turnedAway),
              [],
            );
            // Answers that were there in time and were looked at late are this process' fault.
            const longest = players.answerTimes().at(-1)! - players.latenessMs;
            assert.ok(longest < ANSWERED_WITHIN_MS, `somebody waited for ${longest.toFixed(0)} ms`);
          },
        ));
  });
