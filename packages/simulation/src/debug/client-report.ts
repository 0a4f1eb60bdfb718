/** How a client's prediction is doing, as plain data: what a server asks it over the debug channel. */
import type { GameClient } from "../game/game-client.ts";
import { isObject } from "./player-history.ts";
import type { MispredictionNote } from "./misprediction-recorder.ts";

export interface ClientPredictionReport {
  readonly seat: number;
  readonly predictedTick: number;
  readonly snapshotTick: number;
  /** Every number of `client.stats` and of its `prediction`, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** The last mispredictions, oldest first. */
  readonly mispredictions: readonly MispredictionNote[];
}

type Reported = Pick<GameClient, "seat" | "predictedTick" | "snapshotTick" | "stats" | "mispredictions">;

export function reportPrediction(client: Reported): ClientPredictionReport {
  return {
    seat: client.seat,
    predictedTick: client.predictedTick,
    snapshotTick: client.snapshotTick,
    figures: { ...numbersOf(client.stats), ...numbersOf(client.stats.prediction) },
    mispredictions: client.mispredictions.reports.map(({ number: _number, history: _history, ...note }) => note),
  };
}

/** Reads a report that came as JSON from a client, who may claim what it likes; `undefined` when it is none. */
export function readPredictionReport(value: unknown): ClientPredictionReport | undefined {
  if (!isObject(value) || !isObject(value.figures) || !Array.isArray(value.mispredictions)) return undefined;
  const { seat, predictedTick, snapshotTick } = value;
  if (typeof seat !== "number" || typeof predictedTick !== "number" || typeof snapshotTick !== "number")
    return undefined;
  if (!value.mispredictions.every(isNote)) return undefined;
  return { seat, predictedTick, snapshotTick, figures: numbersOf(value.figures), mispredictions: value.mispredictions };
}

function isNote(value: unknown): value is MispredictionNote {
  return (
    isObject(value) &&
    typeof value.tick === "number" &&
    typeof value.table === "string" &&
    typeof value.entity === "number" &&
    typeof value.field === "string" &&
    typeof value.distance === "number" &&
    isObject(value.input)
  );
}

function numbersOf(source: object): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(source)) if (typeof value === "number") numbers[name] = value;
  return numbers;
}
