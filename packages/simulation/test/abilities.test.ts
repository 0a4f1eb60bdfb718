import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  AbilityPredictor,
  AbilityVerdicts,
  compareAbilities,
  inspectAbilities,
  predictionResult,
} from "@riposte/simulation";
import type { HappenedAbility, PlayedEvent, PredictionResult } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import { ABILITIES, abilityGame, happened, kit } from "./ability-game.ts";
import type { Ability, Decision } from "./ability-game.ts";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";

const idle = { dash: false, rifle: false, mend: false, stop: false };

function nameOf({ kind, name }: HappenedAbility, { tick }: PlayedEvent): string {
  return `${tick} ${name} ${kind}`;
}

/** One player on a link, whose verdicts are taken once a frame. */
function play(
  conditions: LinkConditions,
  ...rules: [forbids?: (tick: number, ability: Ability) => boolean, hits?: (tick: number) => boolean]
) {
  const decisions: Decision[] = [];
  const network = new TestNetwork(abilityGame(decisions, ...rules));
  const player = network.add(conditions, idle);
  const verdicts = new AbilityVerdicts(kit);
  const results: PredictionResult<Ability>[] = [];
  const out = predictionResult(kit);
  const { view, world } = player.client;
  /** Events as the player heard them, by what and when; those that were revoked are gone again. */
  const played: string[] = [];
  const revoked: string[] = [];
  happened.on(
    player.client.events,
    (event, about) => void played.push(nameOf(event, about)),
    (event, about) => void revoked.push(nameOf(event, about)),
  );
  /** The server's own. */
  const truth: string[] = [];
  const send = happened.into(network.match.world);
  AbilityPredictor.of(kit, network.match.world.heroes).events = {
    emit(event): void {
      truth.push(`${event.tick} ${event.name} ${event.kind}`);
      send.emit(event);
    },
  };
  player.onFrame = (): void => {
    const mine = world.heroes.firstOwnedBy(player.seat);
    verdicts.update(mine, player.client.predictedTick, mine && view.heroes.authoritative(mine), view.confirmedTick);
    while (verdicts.poll(out)) results.push({ ...out });
  };
  network.run(1200);
  const there = network.match.world.heroes;
  const here = world.heroes;
  const rows = (): [here: Int32Array, there: Int32Array] => {
    const mine = here.firstOwnedBy(player.seat) ?? assert.fail();
    const own = new Int32Array(here.wordCount);
    const word = new Int32Array(there.wordCount);
    here.readWords(mine.index, own, 0);
    there.readWords(mine.index, word, 0);
    return [own, word];
  };
  /** Hands off until energy and charges are full, every word has arrived, and the log, which ages by the tick, is empty here and there. */
  const settle = (): void => {
    player.input = idle;
    network.run(9500);
  };
  return { network, player, decisions, results, verdicts, rows, settle, here, there, played, revoked, truth };
}

function outcomes(results: readonly PredictionResult[], ability: Ability): string[] {
  return results.filter((result) => result.ability === ability).map(({ outcome, reason }) => `${outcome} ${reason}`);
}

describe("abilities in a game", () => {
  it("shows a dash at once, and hears a round trip later that it was right", () => {
    const { network, player, results, rows } = play({ latencyMs: 100 });
    player.input = { ...idle, dash: true };
    network.run(40);
    player.input = idle;
    network.run(20);
    assert.deepEqual(outcomes(results, "dash"), ["predicted none"]);
    network.run(300);
    assert.deepEqual(outcomes(results, "dash"), ["predicted none", "confirmed none"]);
    assert.equal(player.client.stats.mispredictions, 0);
    network.run(5000);
    assert.deepEqual(...rows());
  });

  it("undoes what only the server could refuse: cost, cooldown, charge, cast and effect", () => {
    const { network, player, results, rows, here, played, revoked } = play(
      { latencyMs: 100 },
      (_tick, ability) => ability !== "rifle",
    );
    const abilities = AbilityPredictor.of(kit, here);
    player.input = { ...idle, dash: true };
    network.run(30);
    player.input = idle;
    network.run(30);
    const mine = here.firstOwnedBy(player.seat) ?? assert.fail();
    assert.ok(mine.energy < 72 && abilities.isActive(mine, "haste"));
    network.run(200);
    assert.deepEqual(outcomes(results, "dash"), ["predicted none", "rejected refused"]);
    network.run(200);
    assert.ok(played.some((event) => event.endsWith("dash activated")));
    assert.deepEqual(played, revoked);
    assert.equal(mine.energy, 100);
    const { abilities: status, effects } = inspectAbilities(kit, mine, player.client.predictedTick);
    assert.deepEqual(effects, {});
    assert.equal(status.dash.cooldownTicks, 0);
    assert.equal(status.mend.charges, 2);
    assert.deepEqual(...rows());
  });

  it("lets both sides be compared while the game runs", () => {
    const { network, player, here, there } = play({ latencyMs: 80 });
    player.input = { ...idle, mend: true };
    network.run(200);
    const mine = here.firstOwnedBy(player.seat) ?? assert.fail();
    const truth = there.firstOwnedBy(player.seat) ?? assert.fail();
    const differences = compareAbilities(
      inspectAbilities(kit, mine, player.client.predictedTick),
      inspectAbilities(kit, truth, network.match.currentTick),
    );
    // Only what regenerates differs between two ticks of the same course.
    assert.ok(
      differences.every(({ path }) => path === "resources.energy"),
      JSON.stringify(differences),
    );
  });

  it("agrees with the server in the end, and tells every verdict truly, whatever the link and the rules", () => {
    const plays = fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
      const random = new TickRandom();
      random.reseed(seed, 0);
      const pick = (from: number, to: number): number => from + random.next() * (to - from);
      const conditions = { latencyMs: pick(10, 300), jitterMs: pick(0, 40), lossRate: pick(0, 0.2) };
      const refusals = pick(0, 0.5);
      const forbids = (tick: number, ability: Ability): boolean =>
        ((tick * 2654435761 + ABILITIES.indexOf(ability) * 40503 + seed * 977) >>> 8) % 100 < refusals * 100;
      const hits = (tick: number): boolean => (tick * 7919 + seed) % 97 === 0;
      const { network, player, decisions, results, verdicts, rows, settle, played, revoked, truth } = play(
        conditions,
        forbids,
        hits,
      );
      for (let i = 0; i < 60; i++) {
        player.input = {
          dash: random.next() < 0.3,
          rifle: random.next() < 0.4,
          mend: random.next() < 0.3,
          stop: random.next() < 0.1,
        };
        network.run(pick(15, 200));
      }
      settle();
      const message = `seed ${seed}, ${JSON.stringify(conditions)}`;
      const [own, server] = rows();
      assert.deepEqual(own, server, message);
      assert.equal(verdicts.stats.dropped, 0, message);
      checkVerdicts(results, decisions, message);
      checkEvents(played, revoked, truth, message);
    });
    fc.assert(plays, { seed: 8, numRuns: 12, endOnFailure: true });
  });

  it("gives a spamming client no more than the rules give anybody", () => {
    const { network, player, decisions } = play({ latencyMs: 60 });
    const from = network.match.currentTick;
    player.input = { dash: true, rifle: true, mend: true, stop: false };
    // Every packet twice more, and late: a second opinion on a tick is worth nothing.
    const forge = (): void => {
      for (const { bytes, reliable } of player.held) {
        player.up.send(bytes, reliable, network.now, player.conditions);
        player.up.send(bytes, reliable, network.now + 90, player.conditions);
      }
    };
    for (let i = 0; i < 600; i++) {
      forge();
      network.run(16);
    }
    const ticks = network.match.currentTick - from;
    const accepted = (ability: Ability): number =>
      decisions.filter((decision) => decision.ability === ability && decision.reason === "none").length;
    for (const [ability, cooldown] of [
      ["dash", 66],
      ["rifle", 8],
    ] as const)
      assert.ok(
        accepted(ability) <= Math.ceil(ticks / cooldown) + 1,
        `${accepted(ability)} ${ability} in ${ticks} ticks`,
      );
    // A cast that is cancelled gives its charge back: what counts is how many came through.
    const mended = network.match.world.heroes.firstOwnedBy(player.seat)?.bonus ?? 0;
    assert.ok(mended <= 2 + ticks / 96, `${mended} mends in ${ticks} ticks`);
    assert.ok(accepted("rifle") > ticks / 10 && accepted("dash") > 3);
    const spent = accepted("dash") * 30 + mended * 12;
    assert.ok(spent <= 100 + (22 * ticks) / 60, `${spent} energy in ${ticks} ticks`);
  });

  it("cannot be told by a client what it has: what it does to its own state is gone with the next word", () => {
    const { network, player, results, rows, here, there } = play({ latencyMs: 60 });
    const mine = here.firstOwnedBy(player.seat) ?? assert.fail();
    const truth = there.firstOwnedBy(player.seat) ?? assert.fail();
    truth.energy = 10;
    network.run(300);
    const cheat = player.onFrame;
    player.onFrame = (now): void => {
      mine.energy = 100;
      cheat?.(now);
    };
    player.input = { ...idle, dash: true };
    network.run(400);
    player.onFrame = cheat;
    player.input = idle;
    assert.ok(truth.energy < 30 && !AbilityPredictor.of(kit, there).isActive(truth, "haste"));
    network.run(6000);
    assert.ok(outcomes(results, "dash").includes("rejected cost"), outcomes(results, "dash").join());
    assert.ok(!outcomes(results, "dash").includes("confirmed none"));
    assert.deepEqual(...rows());
  });
});

/** What is not revoked was played once each, and is what happened on the server. */
function checkEvents(
  played: readonly string[],
  revoked: readonly string[],
  truth: readonly string[],
  message: string,
): void {
  const left = [...played];
  for (const event of revoked) {
    const at = left.indexOf(event);
    assert.ok(at >= 0, `${message}: ${event} was revoked and never played`);
    left.splice(at, 1);
  }
  assert.ok(left.length > 10, message);
  assert.deepEqual(left.toSorted(), [...truth].toSorted(), message);
}

/** Each request that was predicted is judged once, and as the server decided; what the server accepted is told. */
function checkVerdicts(results: readonly PredictionResult[], decisions: readonly Decision[], message: string): void {
  const decided = new Map(decisions.map((decision) => [`${decision.tick} ${decision.ability}`, decision.reason]));
  const verdicts = new Map<string, PredictionResult>();
  const predicted = new Set<string>();
  for (const result of results) {
    const key = `${result.tick} ${result.ability}`;
    const known = result.outcome === "predicted" ? predicted.has(key) : verdicts.has(key);
    assert.ok(!known, `${message}: ${key} ${result.outcome} twice`);
    if (result.outcome === "predicted") predicted.add(key);
    else verdicts.set(key, result);
  }
  assert.ok(predicted.size > 5, message);
  for (const key of predicted) assert.ok(verdicts.has(key), `${message}: no verdict on ${key}`);
  for (const [key, { outcome, reason }] of verdicts) {
    const truth = decided.get(key);
    if (reason === "unknown") continue;
    assert.equal(outcome === "confirmed", truth === "none", `${message}: ${key} ${outcome}, the server said ${truth}`);
    if (outcome === "confirmed") continue;
    // A request that was lost in the middle of a run of refusals gets the reason of the run.
    const [tick, ability] = key.split(" ");
    const before = decisions.findLast((decision) => decision.ability === ability && decision.tick < Number(tick));
    const expected = truth ?? (reason === "lost" ? "lost" : before?.reason);
    assert.equal(reason, expected, `${message}: ${key}`);
  }
}
