/**
 * The server's side of one client's prediction: takes its inputs in, gives the simulation one for every tick, and
 * remembers what came of them.
 *
 *     bytes -> rate limit -> InputDecoder -> LeadBank -> InputBuffer -> take(tick) -> the game's step
 *                                                                           `-> PlayerRecords
 *
 * A tick takes exactly one input, so no client gains time by sending more of them, sooner or later than it should:
 * what comes for a tick that is over is dropped, and what is too far ahead is refused. Nothing is ever simulated again on the
 * server: what a client costs it is decoding, and that is limited.
 */
import type { InputDefinition } from "../../state/index.ts";
import { InputBuffer } from "./input-buffer.ts";
import type { InputDecoder } from "./input-decoder.ts";
import type { InputSink } from "./input-message.ts";
import { LeadBank } from "./lead-bank.ts";
import { PlayerRecords } from "./player-records.ts";
import { createViewStamp } from "./player-input.ts";
import type { ViewStamp } from "./player-input.ts";

/** What a server may set of how inputs are treated. */
export interface InputPolicy {
  /**
   * A tick without an input repeats the last one for this long, then it is neutral. 0: neutral at once; `Infinity`: the last
   * one is held. A game's `idle` takes its place. Default 100 ms.
   */
  readonly repeatInputMs?: number;
  /** The lead that is commanded: inputs up to this far ahead are always taken. At least 3 ticks. Default 100 ms. */
  readonly inputLeadMs?: number;
  /** Inputs farther ahead than this are never taken. Default 500 ms. */
  readonly maxInputLeadMs?: number;
  /** Inputs beyond the lead that a client which runs ahead without need is allowed, as their time. Default 1,000 ms. */
  readonly leadBankMs?: number;
  /** Input messages a second, 2 s of them at once. Default twice the tick rate. */
  readonly inputMessagesPerSec?: number;
  /** Inputs decoded a second, 2 s of them at once. Default four times the tick rate. */
  readonly inputsPerSec?: number;
  /**
   * Inputs up to this late are given to the game's `late`, if it has one; what comes later is counted (`tooLateInputs`). At most
   * 1,000. Default 250 ms (`LATE_INPUT_MS`).
   */
  readonly lateInputMs?: number;
  /** How long a player's inputs and states are remembered. Default 2,000 ms; 0: not at all. */
  readonly inputHistoryMs?: number;
  /** Most memory of that, for each player. Default 65,536. */
  readonly inputHistoryBytes?: number;
}

/** How a client's inputs arrive. */
export interface InputCounters {
  /** Inputs that came after their tick had been simulated. */
  lateInputs: number;
  /** Of these, those that came too late for the game's `late`; 0 while it has none. */
  tooLateInputs: number;
  /** Inputs for ticks too far ahead, which were dropped. */
  earlyInputs: number;
  /** Ticks that were simulated without their input. */
  missedInputs: number;
  /** Newest input heard of minus the tick that was simulated. */
  inputBufferDepth: number;
  /** Messages of inputs that were not read, because there were too many. */
  limitedInputMessages: number;
  /** Input ticks left in the bank that pays for inputs beyond the commanded lead. */
  leadBankTicks: number;
  /** Ticks in the history of inputs and states, bytes of it, and ticks that went before their time for want of room. */
  historyTicks: number;
  historyBytes: number;
  historyEvicted: number;
}

export function createInputCounters(): InputCounters {
  return {
    lateInputs: 0,
    tooLateInputs: 0,
    earlyInputs: 0,
    missedInputs: 0,
    inputBufferDepth: 0,
    limitedInputMessages: 0,
    leadBankTicks: 0,
    historyTicks: 0,
    historyBytes: 0,
    historyEvicted: 0,
  };
}

export class ClientPredictionHandler implements InputSink {
  /** The input of the tick that was taken last, unless `origin` is 2; and what the player saw when it gave it. */
  readonly words: Int32Array;
  readonly stamp: ViewStamp = createViewStamp();
  /** The same of the input that was taken late last. */
  readonly lateWords: Int32Array;
  readonly lateStamp: ViewStamp = createViewStamp();
  /** 0: that input was received, 1: the last one is repeated, 2: the neutral one is to be used. */
  origin: 0 | 1 | 2 = 2;
  /** Ticks without an input since the last one that had one. */
  missedInARow = 0;
  /** The lead that is commanded, in whole ticks. */
  readonly inputLeadMs: number;
  readonly history: PlayerRecords;
  readonly #buffer: InputBuffer;
  readonly #bank: LeadBank;
  readonly #decoder: InputDecoder;
  readonly #counters: InputCounters;
  /** Messages and inputs that may be read now, what each tick adds, and the most there can be. */
  #messages: number;
  #inputs: number;
  readonly #messagesPerTick: number;
  readonly #inputsPerTick: number;
  readonly #burstTicks: number;

  /** `counters` are kept up to date by the handler. `keepsLate`: for `takeLate`. Throws `RangeError` for a policy that cannot be. */
  constructor(
    definition: InputDefinition,
    tickRate: number,
    decoder: InputDecoder,
    policy: InputPolicy = {},
    counters: InputCounters = createInputCounters(),
    keepsLate = false,
  ) {
    for (const [name, value] of Object.entries(policy))
      if (!(typeof value === "number" && value >= 0))
        throw new RangeError(`${name} must not be negative, got ${value}`);
    const ticks = (ms: number): number => Math.ceil((ms * tickRate) / 1000 - 1e-9);
    const leadTicks = Math.max(3, ticks(policy.inputLeadMs ?? 100));
    this.inputLeadMs = (leadTicks * 1000) / tickRate;
    const maxLeadTicks = Math.max(leadTicks, ticks(policy.maxInputLeadMs ?? 500));
    if (!(maxLeadTicks <= MAX_LEAD_TICKS))
      throw new RangeError(`inputLeadMs and maxInputLeadMs are at most ${MAX_LEAD_TICKS} ticks, got ${maxLeadTicks}`);
    const { lateInputMs = LATE_INPUT_MS } = policy;
    if (!(lateInputMs <= 1000)) throw new RangeError(`lateInputMs is at most 1000, got ${lateInputMs}`);
    this.#buffer = new InputBuffer({
      wordCount: definition.wordCount,
      maxLeadTicks,
      repeatTicks: ticks(policy.repeatInputMs ?? 100),
      lateTicks: keepsLate ? ticks(lateInputMs) : 0,
    });
    const bankTicks = ticks(policy.leadBankMs ?? 1000);
    this.#bank = new LeadBank({ leadTicks, maxLeadTicks, bankTicks, windowTicks: tickRate });
    const historyMs = policy.inputHistoryMs ?? 2000;
    this.history = new PlayerRecords({
      bytes: historyMs > 0 ? (policy.inputHistoryBytes ?? 65_536) : 0,
      ttlTicks: ticks(historyMs),
      inputWordCount: definition.wordCount,
    });
    this.words = new Int32Array(definition.wordCount);
    this.lateWords = new Int32Array(definition.wordCount);
    this.#decoder = decoder;
    this.#counters = counters;
    this.#messagesPerTick = (policy.inputMessagesPerSec ?? 2 * tickRate) / tickRate;
    this.#inputsPerTick = (policy.inputsPerSec ?? 4 * tickRate) / tickRate;
    this.#burstTicks = BURST_SECONDS * tickRate;
    this.#messages = this.#messagesPerTick * this.#burstTicks;
    this.#inputs = this.#inputsPerTick * this.#burstTicks;
  }

  /** How far the newest input heard of is ahead of the simulation; `undefined` before the first. */
  get depth(): number | undefined {
    const { newestTick, depth } = this.#buffer;
    return newestTick >= 0 || depth > 0 ? depth : undefined;
  }

  /**
   * One message of inputs, kind byte included. False when it is malformed; what is over the limits is dropped and counted.
   * `decoder.reader` then tells which snapshots it acknowledges, if `wasRead`.
   */
  receive(buffer: Uint8Array, offset: number, length: number): boolean {
    this.wasRead = false;
    if (this.#messages < 1 || this.#inputs < 1) {
      this.#counters.limitedInputMessages++;
      return true;
    }
    this.#messages--;
    const good = this.#decoder.read(buffer, offset, length, this);
    this.#inputs -= this.#decoder.reader.decoded;
    this.wasRead = good;
    this.#counters.lateInputs = this.#buffer.late;
    this.#counters.earlyInputs = this.#buffer.early;
    this.#counters.tooLateInputs = this.#buffer.tooLate;
    return good;
  }

  /** Whether the last message was within the limits, and well-formed. */
  wasRead = false;

  /** Whether an input of this tick would change nothing. */
  knows(tick: number): boolean {
    return this.#buffer.knows(tick);
  }

  /** Takes an input in, if its tick is not too far ahead. */
  put(tick: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void {
    // A repetition beside one that was news: it is there already, and paid for.
    if (this.#buffer.knows(tick)) return;
    if (this.#bank.take(tick - this.#buffer.currentTick)) this.#buffer.put(tick, words, offset, stamp);
    else this.#buffer.refuse(tick);
  }

  /** The input of `tick` into `words`, `stamp` and `origin`; ticks must be taken in order. */
  take(tick: number): void {
    const buffer = this.#buffer;
    const counters = this.#counters;
    this.origin = buffer.take(tick, this.words, 0, this.stamp);
    this.missedInARow = this.origin === 0 ? 0 : this.missedInARow + 1;
    this.#bank.tick(buffer.depth);
    this.#messages = Math.min(this.#messages + this.#messagesPerTick, this.#messagesPerTick * this.#burstTicks);
    this.#inputs = Math.min(this.#inputs + this.#inputsPerTick, this.#inputsPerTick * this.#burstTicks);
    counters.missedInputs = buffer.missed;
    counters.inputBufferDepth = buffer.depth;
    counters.leadBankTicks = Math.floor(this.#bank.credit);
  }

  /** For a game's own `idle`: the newest input known into `words`; false when there has been none. */
  copyNewest(): boolean {
    return this.#buffer.copyNewest(this.words, 0);
  }

  /**
   * The oldest input that came late and has not been taken, into `lateWords` and `lateStamp`: returns its tick, -1 when there is
   * none. After `take`.
   */
  takeLate(): number {
    const tick = this.#buffer.takeLate(this.lateWords, 0, this.lateStamp);
    this.#counters.tooLateInputs = this.#buffer.tooLate;
    return tick;
  }

  /** For debugging: the inputs that wait for their tick. */
  waiting(): IterableIterator<{ readonly tick: number; readonly words: Int32Array }> {
    return this.#buffer.waiting();
  }

  /** Notes the input of `tick` (`words`, as it was used) in the history; then every entity of the player's is added. */
  beginRecord(tick: number): boolean {
    const begun = this.history.begin(tick, this.origin, this.stamp, this.words, 0);
    this.#counters.historyTicks = this.history.ticks;
    this.#counters.historyBytes = this.history.bytes;
    this.#counters.historyEvicted = this.history.evicted;
    return begun;
  }

  /** Back to empty, at a simulation that has reached `tick`: another connection's inputs have nothing to do with these. */
  reset(tick: number): void {
    this.#buffer.reset(tick);
    this.#bank.reset();
    this.stamp.viewTick = -1;
    this.stamp.snapshotTick = -1;
    this.stamp.receiptMask = 0;
    this.origin = 2;
    this.missedInARow = 0;
  }
}

const MAX_LEAD_TICKS = 1024;
/** How late an input may come and still be judged. */
export const LATE_INPUT_MS = 250;
/** Time whose messages and inputs may come at once: after a stall of the network, or of the server. */
const BURST_SECONDS = 2;
