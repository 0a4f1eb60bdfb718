/** What every engine must come to: bundled for browsers, imported by Node. */
import { checkDeterminism } from "@riposte/simulation/determinism";
import type { Checkpoint } from "@riposte/simulation/determinism";
import { determinismGame } from "./determinism-game.ts";
import { hashSamples } from "./math-samples.ts";

export interface EngineResult {
  readonly math: Record<string, string>;
  /** Of the engine's own `Math`: why all this is needed. */
  readonly native: Record<string, string>;
  readonly checkpoints: readonly Checkpoint[];
  readonly problems: readonly string[];
}

const { checkpoints, problems } = checkDeterminism(determinismGame, { ticks: 600, players: 6, checkpointTicks: 30 });

export const result: EngineResult = { math: hashSamples(), native: hashSamples(Math), checkpoints, problems };
