/** A player's records as values by name: every account of what a player did is made of these. Reading allocates. */
import { wordsToValues } from "../../state/index.ts";
import type { Fields, RecordDefinition, StateDefinition, Values } from "../../state/index.ts";
import { INPUT_ORIGINS } from "./player-input.ts";
import type { InputOrigin, PlayerInput, ViewStamp } from "./player-input.ts";
import type { PlayerRecords } from "./player-records.ts";

/** An input as it was used. */
export interface RecordedInput<F extends Fields = Fields> extends PlayerInput<F> {
  /** Whether it came from the client; otherwise the last one was repeated, or the neutral one used. */
  readonly source: InputOrigin;
}

/** A player's own entities after one tick. */
export interface RecordedState {
  readonly tick: number;
  readonly entities: readonly {
    /** The state's name in the game. */
    readonly table: string;
    readonly id: number;
    readonly values: Readonly<Record<string, unknown>>;
  }[];
}

/** One tick: the input, and what came of it. */
export interface PlayedTick extends RecordedState {
  readonly origin: InputOrigin;
  readonly view: ViewStamp;
  readonly input: Values<Fields>;
}

/** What records are of: a game, or as much of it. */
export interface RecordedDefinitions {
  readonly input: RecordDefinition;
  readonly states: Readonly<Record<string, StateDefinition>>;
}

/** The ticks from `fromTick` to `toTick`, both included, oldest first. */
export function readRecords(
  records: PlayerRecords,
  { input, states }: RecordedDefinitions,
  fromTick: number = 0,
  toTick: number = Infinity,
): PlayedTick[] {
  const definitions = Object.entries(states);
  const ticks: PlayedTick[] = [];
  for (const record of records.read()) {
    const { tick, origin, view } = record;
    if (tick < fromTick || tick > toTick) continue;
    const entities = record.entities.map(({ table, id, words }) => {
      const [name, definition] = definitions[table];
      const values: Values<Fields> = wordsToValues(definition, words);
      return { table: name, id, values };
    });
    ticks.push({ tick, origin: INPUT_ORIGINS[origin], view, input: wordsToValues(input, record.input), entities });
  }
  return ticks;
}
