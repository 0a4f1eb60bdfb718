/** What a client measures of its own game. Round trip, jitter and loss are the connection's. */
import { VisibleCorrection } from "../../prediction/visible-correction.ts";
import type { PredictionStats } from "../../prediction/client-prediction.ts";

export class ClientStats {
  /** Messages dropped as malformed. */
  malformed = 0;
  /** How far the last misprediction moved an own entity, declared jumps aside, and the mean of recent ones; in world units. */
  predictionError = 0;
  meanPredictionError = 0;
  /** What the player sees of corrections: how far predicted entities were drawn to move beyond their own movement, frame by frame. */
  readonly visibleCorrection: VisibleCorrection = new VisibleCorrection();
  /** Ticks by which own inputs act later on this client: as the option says, or less where the link is too short for it. */
  inputDelayTicks = 0;
  snapshots = 0;
  snapshotBytes = 0;
  /** Snapshots that say that the server had no input of ours for their tick. */
  starvedTicks = 0;
  /** Newest input the server had minus the tick it simulated, as last heard. */
  inputBufferDepth = 0;
  /** How often one of the clocks jumped, or a stall was skipped. */
  jumps = 0;
  /** Rates of the two timelines: 1 is real time. */
  inputRate = 1;
  viewRate = 1;
  /** How far the input timeline is from where it should be. */
  clockErrorMs = 0;
  /** How far the drawn world is behind the freshest news. */
  interpolationDelayMs = 0;
  /** Frames drawn, and those of them that were farther than the newest snapshot. */
  frames = 0;
  lateFrames = 0;
  /**
   * Ages of what is known of remote entities beyond the link's own delay, one count per entity and
   * frame, in buckets of `AGE_BUCKET_MS`; the last one holds everything older.
   */
  readonly entityAges: Float64Array = new Float64Array(AGE_BUCKETS);
  readonly #prediction: PredictionStats;

  constructor(prediction: PredictionStats) {
    this.#prediction = prediction;
  }

  get prediction(): Readonly<PredictionStats> {
    return this.#prediction;
  }

  /** Corrections because a predicted field was wrong. */
  get mispredictions(): number {
    return this.#prediction.mispredictions;
  }

  /** Age of an entity that `fraction` of the counts are below, in milliseconds. */
  entityAgeMs(fraction = 0.5): number {
    let total = 0;
    for (let i = 0; i < AGE_BUCKETS; i++) total += this.entityAges[i];
    let rank = fraction * total;
    for (let i = 0; i < AGE_BUCKETS; i++) {
      rank -= this.entityAges[i];
      if (rank <= 0) return i * AGE_BUCKET_MS;
    }
    return 0;
  }

  /** Starts the ages over, for a measurement. */
  resetEntityAges(): void {
    this.entityAges.fill(0);
  }

  noteFrame(inTime: boolean): void {
    this.frames++;
    if (!inTime) this.lateFrames++;
  }

  noteSnapshot(bytes: number): void {
    this.snapshots++;
    this.snapshotBytes += bytes;
  }

  noteError(distance: number): void {
    this.predictionError = distance;
    this.meanPredictionError += (distance - this.meanPredictionError) / 16;
  }

  noteEntityAge(ageMs: number): void {
    const bucket = ageMs > 0 ? Math.floor(ageMs / AGE_BUCKET_MS) : 0;
    this.entityAges[bucket < AGE_BUCKETS ? bucket : AGE_BUCKETS - 1]++;
  }
}

const AGE_BUCKETS = 512;
export const AGE_BUCKET_MS = 2;
