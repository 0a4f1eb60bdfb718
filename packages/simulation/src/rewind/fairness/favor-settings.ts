/** How far a shooter is favoured over those it shoots at: what may be set, what it is when nothing is, and what cannot be. */

/** A shooter with this round trip gets this part of its rewind: 1 all of it, 0 none: its shots are judged at the present. */
export interface LatencyBand {
  readonly rttMs: number;
  readonly favor: number;
}

/** What each weapon may have of its own. */
export interface WeaponFavor {
  /** Nobody is looked at where it was longer ago. Default, and most: the match's `maxRewindMs`. */
  readonly maxRewindMs: number;
  /**
   * By rising round trip, as the server measures it. Below the first band that band's favour holds, beyond the last that of
   * the last. Default: all of the rewind for everybody.
   */
  readonly latencyBands: readonly LatencyBand[];
  /** Whether the favour changes evenly from one band to the next, or at each. Default "linear". */
  readonly betweenBands: "linear" | "steps";
  /** A victim that walls or doors have hidden from the shooter for longer than this is not hit. Default "off". */
  readonly behindCoverMs: number | "off";
}

export interface FavorTheShooterSettings extends WeaponFavor {
  /** Rises by 1 with every change. */
  readonly version: number;
  /** Whether victims that the game calls invulnerable (dashing) are spared. Default true (false). */
  readonly spareInvulnerable: boolean;
  readonly spareDashing: boolean;
  /**
   * So much time behind cover, summed over the hits that it takes, a victim must bear in `coverWindowMs`; what is hit behind
   * cover beyond that is spared. Default "off" and 10,000.
   */
  readonly coverBudgetMs: number | "off";
  readonly coverWindowMs: number;
  /** By name of a weapon: what it has of its own. Default: nothing. */
  readonly weapons: Readonly<Record<string, Partial<WeaponFavor>>>;
}

/** What is to be changed; the rest stays. `weapons` is replaced as a whole. */
export type FavorChange = Partial<Omit<FavorTheShooterSettings, "version">> & {
  /** The version that the change was made for: it is refused when that is not the one in force. Default: any. */
  readonly version?: number;
};

/** Before anything is changed. */
export function defaultFavor(maxRewindMs: number): FavorTheShooterSettings {
  return {
    version: 1,
    maxRewindMs,
    latencyBands: [{ rttMs: 0, favor: 1 }],
    betweenBands: "linear",
    behindCoverMs: "off",
    spareInvulnerable: true,
    spareDashing: false,
    coverBudgetMs: "off",
    coverWindowMs: 10_000,
    weapons: {},
  };
}

/**
 * Throws `RangeError` for what cannot be, saying what to do instead. `limitMs`: how far back the match remembers. `change` may
 * come from an operator's form: nothing of its shape is taken for granted.
 */
export function checkFavorChange(change: FavorChange, limitMs: number): void {
  if (typeof change !== "object" || change === null || Array.isArray(change))
    throw new RangeError(`a change of the settings is an object, got ${JSON.stringify(change)}`);
  const { version, spareInvulnerable, spareDashing, coverBudgetMs, coverWindowMs, weapons, ...own } = change;
  if (version !== undefined && !(Number.isInteger(version) && version >= 1))
    throw new RangeError(`version must be that of the settings in force, a whole number from 1, got ${show(version)}`);
  for (const [name, value] of Object.entries({ spareInvulnerable, spareDashing }))
    if (value !== undefined && typeof value !== "boolean")
      throw new RangeError(`${name} must be true or false, got ${show(value)}`);
  if (coverBudgetMs !== "off") within("coverBudgetMs", coverBudgetMs, 0, 60_000, ' or "off"');
  within("coverWindowMs", coverWindowMs, 100, 600_000);
  checkWeaponFavor(own, limitMs, "");
  if (weapons === undefined) return;
  if (typeof weapons !== "object" || weapons === null || Array.isArray(weapons))
    throw new RangeError(`weapons must be an object by name of the weapon, got ${show(weapons)}`);
  const entries = Object.entries(weapons);
  if (entries.length > MAX_WEAPONS)
    throw new RangeError(
      `weapons may have at most ${MAX_WEAPONS} entries, got ${entries.length}: leave out those without settings of their own`,
    );
  for (const [name, favor] of entries) {
    if (typeof favor !== "object" || favor === null)
      throw new RangeError(`weapons.${name} must be an object of settings, got ${show(favor)}`);
    checkWeaponFavor(favor, limitMs, `weapons.${name}.`);
  }
}

function checkWeaponFavor(favor: Partial<WeaponFavor>, limitMs: number, where: string): void {
  const { maxRewindMs, latencyBands, betweenBands, behindCoverMs, ...unknown } = favor;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    const names = where === "" ? [...WEAPON_NAMES, ...MATCH_NAMES] : WEAPON_NAMES;
    throw new RangeError(`there is no setting ${where}${name}: it is one of ${names.join(", ")}`);
  }
  within(`${where}maxRewindMs`, maxRewindMs, 0, limitMs, ": for more, start the match with a larger maxRewindMs");
  if (behindCoverMs !== "off") within(`${where}behindCoverMs`, behindCoverMs, 0, 1000, ' or "off"');
  if (betweenBands !== undefined && betweenBands !== "linear" && betweenBands !== "steps")
    throw new RangeError(`${where}betweenBands must be "linear" or "steps", got ${show(betweenBands)}`);
  if (latencyBands !== undefined) checkBands(latencyBands, `${where}latencyBands`);
}

function checkBands(bands: readonly LatencyBand[], name: string): void {
  if (!Array.isArray(bands) || bands.length < 1 || bands.length > MAX_BANDS)
    throw new RangeError(`${name} must be a list of 1 to ${MAX_BANDS} bands { rttMs, favor }, got ${show(bands)}`);
  let last = -1;
  for (const band of bands as readonly Partial<LatencyBand>[]) {
    const { rttMs = Number.NaN, favor = Number.NaN } = band ?? {};
    if (!(rttMs > last && rttMs < Infinity))
      throw new RangeError(`${name}: rttMs must not be negative and must rise from band to band, got ${show(bands)}`);
    if (!(favor >= 0 && favor <= 1))
      throw new RangeError(
        `${name}: favor must be from 0 (judged at the present) to 1 (all of the rewind), got ${show(favor)}`,
      );
    last = rttMs;
  }
}

function within(name: string, value: number | undefined, least: number, most: number, more = ""): void {
  if (value !== undefined && !(typeof value === "number" && value >= least && value <= most))
    throw new RangeError(`${name} must be from ${least} to ${most}${more}, got ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "undefined").slice(0, 100);
}

const WEAPON_NAMES = ["maxRewindMs", "latencyBands", "betweenBands", "behindCoverMs"];
const MATCH_NAMES = ["spareInvulnerable", "spareDashing", "coverBudgetMs", "coverWindowMs", "weapons"];
const MAX_BANDS = 16;
const MAX_WEAPONS = 256;
