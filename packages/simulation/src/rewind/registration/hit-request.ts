/** A shot that a game's step wants judged. Plain values: a game may keep one object and change it. */
export interface HitRequest<W extends string = string, N extends string = never> {
  readonly weapon: W;
  /** Where it goes: radians about the z axis, and above the plane (default 0; states without heights ignore it). */
  readonly angle: number;
  readonly pitch?: number;
  /** Where the shooter looked in the tick before, for weapons with `maxTurn`. Default: it did not turn. */
  readonly lastAngle?: number;
  readonly lastPitch?: number;
  /** Tick of the input that shoots: the shooter stands where it stood then. Default the world's; see `late`. */
  readonly tick?: number;
  /** Of the spread, 32 bits. Default: from the shooter's own random numbers, which server and owner share. */
  readonly seed?: number;
  /** Id of the entity that the client says it hit: it is compared, and never believed. Default: none. */
  readonly claim?: number;
  /** Of which of the tables that are shot at that is the id. Default the first. */
  readonly claimTable?: N;
}
