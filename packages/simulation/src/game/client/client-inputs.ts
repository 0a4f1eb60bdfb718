/**
 * A client's own inputs: the one of this frame, those of the last ticks for replays and repetition, and the message
 * they are sent in.
 */
import { inputCopies } from "../../prediction/input/input-copies.ts";
import { InputHistory } from "../../prediction/input/input-history.ts";
import { InputWriter } from "../../prediction/input/input-message.ts";
import type { InputSizes } from "../../prediction/input/input-message.ts";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import { StateTable } from "../../state/index.ts";
import type { Fields, RowIdentity } from "../../state/index.ts";
import { RelayedInputs } from "../../prediction/input/relayed-inputs.ts";
import { MAX_DECAY_TICKS } from "../../prediction/prediction-options.ts";
import type { AnyGame, Inputs, InputView } from "../define-game.ts";

export class ClientInputs {
  /** What a step reads: the current input for this client's entities; for others what is relayed, or the neutral one. */
  readonly view: Inputs<Fields>;
  /** What `write` wrote. */
  readonly packet: Uint8Array = new Uint8Array(MAX_INPUT_BYTES);
  /** Other players' inputs, of a game that asks for them. */
  readonly relayed: RelayedInputs | undefined;
  /** Memory of the ring. */
  readonly bytes: number;
  /** What the connection measures, for how often an input is sent again. */
  readonly link = { lossRate: 0, meanBurstPackets: 1 };
  #tick = -1;
  readonly #definition: AnyGame["input"];
  readonly #sanitize: AnyGame["sanitize"];
  readonly #redundancy: number | undefined;
  readonly #seatOf: () => number;
  /** A row for each tick of the ring, so that a replay copies nothing; then the input of this frame, and the neutral one. */
  readonly #table: StateTable<Fields>;
  readonly #frameRow: number;
  readonly #neutralRow: number;
  /** Row of the current input. */
  #current: number;
  readonly history: InputHistory;
  readonly #writer: InputWriter;
  /** New inputs in a message, on average. */
  #perMessage = 1;
  /** The input of this frame. */
  readonly #words: Int32Array;

  /** `ringTicks`: a power of two; `seatOf`: this client's seat; `redundancy`: inputs sent again, by default as `link` asks for. */
  constructor(game: AnyGame, ringTicks: number, seatOf: () => number, redundancy?: number) {
    this.#redundancy = redundancy;
    this.#definition = game.input;
    this.#sanitize = game.sanitize;
    this.#seatOf = seatOf;
    this.#table = new StateTable<Fields>(game.input, { capacity: ringTicks + 2 });
    for (let row = 0; row < ringTicks + 2; row++) this.#table.insert(row, -1);
    this.#frameRow = ringTicks;
    this.#neutralRow = ringTicks + 1;
    this.#current = this.#neutralRow;
    this.#words = new Int32Array(game.input.wordCount);
    this.history = new InputHistory(game.input.wordCount, ringTicks);
    this.#writer = new InputWriter(game.input);
    // A record and its tick, view tick and place.
    this.bytes = ringTicks * (game.input.wordCount + 4) * 4;
    const { remote } = game.prediction;
    const relayed =
      remote === undefined ? undefined : new RelayedInputs(game.input, remote.decayTicks ?? MAX_DECAY_TICKS);
    this.relayed = relayed;
    this.view = {
      of: (row: RowIdentity): InputView<Fields> => {
        if (row.owner === seatOf()) return this.#table.rowAt(this.#current);
        return relayed?.at(row.owner, this.#tick) ?? this.#table.rowAt(this.#neutralRow);
      },
      isPresent: (row: RowIdentity): boolean =>
        row.owner >= 0 && (row.owner === seatOf() || relayed?.has(row.owner) === true),
    };
  }

  /** The player's input of this frame. Fields that are left out keep their neutral value. */
  set(input: Readonly<Record<string, unknown>>): void {
    const { entries, initialWords } = this.#definition;
    const row: Record<string, unknown> = this.#table.rowAt(this.#frameRow);
    this.#table.writeWords(this.#frameRow, initialWords);
    for (let i = 0; i < entries.length; i++) {
      const { name } = entries[i];
      const value = input[name];
      if (value !== undefined) row[name] = value;
    }
    this.#table.settleRow(this.#frameRow);
    if (this.#sanitize !== undefined) {
      this.#sanitize(this.#table.rowAt(this.#frameRow), this.#seatOf());
      this.#table.settleRow(this.#frameRow);
    }
    this.#table.readWords(this.#frameRow, this.#words);
  }

  /** Makes the input of this frame that of `tick`, given at the sight of `view`; false when it has one already. */
  add(tick: number, view: Readonly<ViewStamp>): boolean {
    const history = this.history;
    if (history.has(tick)) return false;
    const at = history.add(tick, view);
    for (let i = 0; i < history.wordCount; i++) history.words[at + i] = this.#words[i];
    this.#table.writeWords(tick & (history.ringTicks - 1), this.#words);
    return true;
  }

  /** Makes the input of `tick`, or the neutral one, the current one. */
  use(tick: number): void {
    this.#tick = tick;
    const history = this.history;
    this.#current = history.has(tick) ? tick & (history.ringTicks - 1) : this.#neutralRow;
  }

  /** Writes the message with the `made` inputs up to `newest`, and those sent again, into `packet`; returns its length. */
  write(newest: number, made: number, snapshotTick: number, receipts: number): number {
    if (made > 0) this.#perMessage += (made - this.#perMessage) / AVERAGED_MESSAGES;
    // So many messages are to have each input, and a message has as many new ones as there are ticks in a frame.
    const again = this.#redundancy ?? Math.ceil((inputCopies(this.link) - 1) * this.#perMessage - SPARED);
    return this.#writer.write(this.history, newest, made + again, snapshotTick, receipts, this.packet);
  }

  /** What inputs took on the wire. */
  get sizes(): InputSizes {
    return this.#writer.sizes;
  }

  /** What was made for ticks to come no longer fits. */
  clear(): void {
    this.history.clear();
  }
}

/** Room for 32 inputs of typical size; of larger ones, fewer are sent again. */
const MAX_INPUT_BYTES = 1100;
const AVERAGED_MESSAGES = 16;
/** So much of a repetition is not worth one: now and then a frame makes two inputs. */
const SPARED = 0.3;
