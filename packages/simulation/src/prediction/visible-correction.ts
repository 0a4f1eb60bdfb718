/**
 * How far what is drawn moved in a frame beyond what the simulation moved it, frame by frame: what a player sees of
 * corrections. A histogram from 1/4096 to 64 world units in steps of a quarter of an octave.
 */
import { log, pow } from "../math/index.ts";

export class VisibleCorrection {
  /** Frames counted. */
  frames = 0;
  /** The farthest of all. */
  max = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  /** Counts a frame. */
  record(distance: number): void {
    this.frames++;
    if (distance > this.max) this.max = distance;
    const bucket = distance < SMALLEST ? 0 : 1 + Math.floor((log(distance / SMALLEST) / Math.LN2) * PER_OCTAVE);
    this.#buckets[Math.min(BUCKETS - 1, bucket)]++;
  }

  /** The distance that `fraction` of the frames are below, to 19 % above; 0 for less than 1/4096. */
  quantile(fraction: number): number {
    let rank = fraction * this.frames;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      rank -= this.#buckets[bucket];
      if (rank <= 0) return bucket === 0 ? 0 : Math.min(this.max, SMALLEST * pow(2, bucket / PER_OCTAVE));
    }
    return this.max;
  }

  /** Starts over, for a measurement. */
  reset(): void {
    this.frames = 0;
    this.max = 0;
    this.#buckets.fill(0);
  }
}

const SMALLEST = 1 / 4096;
const PER_OCTAVE = 4;
const BUCKETS = 74;
