/**
 * Why a client was corrected: the first tick at which its own account of its player and the server's part, the entity
 * and field, both values, and the input involved. Needs nothing but the two accounts, so it works live and on files.
 */
import type { InputOrigin } from "../prediction/input/player-input.ts";
import type { PlainFields, PlayerEntity, PlayerHistory, PlayerTick } from "./player-history.ts";

/**
 * - "input": the server used another input than the client: it came too late, was lost, or was not allowed.
 * - "entity": one of the sides has an entity that the other has not.
 * - "step": from the same state, by the same input, the step came to another result: it used what a client cannot know
 *   (other players, the server's own decisions), or something that is not the same twice (a clock, `Math.random`).
 * - "unknown": they part at the first tick that both know of; what was before is not known.
 */
export type MispredictionCause = "input" | "entity" | "step" | "unknown";

export interface MispredictionExplanation {
  readonly cause: MispredictionCause;
  /** The first tick after which the two differ. */
  readonly tick: number;
  readonly table: string;
  readonly entity: number;
  /** "" for cause "entity". */
  readonly field: string;
  readonly predicted: unknown;
  readonly actual: unknown;
  /** The input of the tick at which the inputs first parted, or of `tick` when they did not. */
  readonly input: InputInvolved;
  /** All of it in a sentence. */
  readonly text: string;
}

export interface InputInvolved {
  readonly tick: number;
  /** What the client had for the tick, and what the server used. */
  readonly sent: PlainFields;
  readonly used: PlainFields;
  readonly origin: InputOrigin;
  /** Names of the fields that differ. */
  readonly differs: readonly string[];
}

/**
 * Compares tick by tick what both have. `fields`: the names to look at, by state; default all that both have.
 * `undefined` when the two agree as far as both go.
 */
export function explainMisprediction(
  client: PlayerHistory,
  server: PlayerHistory,
  fields?: Readonly<Record<string, readonly string[]>>,
): MispredictionExplanation | undefined {
  const truth = new Map(server.ticks.map((tick) => [tick.tick, tick]));
  let isFirst = true;
  let parted: InputInvolved | undefined;
  for (const mine of client.ticks) {
    const theirs = truth.get(mine.tick);
    if (theirs === undefined) continue;
    const input = involved(mine, theirs);
    const difference = firstDifference(mine, theirs, fields);
    // What made a first tick on which both agree is no longer of interest: a correction may have been taken over there.
    const mayMatter = !isFirst || difference !== undefined;
    if (parted === undefined && mayMatter && input.differs.length > 0) parted = input;
    if (difference !== undefined) {
      const cause = difference.field === "" ? "entity" : parted !== undefined ? "input" : isFirst ? "unknown" : "step";
      const found = { cause, tick: mine.tick, ...difference, input: parted ?? input } as const;
      return { ...found, text: sentence(found) };
    }
    isFirst = false;
  }
  return undefined;
}

type Difference = Pick<MispredictionExplanation, "table" | "entity" | "field" | "predicted" | "actual">;

function involved(mine: PlayerTick, theirs: PlayerTick): InputInvolved {
  const differs = Object.keys(mine.input).filter((name) => !same(mine.input[name], theirs.input[name]));
  return { tick: mine.tick, sent: mine.input, used: theirs.input, origin: theirs.origin, differs };
}

function firstDifference(
  mine: PlayerTick,
  theirs: PlayerTick,
  fields: Readonly<Record<string, readonly string[]>> | undefined,
): Difference | undefined {
  for (const table of Object.keys({ ...mine.entities, ...theirs.entities })) {
    const others = new Map(theirs.entities[table]?.map((entity) => [entity.id, entity]));
    for (const entity of mine.entities[table] ?? []) {
      const other = others.get(entity.id);
      if (other === undefined) return { table, entity: entity.id, field: "", predicted: "there", actual: "not there" };
      others.delete(entity.id);
      const difference = differentField(entity, other, fields?.[table]);
      if (difference !== undefined) return { table, entity: entity.id, ...difference };
    }
    for (const id of others.keys()) return { table, entity: id, field: "", predicted: "not there", actual: "there" };
  }
  return undefined;
}

function differentField(
  mine: PlayerEntity,
  theirs: PlayerEntity,
  names: readonly string[] = Object.keys(mine.values),
): Pick<Difference, "field" | "predicted" | "actual"> | undefined {
  for (const field of names) {
    if (!(field in mine.values && field in theirs.values)) continue;
    if (!same(mine.values[field], theirs.values[field]))
      return { field, predicted: mine.values[field], actual: theirs.values[field] };
  }
  return undefined;
}

function sentence(found: Omit<MispredictionExplanation, "text">): string {
  const { cause, tick, table, entity, field, predicted, actual, input } = found;
  if (cause === "entity")
    return `tick ${tick}: entity ${entity} of ${table} was ${show(predicted)} for the client, ${show(actual)} for the server`;
  const what = `tick ${tick}: ${table}[${entity}].${field} was predicted as ${show(predicted)} and is ${show(actual)}`;
  if (cause === "unknown") return `${what}; what came before is not known`;
  if (cause === "step")
    return `${what}, from the same state and by the same input: the step used what the client does not know, or is not deterministic`;
  const how =
    input.origin === "received"
      ? "the server changed it"
      : `the server did not have it in time (${input.origin === "repeated" ? "the last one was repeated" : "neutral"})`;
  const names = input.differs.map((name) => `${name} ${show(input.sent[name])} -> ${show(input.used[name])}`);
  return `${what}, because of the input of tick ${input.tick}: ${how}: ${names.join(", ")}`;
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}
