/** A game whose players only use abilities: what the behaviour tests of abilities run. */
import {
  abilityEvents,
  abilityFields,
  AbilityPredictor,
  bool,
  defineAbilities,
  defineGame,
  defineInput,
  defineState,
  uint,
} from "@riposte/simulation";

export const kit = defineAbilities({
  tickRate: 60,
  resources: { energy: { max: 100, regenerationPerSec: 22 } },
  effects: {
    haste: { durationMs: 700 },
    regrowth: { durationMs: 1500, everyMs: 250, stacking: "stack", maxStacks: 3 },
  },
  abilities: {
    dash: { cooldownMs: 1100, cost: { energy: 30 }, effects: ["haste"] },
    rifle: { cooldownTicks: 8, globalCooldown: false },
    mend: {
      charges: 2,
      rechargeMs: 1600,
      castMs: 300,
      cost: { energy: 12 },
      effects: ["regrowth"],
      cancel: { ability: "refund", damage: "forfeit", player: "refund" },
    },
  },
  globalCooldownMs: 150,
});

export type Ability = (typeof kit)["abilities"][number]["name"];
export const ABILITIES: readonly Ability[] = ["dash", "rifle", "mend"];

export const happened = abilityEvents(kit, { audience: "owner" });

/** What the server decided, which no player is told directly. */
export interface Decision {
  readonly tick: number;
  readonly ability: Ability;
  readonly reason: string;
}

const States = {
  heroes: defineState(
    { health: uint({ max: 1000 }), bonus: uint({ max: 255 }), ...abilityFields(kit) },
    { capacity: 4 },
  ),
};

/** `forbids`: the rule that only the server knows. `hits`: what harms the player out of the blue. */
export function abilityGame(
  decisions: Decision[],
  forbids: (tick: number, ability: Ability) => boolean = () => false,
  hits: (tick: number) => boolean = () => false,
) {
  return defineGame({
    tickRate: 60,
    states: States,
    events: happened.definitions,
    input: defineInput({ dash: bool(), rifle: bool(), mend: bool(), stop: bool() }),
    join(world, client) {
      AbilityPredictor.of(kit, world.heroes).reset(world.heroes.spawn(client.id));
    },
    step(world, inputs) {
      const abilities = AbilityPredictor.of(kit, world.heroes);
      abilities.events ??= happened.into(world);
      for (const hero of world.heroes) {
        const now = abilities.step(hero, world);
        hero.health += now.ticks("regrowth");
        if (now.completed === "mend") hero.bonus = (hero.bonus + 1) & 255;
        if (world.isServer && hits(world.tick)) abilities.cancel(hero, "damage", world);
        const input = inputs.of(hero);
        if (input.stop) abilities.cancel(hero, "player", world);
        for (const ability of ABILITIES) {
          if (!input[ability]) continue;
          const { reason } = abilities.activate(hero, ability, world, !world.isServer || !forbids(world.tick, ability));
          if (world.isServer) decisions.push({ tick: world.tick, ability, reason });
        }
      }
    },
  });
}
