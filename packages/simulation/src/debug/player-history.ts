/**
 * One player's last ticks as plain data: the inputs that were used and what its own entities were afterwards. Both ends
 * write theirs; `explainMisprediction` holds one against the other. Goes over the debug channel, and into files.
 */
import { INPUT_ORIGINS } from "../prediction/input/player-input.ts";
import type { InputOrigin } from "../prediction/input/player-input.ts";
import type { Fields, RecordDefinition, StateDefinition } from "../state/index.ts";
import { wordsToValues } from "../state/index.ts";

/** Plain values by field name; vectors and rotations are objects, lists and bytes are lists. */
export type PlainFields = Readonly<Record<string, unknown>>;

export interface PlayerEntity {
  readonly id: number;
  readonly values: PlainFields;
}

export interface PlayerTick {
  readonly tick: number;
  readonly origin: InputOrigin;
  readonly input: PlainFields;
  /** The player's own entities after the tick, by state. */
  readonly entities: Readonly<Record<string, readonly PlayerEntity[]>>;
}

export interface PlayerHistory {
  readonly seat: number;
  /** By rising tick; there may be gaps. */
  readonly ticks: readonly PlayerTick[];
}

/** What a settled record says, as far as its owner may know it. */
export function ownersValues(state: StateDefinition, words: Int32Array, at: number): PlainFields {
  const values: Record<string, unknown> = wordsToValues<Fields>(state, words, at);
  for (const { name, field } of state.entries) if (field.attributes.audience === "server") delete values[name];
  return plainValues(values);
}

export function inputValues(input: RecordDefinition, words: Int32Array, at: number): PlainFields {
  return plainValues(wordsToValues<Fields>(input, words, at));
}

/** Reads a history that came as JSON; `undefined` when it is none. At most 256 ticks. */
export function readPlayerHistory(value: unknown): PlayerHistory | undefined {
  if (!isObject(value) || typeof value.seat !== "number" || !Array.isArray(value.ticks)) return undefined;
  const ticks = value.ticks.slice(0, MAX_TICKS);
  return ticks.every(isPlayerTick) ? { seat: value.seat, ticks } : undefined;
}

function isPlayerTick(value: unknown): value is PlayerTick {
  if (!isObject(value) || !Number.isInteger(value.tick)) return false;
  if (!INPUT_ORIGINS.some((origin) => origin === value.origin)) return false;
  if (!isObject(value.input) || !isObject(value.entities)) return false;
  return Object.values(value.entities).every((list) => Array.isArray(list) && list.every(isEntity));
}

function isEntity(value: unknown): value is PlayerEntity {
  return isObject(value) && Number.isInteger(value.id) && isObject(value.values);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same after a way through JSON as before it. */
function plainValues(values: Record<string, unknown>): PlainFields {
  for (const [name, value] of Object.entries(values))
    if (ArrayBuffer.isView(value)) values[name] = Array.from(value as Uint8Array);
  return values;
}

const MAX_TICKS = 256;
