/**
 * One player's last ticks as plain data: the inputs that were used and what its own entities were afterwards. Both ends
 * write theirs; `explainMisprediction` holds one against the other. Goes over the debug channel, and into files.
 */
import { INPUT_ORIGINS } from "../prediction/input/player-input.ts";
import type { InputOrigin } from "../prediction/input/player-input.ts";
import type { PlayedTick, RecordedDefinitions } from "../prediction/input/record-reader.ts";
import type { StateDefinition } from "../state/index.ts";

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

/** A tick that was read from a player's records, as far as the player may know it. */
export function playerTick(
  { tick, origin, input, entities }: PlayedTick,
  { states }: Pick<RecordedDefinitions, "states">,
): PlayerTick {
  const rows: Record<string, PlayerEntity[]> = {};
  for (const name of Object.keys(states)) rows[name] = [];
  for (const { table, id, values } of entities) rows[table].push({ id, values: ownersValues(states[table], values) });
  return { tick, origin, input: plainValues(input), entities: rows };
}

/** What an entity's owner may know of it. */
export function ownersValues(state: StateDefinition, values: Readonly<Record<string, unknown>>): PlainFields {
  const known: Record<string, unknown> = {};
  for (const { name, field } of state.entries) if (field.attributes.audience !== "server") known[name] = values[name];
  return plainValues(known);
}

/** The same after a way through JSON as before it. */
export function plainValues(values: Readonly<Record<string, unknown>>): PlainFields {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values))
    plain[name] = ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
  return plain;
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

const MAX_TICKS = 256;
