/** Reads the input messages of all clients of a match, and measures what that costs. */
import type { InputDefinition } from "../../state/index.ts";
import { InputReader } from "./input-message.ts";
import type { InputSink } from "./input-message.ts";

export interface InputDecoderStats {
  /** Messages read, and inputs decoded from them. */
  messages: number;
  inputs: number;
  /**
   * `input_codec_seconds_total`: time spent on them. One message in `SAMPLED_MESSAGES` is measured, and counts for all of
   * these. 0 without a clock.
   */
  codecSeconds: number;
}

export class InputDecoder {
  readonly reader: InputReader;
  readonly stats: InputDecoderStats = { messages: 0, inputs: 0, codecSeconds: 0 };
  readonly #now: (() => number) | undefined;

  /** `now`: milliseconds of a monotonic clock, for the measurement only: nothing else depends on it. */
  constructor(definition: InputDefinition, now?: () => number) {
    this.reader = new InputReader(definition);
    this.#now = now;
  }

  /** As `InputReader.read`. */
  read(buffer: Uint8Array, offset: number, length: number, target: InputSink): boolean {
    const { stats, reader } = this;
    const sampled = this.#now !== undefined && stats.messages % SAMPLED_MESSAGES === 0;
    stats.messages++;
    const before = sampled ? this.#now() : 0;
    const good = reader.read(buffer, offset, length, target);
    if (sampled) stats.codecSeconds += ((this.#now() - before) / 1000) * SAMPLED_MESSAGES;
    stats.inputs += reader.decoded;
    return good;
  }
}

/** One in so many messages is measured. */
export const SAMPLED_MESSAGES = 16;
