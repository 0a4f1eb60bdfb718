/**
 * A client's account of its last mispredictions: what it had predicted for the ticks since the last one that was right, and
 * by which inputs. Taken before the correction overwrites it. Costs nothing while predictions are right.
 */
import type { MispredictionPlace } from "../prediction/client-prediction.ts";
import type { InputHistory } from "../prediction/input/input-history.ts";
import type { StateHistory } from "../prediction/state-history.ts";
import type { RecordDefinition, StateDefinition } from "../state/index.ts";
import { inputValues, ownersValues } from "./player-history.ts";
import type { PlainFields, PlayerEntity, PlayerHistory, PlayerTick } from "./player-history.ts";

export interface MispredictionReport {
  /** Counts up from 1 in a session. */
  readonly number: number;
  /** The tick that the server's word was about, which need not be the first that was wrong. */
  readonly tick: number;
  readonly table: string;
  readonly entity: number;
  readonly field: string;
  readonly predicted: unknown;
  readonly actual: unknown;
  /** How far the position was off at that tick, in world units. */
  readonly distance: number;
  /** The input of that tick. */
  readonly input: PlainFields;
  /** What was predicted from the last tick that was right on. */
  readonly history: PlayerHistory;
}

export interface MispredictionSources {
  readonly input: RecordDefinition;
  readonly states: Readonly<Record<string, StateDefinition>>;
  readonly inputs: InputHistory;
  historyOf(table: number): StateHistory;
}

export class MispredictionRecorder {
  /** Mispredictions since the session began. */
  count = 0;
  readonly #sources: MispredictionSources;
  readonly #names: readonly string[];
  readonly #definitions: readonly StateDefinition[];
  readonly #kept: MispredictionReport[] = [];
  readonly #capacity: number;

  /** `capacity`: reports kept. Default 16. */
  constructor(sources: MispredictionSources, capacity = 16) {
    this.#sources = sources;
    this.#names = Object.keys(sources.states);
    this.#definitions = Object.values(sources.states);
    this.#capacity = capacity;
  }

  /** The last ones, oldest first. */
  get reports(): readonly MispredictionReport[] {
    return this.#kept;
  }

  /** Notes one, before the histories are overwritten. */
  record(seat: number, place: MispredictionPlace): void {
    const { tick, table, entity, field, distance } = place;
    const definition = this.#definitions[table];
    const history = this.#sources.historyOf(table);
    const at = history.offsetOf(tick, entity);
    const first = Math.max(tick - MAX_TICKS + 1, place.rightTick, 0);
    const ticks: PlayerTick[] = [];
    for (let t = first; t <= tick; t++) if (this.#sources.inputs.has(t)) ticks.push(this.#tick(t));
    const report: MispredictionReport = {
      number: ++this.count,
      tick,
      table: this.#names[table],
      entity,
      field,
      predicted: at < 0 ? undefined : ownersValues(definition, history.words, at)[field],
      actual: ownersValues(definition, place.words, place.wordsAt)[field],
      distance,
      input: this.#inputOf(tick),
      history: { seat, ticks },
    };
    this.#kept.push(report);
    if (this.#kept.length > this.#capacity) this.#kept.shift();
  }

  /** A new session. */
  clear(): void {
    this.count = 0;
    this.#kept.length = 0;
  }

  #tick(tick: number): PlayerTick {
    const entities: Record<string, PlayerEntity[]> = {};
    for (let t = 0; t < this.#names.length; t++) {
      const history = this.#sources.historyOf(t);
      if (!history.has(tick)) continue;
      const rows: PlayerEntity[] = [];
      for (let place = 0; place < history.count(tick); place++) {
        const values = ownersValues(this.#definitions[t], history.words, history.offsetAt(tick, place));
        rows.push({ id: history.idAt(tick, place), values });
      }
      entities[this.#names[t]] = rows;
    }
    return { tick, origin: "received", input: this.#inputOf(tick), entities };
  }

  #inputOf(tick: number): PlainFields {
    const { input, inputs } = this.#sources;
    return inputs.has(tick)
      ? inputValues(input, inputs.words, inputs.offsetOf(tick))
      : inputValues(input, input.initialWords, 0);
  }
}

/** The fields that a client predicts, by state: what `explainMisprediction` should look at. */
export function predictedFields(
  states: Readonly<Record<string, StateDefinition>>,
): Readonly<Record<string, readonly string[]>> {
  const names: Record<string, readonly string[]> = {};
  for (const [state, definition] of Object.entries(states)) {
    names[state] = definition.entries
      .filter(({ field }) => field.attributes.predicted && field.attributes.audience !== "server")
      .map(({ name }) => name);
  }
  return names;
}

const MAX_TICKS = 16;
