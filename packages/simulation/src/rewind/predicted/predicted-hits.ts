/**
 * Hits that a client foresees, for the mark on the crosshair and the sound: felt at once, confirmed, corrected or taken back
 * when the server has judged. The client casts the same ray at what it drew; what the server looks at is that same picture,
 * so nearly every one comes true. Nothing here has authority: damage is the server's.
 *
 * A shot is known by the tick of its input and its number in that tick. A replay of the tick foresees nothing anew: the
 * picture it was aimed at is gone.
 */

/** What a shot met. */
export interface HitGuess {
  /** The entity's id, and the hitbox. */
  readonly target: number;
  readonly hitbox: string;
  /** Which state's entity, where shots may meet those of several. */
  readonly table?: string;
}

export interface PredictedHit extends HitGuess {
  /** The shot. */
  readonly tick: number;
  readonly shot: number;
}

/** What the server made of a shot. */
export interface HitVerdict {
  readonly tick: number;
  /** Number of the shot in its tick; default 0. */
  readonly shot?: number;
  /** Whom it hit; `undefined`: nobody. */
  readonly hit: HitGuess | undefined;
}

export interface PredictedHitListener {
  /** A hit was foreseen: show it. */
  predicted?(hit: PredictedHit): void;
  /** The server agrees on the target. `hit` is the server's: the hitbox may be another. */
  confirmed?(hit: PredictedHit): void;
  /** The server says otherwise, or nothing for too long: take it back. */
  revoked?(hit: PredictedHit, reason: "missed" | "otherTarget" | "silence"): void;
  /** The server knows of a hit that was not foreseen. */
  surprised?(hit: PredictedHit): void;
}

export interface PredictedHitStats {
  predicted: number;
  confirmed: number;
  revoked: number;
  surprised: number;
}

export interface PredictedHitsOptions {
  readonly tickRate: number;
  /** A hit of which the server has not spoken for so long is taken back. Default 1,000 ms. */
  readonly confirmWithinMs?: number;
  readonly listener?: PredictedHitListener;
}

interface Shot {
  readonly tick: number;
  readonly shot: number;
  readonly hit: PredictedHit | undefined;
}

export class PredictedHits {
  readonly stats: PredictedHitStats = { predicted: 0, confirmed: 0, revoked: 0, surprised: 0 };
  listener: PredictedHitListener | undefined;
  readonly #patienceTicks: number;
  /** Shots that wait for the server's word, by rising age; at most `MAX_WAITING`. */
  readonly #waiting: Shot[] = [];
  #newestTick = -1;

  /** Throws `RangeError` for a time that cannot be. */
  constructor({ tickRate, confirmWithinMs = 1000, listener }: PredictedHitsOptions) {
    if (!(confirmWithinMs > 0 && tickRate > 0))
      throw new RangeError(`confirmWithinMs ${confirmWithinMs} and tickRate ${tickRate} must be above 0`);
    this.#patienceTicks = Math.ceil((confirmWithinMs * tickRate) / 1000);
    this.listener = listener;
  }

  /** Shots that the server has not judged. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * The client's step fires a shot in `tick`, the `shot`-th of it (from 0). `cast` says whom it meets in the picture, and is
   * asked once however often the tick is replayed. Returns what was foreseen.
   */
  fire(tick: number, cast: () => HitGuess | undefined, shot = 0): PredictedHit | undefined {
    const known = this.#find(tick, shot);
    if (known >= 0) return this.#waiting[known].hit;
    // A replay of what has been judged, or given up, already.
    if (tick <= this.#judgedTick || tick <= this.#newestTick - this.#patienceTicks) return undefined;
    this.advance(tick);
    const guess = cast();
    const hit = guess && predictedHit(tick, shot, guess);
    if (this.#waiting.length === MAX_WAITING) this.#giveUpOldest();
    this.#waiting.push({ tick, shot, hit });
    if (hit !== undefined) {
      this.stats.predicted++;
      this.listener?.predicted?.(hit);
    }
    return hit;
  }

  /** The newest tick of which the server has judged a shot. */
  #judgedTick = -1;

  /** The server has judged a shot. What it says of one that is not waiting is a surprise when it is a hit. */
  judge({ tick, shot = 0, hit }: HitVerdict): void {
    this.#judgedTick = Math.max(this.#judgedTick, tick);
    const at = this.#find(tick, shot);
    const foreseen = at < 0 ? undefined : this.#waiting[at].hit;
    if (at >= 0) this.#waiting.splice(at, 1);
    const real = hit && predictedHit(tick, shot, hit);
    if (real !== undefined && foreseen?.target === real.target && foreseen.table === real.table) {
      this.stats.confirmed++;
      this.listener?.confirmed?.(real);
      return;
    }
    if (foreseen !== undefined) this.#revoke(foreseen, real === undefined ? "missed" : "otherTarget");
    if (real === undefined) return;
    this.stats.surprised++;
    this.listener?.surprised?.(real);
  }

  /** Time goes on to `tick`, also without shots: what has waited too long is taken back. */
  advance(tick: number): void {
    this.#newestTick = Math.max(this.#newestTick, tick);
    while (this.#waiting.length > 0 && this.#waiting[0].tick <= this.#newestTick - this.#patienceTicks)
      this.#giveUpOldest();
  }

  /** Another session begins. */
  clear(): void {
    this.#waiting.length = 0;
    this.#newestTick = this.#judgedTick = -1;
  }

  #giveUpOldest(): void {
    const hit = this.#waiting.shift()?.hit;
    if (hit !== undefined) this.#revoke(hit, "silence");
  }

  #revoke(hit: PredictedHit, reason: "missed" | "otherTarget" | "silence"): void {
    this.stats.revoked++;
    this.listener?.revoked?.(hit, reason);
  }

  #find(tick: number, shot: number): number {
    return this.#waiting.findIndex((waiting) => waiting.tick === tick && waiting.shot === shot);
  }
}

function predictedHit(tick: number, shot: number, { target, hitbox, table }: HitGuess): PredictedHit {
  return { tick, shot, target, hitbox, ...(table !== undefined && { table }) };
}

/** Shots that may wait at once; of more, the oldest are taken back. */
const MAX_WAITING = 256;
