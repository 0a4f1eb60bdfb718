/** The settings in force of one match, which may be changed while it runs, and what they are for each weapon. */
import { checkFavorChange, defaultFavor } from "./favor-settings.ts";
import type { FavorChange, FavorTheShooterSettings, LatencyBand, WeaponFavor } from "./favor-settings.ts";

export class FavorTheShooter {
  readonly #limitMs: number;
  #settings: FavorTheShooterSettings;
  #byWeapon: Map<string, WeaponFavor> = new Map();

  /** `limitMs`: how far back the match remembers, and the first `maxRewindMs`. Throws as `change` does. */
  constructor(limitMs: number, first: FavorChange = {}) {
    this.#limitMs = limitMs;
    this.#settings = defaultFavor(limitMs);
    checkFavorChange(first, limitMs);
    this.#take(first, 1);
  }

  /** What is in force. Not to be changed but by `change`. */
  get settings(): FavorTheShooterSettings {
    return this.#settings;
  }

  /**
   * Takes effect with the next shot that is judged; returns what is in force then. Throws `RangeError`, with nothing changed,
   * for values that cannot be, and when `change.version` is not the version in force.
   */
  change(change: FavorChange): FavorTheShooterSettings {
    checkFavorChange(change, this.#limitMs);
    const { version } = this.#settings;
    if (change.version !== undefined && change.version !== version)
      throw new RangeError(`the settings are at version ${version}, not ${change.version}: read them again`);
    this.#take(change, version + 1);
    return this.#settings;
  }

  /** What holds for shots with a weapon; without a name, or for one without settings of its own: for all. */
  of(weapon?: string): WeaponFavor {
    return weapon === undefined ? this.#settings : (this.#byWeapon.get(weapon) ?? this.#settings);
  }

  #take(change: FavorChange, version: number): void {
    // A caller's object may change later, and what is not set stays.
    const { weapons, ...given } = structuredCopy(change);
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const settings = { ...this.#settings, ...set, version, weapons: weapons ?? this.#settings.weapons };
    this.#settings = settings;
    const { maxRewindMs, latencyBands, betweenBands, behindCoverMs } = settings;
    const common: WeaponFavor = { maxRewindMs, latencyBands, betweenBands, behindCoverMs };
    this.#byWeapon = new Map(Object.entries(settings.weapons).map(([name, own]) => [name, { ...common, ...own }]));
  }
}

/**
 * The part of its rewind that a shooter gets whose round trip is `rttMs`: 1 all of it, 0 none.
 */
export function favorAt({ latencyBands, betweenBands }: WeaponFavor, rttMs: number): number {
  let below = latencyBands[0];
  let above: LatencyBand | undefined;
  for (let i = 1; i < latencyBands.length && above === undefined; i++)
    if (latencyBands[i].rttMs > rttMs) above = latencyBands[i];
    else below = latencyBands[i];
  if (betweenBands === "steps" || above === undefined || rttMs <= below.rttMs) return below.favor;
  return below.favor + ((above.favor - below.favor) * (rttMs - below.rttMs)) / (above.rttMs - below.rttMs);
}

function structuredCopy(change: FavorChange): FavorChange {
  return JSON.parse(JSON.stringify(change)) as FavorChange;
}
