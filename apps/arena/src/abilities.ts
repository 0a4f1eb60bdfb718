/** What a player can do: rifle, orb, dash and mend, by the numbers of the rules. */
import { abilityEvents, AbilityPredictor, defineAbilities } from "@riposte/simulation";
import {
  DASH_COOLDOWN_TICKS,
  DASH_ENERGY,
  ENERGY_PER_SEC,
  MAX_ENERGY,
  MAX_HEALTH,
  MEND_CAST_TICKS,
  MEND_CHARGES,
  MEND_ENERGY,
  MEND_EVERY_TICKS,
  MEND_HEALTH,
  MEND_RECHARGE_TICKS,
  MEND_TICKS,
  ORB_COOLDOWN_TICKS,
  ORB_ENERGY,
  RIFLE_COOLDOWN_TICKS,
  TICK_RATE,
} from "./rules.ts";
import type { ArenaWorld, PlayerRow, Wish } from "./states.ts";

export const abilityKit = defineAbilities({
  tickRate: TICK_RATE,
  resources: { energy: { max: MAX_ENERGY, regenerationPerSec: ENERGY_PER_SEC } },
  effects: { mending: { durationTicks: MEND_TICKS, everyTicks: MEND_EVERY_TICKS } },
  abilities: {
    rifle: { cooldownTicks: RIFLE_COOLDOWN_TICKS },
    orb: { cooldownTicks: ORB_COOLDOWN_TICKS, cost: { energy: ORB_ENERGY } },
    dash: { cooldownTicks: DASH_COOLDOWN_TICKS, cost: { energy: DASH_ENERGY } },
    mend: {
      charges: MEND_CHARGES,
      rechargeTicks: MEND_RECHARGE_TICKS,
      cost: { energy: MEND_ENERGY },
      castTicks: MEND_CAST_TICKS,
      effects: ["mending"],
      // Who shoots instead gets it back; who is shot does not.
      cancel: { ability: "refund", damage: "forfeit" },
    },
  },
});

export type AbilityName = (typeof abilityKit)["abilities"][number]["name"];

/** What its player hears of a mend. */
export const mendEvents = abilityEvents(abilityKit, {
  audience: "owner",
  kinds: ["castStarted", "castCancelled", "effectTicked"],
});

export function abilitiesOf(world: ArenaWorld): AbilityPredictor<AbilityName, "mending", "energy"> {
  const abilities = AbilityPredictor.of(abilityKit, world.players);
  abilities.events ??= mendEvents.into(world);
  return abilities;
}

/** Once a tick: what comes back comes back, and wounds close. */
export function stepAbilities(world: ArenaWorld, player: PlayerRow, wish: Wish): void {
  const abilities = abilitiesOf(world);
  const now = abilities.step(player, world);
  if (world.isServer && now.ticks("mending") > 0) player.health = Math.min(MAX_HEALTH, player.health + MEND_HEALTH);
  if (wish.mend) abilities.activate(player, "mend", world);
}
