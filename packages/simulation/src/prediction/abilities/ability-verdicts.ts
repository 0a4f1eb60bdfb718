/**
 * A client's account of what it asked for: each request that it predicted to succeed, and later the server's verdict
 * on it, read from the logs in the predicted state and in the server's. Call `update` once a frame, then `poll`.
 */
import type { RowIdentity } from "../../state/index.ts";
import { fieldNames } from "./ability-fields.ts";
import type { AbilityKit } from "./ability-kit.ts";
import { logAbility, logReason, logTick } from "./ability-log.ts";
import { abilityKey } from "./ability-predictor.ts";
import { ABILITY_REASONS, predictionResult } from "./prediction-result.ts";
import type { AbilityReason, PredictionResult } from "./prediction-result.ts";

export interface AbilityVerdictStats {
  predicted: number;
  confirmed: number;
  rejected: number;
  /** Verdicts that nobody polled in time, and requests too many to wait for. */
  dropped: number;
}

export class AbilityVerdicts<A extends string = string> {
  readonly stats: AbilityVerdictStats = { predicted: 0, confirmed: 0, rejected: 0, dropped: 0 };
  readonly #kit: AbilityKit<A>;
  readonly #logNames: readonly string[];
  readonly #capacity: number;
  /** Keys that wait for their verdict, oldest first. */
  readonly #waiting: number[] = [];
  /** A ring of results. */
  readonly #results: PredictionResult<A>[];
  #first = 0;
  #count = 0;
  #confirmedTick = -1;
  #id = -1;

  /** `capacity`: most requests that wait, and most results until they are polled. Default 64. */
  constructor(kit: AbilityKit<A>, capacity = 64) {
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= 4096))
      throw new RangeError(`capacity must be an integer from 1 to 4096, got ${capacity}`);
    if (kit.logLength === 0) throw new RangeError("abilities with logLength 0 have no verdicts");
    this.#kit = kit;
    this.#capacity = capacity;
    this.#logNames = Array.from({ length: kit.logLength }, (_, slot) => fieldNames.log(slot));
    this.#results = Array.from({ length: capacity }, () => predictionResult(kit));
  }

  /**
   * `predicted`: the client's own row as it predicts it, `predictedTick` its tick. `server`: the same row in the
   * server's newest word (`view.<state>.authoritative(row)`), which is of `confirmedTick`. Undefined: there is none.
   */
  update(
    predicted: RowIdentity | undefined,
    predictedTick: number,
    server: RowIdentity | undefined,
    confirmedTick: number,
  ): void {
    const id = predicted?.id ?? -1;
    if (id !== this.#id || confirmedTick < this.#confirmedTick) this.#restart(id, confirmedTick);
    if (predicted !== undefined) this.#notePredicted(predicted, Math.floor(predictedTick), confirmedTick);
    if (server === undefined || confirmedTick <= this.#confirmedTick) return;
    this.#noteUnforeseen(server, confirmedTick);
    this.#judge(server, confirmedTick);
    this.#confirmedTick = confirmedTick;
  }

  /** The oldest result that was not taken yet; false when there is none. A key is "predicted" first, and judged later. */
  poll(out: PredictionResult<A>): boolean {
    if (this.#count === 0) return false;
    const result = this.#results[this.#first];
    this.#first = (this.#first + 1) % this.#capacity;
    this.#count--;
    out.key = result.key;
    out.ability = result.ability;
    out.outcome = result.outcome;
    out.reason = result.reason;
    out.tick = result.tick;
    return true;
  }

  /** Another entity, or the clock started over: what waits is never judged. */
  #restart(id: number, confirmedTick: number): void {
    this.#id = id;
    this.#waiting.length = 0;
    this.#confirmedTick = confirmedTick;
  }

  #notePredicted(row: RowIdentity, near: number, confirmedTick: number): void {
    for (let slot = 0; slot < this.#logNames.length; slot++) {
      const word = wordOf(row, this.#logNames[slot]);
      if (word === 0 || logReason(word) !== 0) continue;
      const tick = logTick(word, this.#kit.abilities.length, near);
      const key = abilityKey(this.#kit, tick, logAbility(word, this.#kit.abilities.length));
      if (tick <= confirmedTick || this.#waiting.includes(key)) continue;
      if (this.#waiting.length === this.#capacity) {
        this.#waiting.shift();
        this.stats.dropped++;
      }
      this.#waiting.push(key);
      this.#waiting.sort(ascending);
      this.#push(key, "predicted", 0);
    }
  }

  #judge(row: RowIdentity, confirmedTick: number): void {
    const { abilities } = this.#kit;
    while (this.#waiting.length > 0 && Math.floor(this.#waiting[0] / abilities.length) <= confirmedTick) {
      const key = this.#waiting.shift() ?? -1;
      const reason = this.#verdict(row, key, confirmedTick);
      this.#push(key, reason === 0 ? "confirmed" : "rejected", reason);
    }
  }

  /** Place of the reason; 0: the server accepted it. */
  #verdict(row: RowIdentity, key: number, confirmedTick: number): number {
    const count = this.#kit.abilities.length;
    const tick = Math.floor(key / count);
    let hasRoom = false;
    let newest = 0;
    let newestTick = -Infinity;
    for (let slot = 0; slot < this.#logNames.length; slot++) {
      const word = wordOf(row, this.#logNames[slot]);
      if (word === 0) {
        hasRoom = true;
        continue;
      }
      const at = logTick(word, count, confirmedTick);
      if (logAbility(word, count) !== key % count || at > tick || at < newestTick) continue;
      newest = word;
      newestTick = at;
    }
    if (newestTick === tick) return logReason(newest);
    // A run of refusals is logged once, at its beginning.
    if (newest !== 0 && logReason(newest) !== 0) return logReason(newest);
    // A full log may have forgotten the beginning of a run.
    return newest !== 0 || hasRoom ? LOST : UNKNOWN;
  }

  /** What the server accepted and this client had not foreseen. */
  #noteUnforeseen(row: RowIdentity, confirmedTick: number): void {
    const count = this.#kit.abilities.length;
    for (let slot = 0; slot < this.#logNames.length; slot++) {
      const word = wordOf(row, this.#logNames[slot]);
      if (word === 0 || logReason(word) !== 0) continue;
      const tick = logTick(word, count, confirmedTick);
      if (tick <= this.#confirmedTick) continue;
      const key = abilityKey(this.#kit, tick, logAbility(word, count));
      if (!this.#waiting.includes(key)) this.#push(key, "confirmed", 0);
    }
  }

  #push(key: number, outcome: PredictionResult["outcome"], reason: number): void {
    const { abilities } = this.#kit;
    this.stats[outcome]++;
    if (this.#count === this.#capacity) {
      this.#first = (this.#first + 1) % this.#capacity;
      this.#count--;
      this.stats.dropped++;
    }
    const result = this.#results[(this.#first + this.#count++) % this.#capacity];
    result.key = key;
    result.ability = abilities[key % abilities.length].name;
    result.outcome = outcome;
    result.reason = ABILITY_REASONS[reason];
    result.tick = Math.floor(key / abilities.length);
  }
}

const LOST: number = placeOf("lost");
const UNKNOWN: number = placeOf("unknown");

function placeOf(reason: AbilityReason): number {
  return ABILITY_REASONS.indexOf(reason);
}

function ascending(a: number, b: number): number {
  return a - b;
}

function wordOf(row: RowIdentity, name: string): number {
  const word: unknown = Reflect.get(row, name);
  return typeof word === "number" ? word : 0;
}
