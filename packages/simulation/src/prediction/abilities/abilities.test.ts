import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  abilityFields,
  AbilityPredictor,
  AbilityVerdicts,
  compareAbilities,
  defineAbilities,
  defineState,
  inspectAbilities,
  predictionResult,
  StateTable,
} from "@riposte/simulation";
import type { AbilityEvent } from "@riposte/simulation";

const kit = defineAbilities({
  tickRate: 60,
  resources: { energy: { max: 100, regenerationPerSec: 22 }, mana: { max: 50, step: 1, initial: 20 } },
  effects: {
    haste: { durationTicks: 30 },
    regrowth: { durationTicks: 40, everyTicks: 10 },
    poison: { durationTicks: 20, everyTicks: 5, stacking: "stack", maxStacks: 3, predicted: false },
    ward: { durationTicks: 10, stacking: "extend", maxStacks: 2 },
    stone: { durationTicks: 10, stacking: "keep" },
    hush: { durationTicks: 15, silences: true },
  },
  abilities: {
    dash: { cooldownTicks: 60, cost: { energy: 30 }, effects: ["haste"] },
    blink: { charges: 2, rechargeTicks: 100, globalCooldown: false },
    mend: {
      castTicks: 20,
      cooldownTicks: 50,
      cost: { mana: 10 },
      effects: ["regrowth"],
      cancel: { movement: "refund", damage: "forfeit", ability: "refund" },
    },
    roar: { castTicks: 10 },
    cleanse: { ignoresSilence: true },
  },
  globalCooldownTicks: 10,
});
const Hero = defineState({ ...abilityFields(kit) }, { capacity: 4 });

/** An entity, alone with its clock. */
function entity() {
  const table = new StateTable(Hero);
  const abilities = new AbilityPredictor(kit, table);
  const row = table.spawn(0);
  abilities.reset(row);
  table.settle();
  const world = { tick: 1, isServer: true };
  const events: string[] = [];
  abilities.events = {
    emit: ({ kind, name, tick, stacks }: AbilityEvent): void => void events.push(`${tick} ${kind} ${name} ${stacks}`),
  };
  const ask = (ability: (typeof kit)["abilities"][number]["name"], allowed = true): string =>
    abilities.activate(row, ability, world, allowed).reason;
  /** Ends the tick and goes on with `ticks` more. */
  const pass = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      table.settle();
      world.tick++;
      abilities.step(row, world);
    }
  };
  return { table, abilities, row, world, events, ask, pass, view: () => inspectAbilities(kit, row, world.tick) };
}

/** A client's and a server's row of the same entity. */
function sides() {
  const here = entity();
  const there = entity();
  here.world.isServer = false;
  const verdicts = new AbilityVerdicts(kit);
  const out = predictionResult(kit);
  const polled = (): string[] => {
    const all: string[] = [];
    while (verdicts.poll(out)) all.push(`${out.tick} ${out.ability} ${out.outcome} ${out.reason}`);
    return all;
  };
  verdicts.update(here.row, 1, undefined, 0);
  return { here, there, verdicts, polled };
}

describe("AbilityPredictor", () => {
  it("takes the cost and starts the cooldown, refuses until it is over, and says when", () => {
    const { ask, pass, row, view } = entity();
    assert.equal(ask("dash"), "none");
    assert.equal(row.energy, 70);
    assert.equal(view().abilities.dash.cooldownTicks, 60);
    pass(10);
    assert.equal(ask("dash"), "cooldown");
    pass(49);
    assert.equal(ask("dash"), "cooldown");
    pass(1);
    assert.equal(ask("dash"), "none");
    assert.equal(row.energy, 62);
  });

  it("refuses what cannot be paid, and takes nothing then", () => {
    const { ask, pass, row } = entity();
    row.energy = 29.9375;
    assert.equal(ask("dash"), "cost");
    assert.equal(row.energy, 29.9375);
    pass(1);
    assert.equal(ask("dash"), "none");
  });

  it("regenerates at the exact rate over time, in whole steps of the field", () => {
    const { pass, row } = entity();
    row.energy = 0;
    pass(60);
    assert.equal(row.energy, 22);
    pass(60 * 10);
    assert.equal(row.energy, 100);
  });

  it("gives charges back one after the other", () => {
    const { ask, pass, view } = entity();
    assert.equal(ask("blink"), "none");
    pass(30);
    assert.equal(ask("blink"), "none");
    pass(1);
    assert.equal(ask("blink"), "charges");
    assert.deepEqual(view().abilities.blink, { cooldownTicks: 0, charges: 0, rechargeTicks: 69 });
    pass(68);
    assert.equal(ask("blink"), "charges");
    pass(1);
    assert.equal(view().abilities.blink.charges, 1);
    assert.equal(ask("blink"), "none");
    pass(199);
    assert.equal(view().abilities.blink.charges, 1);
    pass(1);
    assert.deepEqual(view().abilities.blink, { cooldownTicks: 0, charges: 2, rechargeTicks: 0 });
  });

  it("keeps the global cooldown for those that heed it", () => {
    const { ask, pass } = entity();
    assert.equal(ask("dash"), "none");
    assert.equal(ask("mend"), "globalCooldown");
    assert.equal(ask("blink"), "none");
    pass(10);
    assert.equal(ask("mend"), "none");
  });

  it("takes effect when the cast is through", () => {
    const { ask, pass, abilities, row, world, events, view } = entity();
    assert.equal(ask("mend"), "none");
    assert.equal(row.mana, 10);
    assert.deepEqual(view().cast, { ability: "mend", leftTicks: 20, totalTicks: 20 });
    pass(19);
    assert.equal(abilities.castOf(row), "mend");
    assert.equal(abilities.isActive(row, "regrowth"), false);
    world.tick++;
    assert.equal(abilities.step(row, world).completed, "mend");
    assert.equal(abilities.castOf(row), undefined);
    assert.deepEqual(view().effects, { regrowth: { leftTicks: 40, stacks: 1, nextTicks: 10 } });
    assert.deepEqual(events, ["1 castStarted mend 1", "21 activated mend 1", "21 effectApplied regrowth 1"]);
  });

  it("cancels a cast by its rules, with or without giving back what it took", () => {
    const { ask, pass, abilities, row, world, view } = entity();
    ask("mend");
    pass(5);
    assert.equal(abilities.cancel(row, "event", world), false);
    assert.equal(abilities.cancel(row, "movement", world), true);
    assert.equal(row.mana, 20);
    assert.equal(view().abilities.mend.cooldownTicks, 0);
    pass(20);
    assert.equal(ask("mend"), "none");
    assert.equal(abilities.cancel(row, "damage", world), true);
    assert.equal(row.mana, 10);
    assert.equal(view().abilities.mend.cooldownTicks, 50);
    assert.equal(abilities.cancel(row, "damage", world), false);
  });

  it("lets another ability end a cast that allows it, and no cast that does not", () => {
    const { ask, pass, abilities, row, events } = entity();
    ask("mend");
    pass(10);
    assert.equal(ask("mend"), "casting");
    assert.equal(ask("dash"), "none");
    assert.equal(abilities.castOf(row), undefined);
    assert.equal(row.mana, 20);
    assert.ok(events.includes("11 castCancelled mend 1"));
    pass(10);
    assert.equal(ask("roar"), "none");
    pass(5);
    assert.equal(ask("blink"), "casting");
  });

  it("ticks an effect every period, up to and with its last tick", () => {
    const { ask, pass, abilities, row, world } = entity();
    ask("mend");
    pass(20);
    const ticks: number[] = [];
    for (let i = 0; i < 60; i++) {
      world.tick++;
      const now = abilities.step(row, world);
      if (now.ticks("regrowth") > 0) ticks.push(world.tick);
      assert.equal(now.ended("regrowth"), world.tick === 61);
    }
    assert.deepEqual(ticks, [31, 41, 51, 61]);
  });

  it("stacks, extends, refreshes or keeps, as declared", () => {
    const { pass, abilities, row, world, view } = entity();
    const put = (effect: (typeof kit)["effects"][number]["name"]): void => abilities.apply(row, effect, world);
    for (const effect of ["haste", "ward", "stone", "poison"] as const) put(effect);
    pass(5);
    for (const effect of ["haste", "ward", "stone", "poison"] as const) put(effect);
    const { haste, ward, stone, poison } = view().effects;
    assert.equal(haste?.leftTicks, 30);
    assert.equal(ward?.leftTicks, 15);
    assert.equal(stone?.leftTicks, 5);
    assert.deepEqual(poison, { leftTicks: 20, stacks: 2, nextTicks: 5 });
    for (let i = 0; i < 5; i++) put("poison");
    put("ward");
    assert.equal(view().effects.poison?.stacks, 3);
    assert.equal(view().effects.ward?.leftTicks, 20);
    assert.equal(abilities.remove(row, "poison", world), true);
    assert.equal(abilities.remove(row, "poison", world), false);
    assert.equal(abilities.stacksOf(row, "poison"), 0);
  });

  it("silences: casts end, nothing starts but what ignores it", () => {
    const { ask, pass, abilities, row, world } = entity();
    ask("mend");
    pass(12);
    abilities.apply(row, "hush", world);
    assert.equal(abilities.castOf(row), undefined);
    assert.equal(ask("blink"), "silenced");
    assert.equal(ask("cleanse"), "none");
    pass(15);
    assert.equal(ask("blink"), "none");
  });

  it("answers with a key, the outcome by side, and the game's own refusal", () => {
    const { abilities, row, world } = entity();
    const server = { ...abilities.activate(row, "dash", world) };
    assert.deepEqual(server, { key: 5, ability: "dash", outcome: "confirmed", reason: "none", tick: 1 });
    const there = { tick: 100, isServer: false };
    assert.equal(abilities.activate(row, "blink", there).outcome, "predicted");
    const refused = { ...abilities.activate(row, "cleanse", { tick: 200, isServer: true }, false) };
    assert.deepEqual(refused, { key: 1004, ability: "cleanse", outcome: "rejected", reason: "refused", tick: 200 });
  });

  it("logs a run of refusals once, and forgets what is old", () => {
    const { ask, pass, view } = entity();
    for (let i = 0; i < 70; i++) {
      ask("dash");
      pass(1);
    }
    assert.deepEqual(
      view().log.map(({ tick, reason }) => `${tick} ${reason}`),
      ["1 none", "2 globalCooldown", "11 cooldown", "61 none", "62 globalCooldown"],
    );
    pass(1000);
    assert.deepEqual(view().log, []);
  });

  it("is the same one for a table, and wants its fields", () => {
    const table = new StateTable(Hero);
    assert.equal(AbilityPredictor.of(kit, table), AbilityPredictor.of(kit, table));
    assert.throws(() => new AbilityPredictor(kit, new StateTable(defineState({}))), /no field "energy"/);
  });

  it("leaves an entity bit for bit as it was when it refuses, but for the log", () => {
    const asks = fc.array(fc.record({ wait: fc.nat(40), ability: fc.constantFrom(...kit.abilities) }), {
      minLength: 5,
      maxLength: 30,
    });
    fc.assert(
      fc.property(asks, fc.constantFrom(...kit.abilities), fc.boolean(), (steps, last, allowed) => {
        const { table, ask, pass, row } = entity();
        for (const { wait, ability } of steps) {
          ask(ability.name);
          pass(wait);
        }
        table.settle();
        const before = table.copyValues(row.index);
        const reason = ask(last.name, allowed);
        table.settle();
        const after = table.copyValues(row.index);
        const changed = Object.keys(after).filter((name) => Reflect.get(after, name) !== Reflect.get(before, name));
        if (reason === "none") assert.ok(changed.length > 0);
        else assert.ok(changed.every((name) => name.startsWith("abilityLog")));
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});

describe("defineAbilities", () => {
  const wrong: readonly [string, () => unknown, RegExp][] = [
    ["two units", () => defineAbilities({ tickRate: 60, abilities: { a: { castMs: 1, castTicks: 1 } } }), /not both/],
    ["charges without recharge", () => defineAbilities({ tickRate: 60, abilities: { a: { charges: 2 } } }), /charges/],
    [
      "a cost between two steps",
      () =>
        defineAbilities({
          tickRate: 60,
          resources: { mana: { max: 9, step: 1 } },
          abilities: { a: { cost: { mana: 1.5 } } },
        }),
      /whole number of steps/,
    ],
    [
      "stacks of what does not stack",
      () => defineAbilities({ tickRate: 60, effects: { e: { durationTicks: 1, maxStacks: 3 } }, abilities: {} }),
      /maxStacks/,
    ],
    ["a name that is none", () => defineAbilities({ tickRate: 60, abilities: { "a b": {} } }), /"a b"/],
    ["a negative time", () => defineAbilities({ tickRate: 60, abilities: { a: { castTicks: -1 } } }), /-1/],
  ];
  for (const [name, define, message] of wrong)
    it(`refuses ${name}`, () => {
      assert.throws(define, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });

  it("turns times into whole ticks, one at least", () => {
    const made = defineAbilities({ tickRate: 60, abilities: { a: { cooldownMs: 500, castMs: 1 } } });
    assert.equal(made.abilities[0].cooldownTicks, 30);
    assert.equal(made.abilities[0].castTicks, 1);
  });
});

describe("compareAbilities", () => {
  it("finds nothing between two ticks of the same course, and names what differs", () => {
    const { ask, pass, view } = entity();
    ask("blink");
    ask("roar");
    const before = view();
    pass(3);
    assert.deepEqual(compareAbilities(before, view()), []);
    pass(1);
    ask("dash");
    assert.deepEqual(
      compareAbilities(before, view()).map(({ path }) => path),
      ["log.2"],
    );
    pass(10);
    ask("dash");
    const paths = compareAbilities(before, view()).map(({ path }) => path);
    assert.ok(paths.includes("resources.energy") && paths.includes("abilities.dash.cooldownTicks"), paths.join());
  });
});

describe("AbilityVerdicts", () => {
  it("tells of a request once as predicted, and once as judged", () => {
    const { here, there, verdicts, polled } = sides();
    here.ask("dash");
    there.ask("dash");
    verdicts.update(here.row, 1, there.row, 0);
    verdicts.update(here.row, 1, there.row, 0);
    assert.deepEqual(polled(), ["1 dash predicted none"]);
    verdicts.update(here.row, 1, there.row, 1);
    assert.deepEqual(polled(), ["1 dash confirmed none"]);
    verdicts.update(here.row, 1, there.row, 2);
    assert.deepEqual(polled(), []);
  });

  it("tells the server's reason, that it never heard of it, or that it was not foreseen", () => {
    const { here, there, verdicts, polled } = sides();
    here.ask("dash");
    there.ask("dash", false);
    here.pass(20);
    there.pass(20);
    here.ask("mend");
    there.ask("blink");
    verdicts.update(here.row, 21, there.row, 0);
    assert.deepEqual(polled(), ["1 dash predicted none", "21 mend predicted none"]);
    verdicts.update(here.row, 21, there.row, 21);
    assert.deepEqual(polled(), ["21 blink confirmed none", "1 dash rejected refused", "21 mend rejected lost"]);
    assert.deepEqual(verdicts.stats, { predicted: 2, confirmed: 1, rejected: 2, dropped: 0 });
  });

  it("admits that the server's log has forgotten a request", () => {
    const { here, there, verdicts, polled } = sides();
    here.ask("dash");
    verdicts.update(here.row, 1, there.row, 0);
    there.pass(1);
    for (let i = 0; i < 12; i++) {
      there.ask("cleanse");
      there.pass(10);
    }
    verdicts.update(here.row, 1, there.row, 121);
    assert.equal(polled().at(-1), "1 dash rejected unknown");
  });
});
