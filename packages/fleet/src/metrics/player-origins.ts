/**
 * Where the players of the last minutes came from and where they were sent, coarsely: by squares of 2 degrees (some 200 km) and
 * by country. Neither addresses nor clients are kept, and nothing finer than a square.
 */
import { isKnown } from "../registry/geography.ts";
import type { ClientLocation } from "../routing/route-request.ts";

/** Players from one square who were sent to one region. */
export interface PlayerOrigin {
  /** The middle of the square, in degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** ISO 3166-1, two letters. */
  readonly country?: string;
  readonly region: string;
  readonly players: number;
}

export interface OriginStats {
  /** The time that is looked back on, in ms. */
  readonly windowMs: number;
  /** All who were placed in it. */
  readonly players: number;
  /** Of whom nobody knows where they are. */
  readonly unknown: number;
  /** For whom there was no room in the list. */
  readonly other: number;
  /** The most first. */
  readonly origins: readonly PlayerOrigin[];
}

export interface PlayerOriginsOptions {
  /** Default 5 minutes. */
  readonly windowMs?: number;
  /** Squares by region that are listed. Default 1000. */
  readonly maxOrigins?: number;
}

interface Slice {
  /** Which one since the beginning of time. */
  readonly number: number;
  readonly counts: Map<string, number>;
  unknown: number;
  other: number;
}

const SLICES = 10;
const CELL_DEGREES = 2;
const COLUMNS: number = 360 / CELL_DEGREES;
const ROWS: number = 180 / CELL_DEGREES;

export class PlayerOrigins {
  readonly #sliceMs: number;
  readonly #maxOrigins: number;
  /** The newest last. */
  #slices: Slice[] = [];

  constructor({ windowMs = 300_000, maxOrigins = 1000 }: PlayerOriginsOptions = {}) {
    if (!(windowMs >= SLICES)) throw new RangeError(`windowMs ${windowMs}, must be at least ${SLICES}`);
    if (!(maxOrigins >= 1)) throw new RangeError(`maxOrigins ${maxOrigins}, must be at least 1`);
    this.#sliceMs = windowMs / SLICES;
    this.#maxOrigins = maxOrigins;
  }

  /** A player was sent to that region. */
  note(region: string, location: ClientLocation | undefined, now: number): void {
    const slice = this.#sliceAt(now);
    if (location === undefined || !isKnown(location.coordinates)) {
      slice.unknown++;
      return;
    }
    const { coordinates, country = "" } = location;
    const row = Math.min(Math.floor((coordinates.latitude + 90) / CELL_DEGREES), ROWS - 1);
    const column = Math.min(Math.floor((coordinates.longitude + 180) / CELL_DEGREES), COLUMNS - 1);
    const key = `${row * COLUMNS + column} ${country} ${region}`;
    const count = slice.counts.get(key);
    if (count === undefined && slice.counts.size >= this.#maxOrigins) slice.other++;
    else slice.counts.set(key, (count ?? 0) + 1);
  }

  stats(now: number): OriginStats {
    this.#forget(now);
    const counts: Map<string, number> = new Map();
    let [unknown, other] = [0, 0];
    for (const slice of this.#slices) {
      unknown += slice.unknown;
      other += slice.other;
      for (const [key, count] of slice.counts) counts.set(key, (counts.get(key) ?? 0) + count);
    }
    const sorted = Array.from(counts).sort(([, a], [, b]) => b - a);
    for (const [, count] of sorted.slice(this.#maxOrigins)) other += count;
    const origins = sorted.slice(0, this.#maxOrigins).map(toOrigin);
    const listed = origins.reduce((sum, { players }) => sum + players, 0);
    return { windowMs: this.#sliceMs * SLICES, players: listed + unknown + other, unknown, other, origins };
  }

  #sliceAt(now: number): Slice {
    const number = Math.floor(now / this.#sliceMs);
    const newest = this.#slices.at(-1);
    if (newest !== undefined && newest.number >= number) return newest;
    const slice = { number, counts: new Map<string, number>(), unknown: 0, other: 0 };
    this.#slices.push(slice);
    this.#forget(now);
    return slice;
  }

  #forget(now: number): void {
    const oldest = Math.floor(now / this.#sliceMs) - SLICES + 1;
    if (this.#slices.length > 0 && this.#slices[0].number < oldest)
      this.#slices = this.#slices.filter(({ number }) => number >= oldest);
  }
}

/** Regions' names may have spaces in them, countries have none. */
function toOrigin([key, players]: readonly [string, number]): PlayerOrigin {
  const [, cell, country, region] = /^(\d+) (\S*) (.*)$/s.exec(key)!;
  const [row, column] = [Math.floor(Number(cell) / COLUMNS), Number(cell) % COLUMNS];
  return {
    latitude: (row + 0.5) * CELL_DEGREES - 90,
    longitude: (column + 0.5) * CELL_DEGREES - 180,
    ...(country === "" ? {} : { country }),
    region,
    players,
  };
}
