/**
 * Lag compensation for what flies. When it is shot, its target is looked at where the shooter's screen has it; the longer it
 * flies, the nearer to the present: at the end of `catchUpMs` everybody is where they are, and can see it come. In between it
 * costs the target a moment, and the shooter a little lead.
 *
 *     const sight = world.players.seenBy(shooter);
 *     const hit = sight.performSweep(ball, dx, dy, dz, way, { towardsNow: rewind.towardsNow(age) });
 *
 * A shot whose input came late has flown already: `fastForward` flies it through the past to the present.
 */

export interface ProjectileRewindOptions {
  readonly tickRate: number;
  /** Flight after which it is in the present. 0: it always is. Default 300 ms. */
  readonly catchUpMs?: number;
  /** A shot that comes later than this begins so long ago, not earlier. Default 250 ms. */
  readonly maxFastForwardMs?: number;
}

export class ProjectileRewind {
  readonly #catchUpTicks: number;
  readonly #maxTicks: number;

  /** Throws `RangeError` for times below 0. */
  constructor({ tickRate, catchUpMs = 300, maxFastForwardMs = 250 }: ProjectileRewindOptions) {
    for (const [name, value] of Object.entries({ catchUpMs, maxFastForwardMs }))
      if (!(value >= 0)) throw new RangeError(`${name} must be at least 0, got ${value}`);
    if (!(tickRate > 0)) throw new RangeError(`tickRate must be above 0, got ${tickRate}`);
    this.#catchUpTicks = (catchUpMs * tickRate) / 1000;
    this.#maxTicks = Math.floor((maxFastForwardMs * tickRate) / 1000 + 1e-9);
  }

  /** For `SeenOptions.towardsNow`, of a projectile in the given tick of its flight, from 0. */
  towardsNow(ageTicks: number): number {
    if (!(ageTicks < this.#catchUpTicks)) return 1;
    return ageTicks > 0 ? ageTicks / this.#catchUpTicks : 0;
  }

  /**
   * Flies a projectile whose shot is `lateTicks` late through the ticks that it has missed, at most `maxFastForwardMs` of
   * them: `fly(ageTicks, laterTicks, towardsNow)` moves it by one tick, looking with these options, and says whether it flies
   * on. Returns its age, the number of ticks flown; from there it goes on like any other.
   */
  fastForward(lateTicks: number, fly: (ageTicks: number, laterTicks: number, towardsNow: number) => boolean): number {
    const late = Math.max(0, Math.floor(lateTicks));
    const ticks = Math.min(this.#maxTicks, late);
    for (let age = 0; age < ticks; age++) if (!fly(age, late - ticks + age, this.towardsNow(age))) return age + 1;
    return ticks;
  }
}
