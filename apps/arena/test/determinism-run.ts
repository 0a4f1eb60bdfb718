/** The arena's game played without a network, for every engine alike: bundled for browsers, imported by Node. */
import { checkDeterminism } from "@riposte/simulation/determinism";
import type { DeterminismReport } from "@riposte/simulation/determinism";
import { game } from "../src/game.ts";
import { writeProfile } from "../src/profile.ts";

/** Ten seconds of six players who walk about, dash and shoot. */
export const result: DeterminismReport = checkDeterminism(game, {
  ticks: 600,
  players: 6,
  userData: (player) => writeProfile({ name: `player ${player}`, hue: player * 40 }),
});
