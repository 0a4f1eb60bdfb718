/**
 * Where every entity of a table was during the last ticks, for judging shots at what a player saw.
 *
 * Rings per entity: a query walks the entities at two ticks, so one entity's ticks lie together.
 * Only pose and identity are kept. Nothing leaves the process.
 */
export class PoseHistory {
  readonly capacity: number;
  /** Ticks kept; a power of two. */
  readonly ringTicks: number;
  /** Entity id that had this place at that tick, -1 when nobody had. */
  readonly ids: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly angle: Float64Array;
  /** Goes up by one at every jump of the entity: two poses with different numbers are not blended. */
  readonly jumps: Uint8Array;
  /** The newest recorded tick, -1 before the first. */
  newestTick = -1;
  /** The oldest tick that can be asked for. */
  oldestTick = 0;
  readonly #jumps: Uint8Array;

  /** `capacity` entities, at least `historyTicks` ticks. */
  constructor(capacity: number, historyTicks: number) {
    this.capacity = capacity;
    this.ringTicks = 1 << Math.ceil(Math.log2(Math.max(2, historyTicks + 2)));
    const size = capacity * this.ringTicks;
    this.ids = new Int32Array(size).fill(-1);
    this.x = new Float64Array(size);
    this.y = new Float64Array(size);
    this.angle = new Float64Array(size);
    this.jumps = new Uint8Array(size);
    this.#jumps = new Uint8Array(capacity);
  }

  /** Opens `tick` for recording; ticks must follow each other. The caller then calls `set` for every place. */
  begin(tick: number): void {
    this.oldestTick =
      this.newestTick < 0 || tick !== this.newestTick + 1 ? tick : Math.max(this.oldestTick, tick - this.ringTicks + 1);
    this.newestTick = tick;
  }

  /** Records the entity at place `index` at the newest tick; `id` -1: nobody. */
  set(index: number, id: number, x: number, y: number, angle: number, jumped = false): void {
    const at = index * this.ringTicks + (this.newestTick & (this.ringTicks - 1));
    this.ids[at] = id;
    this.x[at] = x;
    this.y[at] = y;
    this.angle[at] = angle;
    if (jumped) this.#jumps[index]++;
    this.jumps[at] = this.#jumps[index];
  }

  /** Where in the arrays place `index` at `tick` is; the tick must be kept. */
  at(index: number, tick: number): number {
    return index * this.ringTicks + (tick & (this.ringTicks - 1));
  }
}
