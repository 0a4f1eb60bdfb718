/** What is said once, beside the state: names, kills, hits, launches, bursts, the score board. */
import { defineEvent, defineMessage, float, list, text, uint } from "@riposte/simulation";

const coordinate = float({ min: -50, max: 50, step: 1 / 64 });

/** Server -> all: somebody fell. Where is not said: who is near sees it. */
export const Kill = defineMessage("kill", {
  killer: uint({ max: 255 }),
  victim: uint({ max: 255 }),
  killerName: text({ maxBytes: 16 }),
  victimName: text({ maxBytes: 16 }),
  killerHue: uint({ max: 179 }),
  victimHue: uint({ max: 179 }),
  weapon: uint({ max: 1 }),
});

/** Server -> the shooter: your shot counted. `rewoundX/Y` is where the server put the target to judge it. */
export const Hit = defineMessage("hit", {
  /** The shot: tick of its input, and 0 for the rifle, 1 for an orb. */
  tick: uint({ max: 2 ** 31 - 1 }),
  weapon: uint({ max: 1 }),
  victim: uint({ max: 255 }),
  damage: uint({ max: 127 }),
  x: coordinate,
  y: coordinate,
  rewoundX: coordinate,
  rewoundY: coordinate,
});

/** Somebody shoots an orb, which begins here. Others see the orb itself. */
export const Launch = defineEvent("launch", { x: coordinate, y: coordinate }, { audience: "owner" });

/** An orb bursts here. On a wall its owner foresees it, on a player nobody but the server does. */
export const Blast = defineEvent("blast", { shooter: uint({ max: 255 }), x: coordinate, y: coordinate });

/** Server -> all, once a second: the best, and how many play. The lists run in parallel. */
export const Scores = defineMessage("scores", {
  players: uint({ max: 255 }),
  seats: list(uint({ max: 255 }), { max: 8 }),
  names: list(text({ maxBytes: 16 }), { max: 8 }),
  hues: list(uint({ max: 179 }), { max: 8 }),
  kills: list(uint({ max: 1023 }), { max: 8 }),
  deaths: list(uint({ max: 1023 }), { max: 8 }),
});
