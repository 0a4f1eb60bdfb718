/**
 * A client's account of its last mispredictions: what it had predicted for the ticks since the last one that was right, and
 * by which inputs. Taken before the correction overwrites it: copies of records, which become plain values when somebody
 * reads them. Costs nothing while predictions are right.
 */
import type { MispredictionPlace } from "../prediction/state-comparison.ts";
import { PlayerRecords } from "../prediction/input/player-records.ts";
import { readRecords } from "../prediction/input/record-reader.ts";
import type { RecordedDefinitions } from "../prediction/input/record-reader.ts";
import { createViewStamp } from "../prediction/input/player-input.ts";
import type { InputHistory } from "../prediction/input/input-history.ts";
import type { StateHistory } from "../prediction/state-history.ts";
import { wordsToValues } from "../state/index.ts";
import type { StateDefinition } from "../state/index.ts";
import { copyWords } from "../state/fields/leaf-codec.ts";
import { ownersValues, plainValues, playerTick } from "./player-history.ts";
import type { PlainFields, PlayerHistory } from "./player-history.ts";

/** A misprediction without its history. */
export interface MispredictionNote {
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
}

export interface MispredictionReport extends MispredictionNote {
  /** Counts up from 1 in a session. */
  readonly number: number;
  /** What was predicted from the last tick that was right on. */
  readonly history: PlayerHistory;
}

export interface MispredictionSources extends RecordedDefinitions {
  readonly inputs: InputHistory;
  historyOf(table: number): StateHistory;
}

/** A misprediction as it was noted; used again and again. */
interface Note {
  number: number;
  seat: number;
  tick: number;
  table: number;
  entity: number;
  field: string;
  distance: number;
  /** The entity's record as it was predicted, with `isKnown`, and as the server has it. */
  isKnown: boolean;
  readonly predicted: Int32Array;
  readonly actual: Int32Array;
  readonly input: Int32Array;
  readonly history: PlayerRecords;
}

export class MispredictionRecorder {
  /** Mispredictions since the session began. */
  count = 0;
  readonly #sources: MispredictionSources;
  readonly #names: readonly string[];
  readonly #definitions: readonly StateDefinition[];
  /** A ring: number n is at n modulo its capacity. */
  readonly #notes: Note[] = [];
  readonly #capacity: number;

  /** `capacity`: reports kept. Default 16. */
  constructor(sources: MispredictionSources, capacity = 16) {
    this.#sources = sources;
    this.#names = Object.keys(sources.states);
    this.#definitions = Object.values(sources.states);
    this.#capacity = capacity;
  }

  /** The last ones, oldest first. Made anew at each call. */
  get reports(): readonly MispredictionReport[] {
    const reports: MispredictionReport[] = [];
    for (let number = Math.max(1, this.count - this.#capacity + 1); number <= this.count; number++)
      reports.push(this.#report(this.#notes[number % this.#capacity]));
    return reports;
  }

  /** Notes one, before the histories are overwritten. */
  record(seat: number, place: MispredictionPlace): void {
    const { tick, table, entity } = place;
    const { wordCount } = this.#definitions[table];
    const note = (this.#notes[++this.count % this.#capacity] ??= this.#createNote());
    const history = this.#sources.historyOf(table);
    const at = history.offsetOf(tick, entity);
    note.number = this.count;
    note.seat = seat;
    note.tick = tick;
    note.table = table;
    note.entity = entity;
    note.field = place.field;
    note.distance = place.distance;
    note.isKnown = at >= 0;
    if (at >= 0) copyWords(history.words, at, note.predicted, 0, wordCount);
    copyWords(place.words, place.wordsAt, note.actual, 0, wordCount);
    const { input, inputs } = this.#sources;
    if (inputs.has(tick)) copyWords(inputs.words, inputs.offsetOf(tick), note.input, 0, input.wordCount);
    else note.input.set(input.initialWords);
    note.history.clear();
    const first = Math.max(tick - MAX_TICKS + 1, place.rightTick, 0);
    for (let t = first; t <= tick; t++) if (inputs.has(t)) this.#noteTick(t, note.history);
  }

  /** A new session. */
  clear(): void {
    this.count = 0;
  }

  #createNote(): Note {
    const most = Math.max(...this.#definitions.map(({ wordCount }) => wordCount));
    const inputWordCount = this.#sources.input.wordCount;
    const none = { number: 0, seat: -1, tick: -1, table: 0, entity: -1, field: "", distance: 0, isKnown: false };
    return {
      ...none,
      predicted: new Int32Array(most),
      actual: new Int32Array(most),
      input: new Int32Array(inputWordCount),
      history: new PlayerRecords({ bytes: HISTORY_BYTES, ttlTicks: Infinity, inputWordCount }),
    };
  }

  #noteTick(tick: number, to: PlayerRecords): void {
    const { inputs } = this.#sources;
    to.begin(tick, 0, NO_VIEW, inputs.words, inputs.offsetOf(tick));
    for (let t = 0; t < this.#definitions.length; t++) {
      const history = this.#sources.historyOf(t);
      const { wordCount } = this.#definitions[t];
      const rows = history.has(tick) ? history.count(tick) : 0;
      for (let place = 0; place < rows; place++)
        to.add(t, history.idAt(tick, place), history.words, history.offsetAt(tick, place), wordCount);
    }
  }

  #report(note: Note): MispredictionReport {
    const { number, seat, tick, table, entity, field, distance } = note;
    const definition = this.#definitions[table];
    const valueOf = (words: Int32Array): unknown => ownersValues(definition, wordsToValues(definition, words))[field];
    return {
      number,
      tick,
      table: this.#names[table],
      entity,
      field,
      predicted: note.isKnown ? valueOf(note.predicted) : undefined,
      actual: valueOf(note.actual),
      distance,
      input: plainValues(wordsToValues(this.#sources.input, note.input)),
      history: { seat, ticks: readRecords(note.history, this.#sources).map((of) => playerTick(of, this.#sources)) },
    };
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
/** Of one misprediction; where many entities are predicted, the oldest ticks have no room. */
const HISTORY_BYTES = 16_384;
const NO_VIEW = createViewStamp();
