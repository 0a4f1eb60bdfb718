/** What there is in the arena, field by field, and what a player can want. */
import { abilityFields, angle, bool, circle, defineInput, defineState, float, text, uint } from "@riposte/simulation";
import type { FieldsOf, Values, World } from "@riposte/simulation";
import { abilityKit } from "./abilities.ts";
import { DASH_TICKS, FIELD, MAX_HEALTH, ORB_RADIUS, PLAYER_RADIUS } from "./rules.ts";

/** Nobody walks this far in one snapshot: a longer way is a respawn. */
const coordinate = float({ min: -FIELD, max: FIELD, step: 1 / 256, teleport: 6 });
const speed = float({ min: -32, max: 32, step: 1 / 64, audience: "owner" });

export const Player = defineState(
  {
    x: coordinate,
    y: coordinate,
    vx: speed,
    vy: speed,
    aim: angle({ bits: 11 }),
    // Only the server takes and gives health.
    health: uint({ max: MAX_HEALTH, predicted: false }),
    // Energy, cooldowns, charges, casts and effects, for the owner.
    ...abilityFields(abilityKit),
    /** Ticks left of a dash. */
    dash: uint({ max: DASH_TICKS }),
    /** Rifle shots since the game began, for muzzle flashes; they wrap. */
    shots: uint({ max: 255 }),
    shielded: bool({ predicted: false }),
    name: text({ maxBytes: 16, predicted: false }),
    hue: uint({ max: 179, predicted: false }),
    // The server's own notes.
    shieldTicks: uint({ max: 255, audience: "server", predicted: false }),
    respawnTicks: uint({ max: 255, audience: "server", predicted: false }),
    calmTicks: uint({ max: 1023, audience: "server", predicted: false }),
    regrown: float({ min: 0, max: 1, step: 1 / 256, audience: "server", predicted: false }),
    kills: uint({ max: 1023, audience: "server", predicted: false }),
    deaths: uint({ max: 1023, audience: "server", predicted: false }),
  },
  { capacity: 128, hitbox: circle({ radius: PLAYER_RADIUS }) },
);

/** Its owner shot it, and simulates it, too. */
export const Orb = defineState(
  {
    x: coordinate,
    y: coordinate,
    angle: angle({ bits: 11 }),
    /** The tick in which it bursts by itself, modulo 256. */
    endsAtTick: uint({ max: 255, audience: "owner" }),
  },
  { capacity: 256, hitbox: circle({ radius: ORB_RADIUS }) },
);

export const Intent = defineInput({
  up: bool(),
  down: bool(),
  left: bool(),
  right: bool(),
  fire: bool(),
  orb: bool(),
  dash: bool(),
  mend: bool(),
  aim: angle({ bits: 11 }),
});

export const states = { players: Player, orbs: Orb };

export type ArenaWorld = World<typeof states>;
export type PlayerRow = ReturnType<ArenaWorld["players"]["rowAt"]>;
export type OrbRow = ReturnType<ArenaWorld["orbs"]["rowAt"]>;

/** The plain values of one input. */
export type Wish = Readonly<Values<FieldsOf<typeof Intent>>>;

/** Nothing pressed. */
export const IDLE: Wish = {
  up: false,
  down: false,
  left: false,
  right: false,
  fire: false,
  orb: false,
  dash: false,
  mend: false,
  aim: 0,
};
