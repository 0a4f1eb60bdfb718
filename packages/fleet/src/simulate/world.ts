/**
 * A world to simulate: places where players live, regions where nodes stand, and the round trip between them.
 *
 * Round trip = access line of the player + 2 ms + distance there and back at the speed of light in glass (200 km/ms) x how much
 * longer than the straight line the cable is: 1.25 to 2.15, by chance, but always the same for the same two places. The router
 * knows nothing of that: it reckons with 10 ms and 1.5 times the line, unless a player has measured.
 */
import { countryCentre } from "../geoip/country-centres.ts";
import { distanceKm, unitVector } from "../registry/geography.ts";
import type { Coordinates } from "../registry/server-node.ts";
import { CITIES, MILLIONS_ONLINE } from "./cities.ts";
import { dailyDemand } from "./daily-demand.ts";

export interface Place {
  readonly name: string;
  readonly country: string;
  readonly coordinates: Coordinates;
  /** Share of all players. */
  readonly share: number;
  /** By the sun: what clocks say differs by an hour or two. */
  readonly utcOffsetHours: number;
}

export interface SimulatedRegion {
  readonly name: string;
  readonly place: number;
  readonly coordinates: Coordinates;
  /** Of all nodes. */
  readonly nodes: number;
}

/** Of an access line, there and back, and how many players have one such: fibre, cable, DSL, mobile. */
export const ACCESS_MS: readonly number[] = [4, 9, 16, 35];
const ACCESS_SHARES = [0.3, 0.35, 0.2, 0.15];
const BASE_MS = 2;
const GLASS_KM_PER_MS = 200;
/** Regions that are no more than this farther than the nearest share a place's players. */
export const AS_NEAR_MS = 3;

export class World {
  readonly places: readonly Place[];
  readonly regions: readonly SimulatedRegion[];
  /** By place, then region; without the access line. */
  readonly rttMs: Float32Array;
  /** By place: regions, nearest first. */
  readonly nearest: readonly Uint16Array[];

  constructor(options: { readonly regions: number; readonly nodes: number }) {
    this.places = makePlaces();
    const sites = chooseSites(this.places, options.regions);
    const count = sites.length;
    this.rttMs = new Float32Array(this.places.length * count);
    sites.forEach((site, region) => {
      // Regions of one city are different providers'.
      const providerMs = fraction(site, region) * 2;
      for (let place = 0; place < this.places.length; place++)
        this.rttMs[place * count + region] = roundTripMs(this.places, place, site) + providerMs;
    });
    this.nearest = this.places.map((_, place) => {
      const row = this.rttMs.subarray(place * count, (place + 1) * count);
      return Uint16Array.from(row.keys()).sort((a, b) => row[a] - row[b] || a - b);
    });
    const nodes = shareOut(options.nodes, this.#peakDemand(sites.length));
    const numbers = new Map<number, number>();
    this.regions = sites.map((site, region) => {
      const number = (numbers.get(site) ?? 0) + 1;
      numbers.set(site, number);
      const { name, coordinates } = this.places[site];
      return { name: `${name}-${number}`, place: site, coordinates, nodes: nodes[region] };
    });
  }

  /** Which access line a player has: index into `ACCESS_MS`. */
  accessOf(player: number): number {
    let at = fraction(player, 77);
    for (let i = 0; i < ACCESS_SHARES.length - 1; i++) if ((at -= ACCESS_SHARES[i]) < 0) return i;
    return ACCESS_SHARES.length - 1;
  }

  roundTripMs(place: number, region: number): number {
    return this.rttMs[place * this.regions.length + region];
  }

  /** Begins of sessions there against the mean of the whole world over a week. `atMs`: since Monday 0:00 UTC. */
  demandOf(place: number, atMs: number): number {
    const { share, utcOffsetHours } = this.places[place];
    return share * dailyDemand(atMs / 3_600_000 + utcOffsetHours);
  }

  /** By region: the most that its own players want in any hour of the week. */
  #peakDemand(count: number): Float64Array {
    const peaks = new Float64Array(count);
    const demand = new Float64Array(count);
    for (let hour = 0; hour < 168; hour++) {
      demand.fill(0);
      this.nearest.forEach((order, place) => {
        const near = this.#asNear(place, order, count);
        for (let i = 0; i < near; i++) demand[order[i]] += this.demandOf(place, hour * 3_600_000) / near;
      });
      for (let region = 0; region < count; region++) peaks[region] = Math.max(peaks[region], demand[region]);
    }
    return peaks;
  }

  /** How many of the first regions of the order are as near as the nearest. */
  #asNear(place: number, order: Uint16Array, count: number): number {
    const row = place * count;
    let near = 1;
    while (near < count && this.rttMs[row + order[near]] <= this.rttMs[row + order[0]] + AS_NEAR_MS) near++;
    return near;
  }
}

/** Of two whole numbers, always the same, 0 to 1. */
export function fraction(a: number, b: number): number {
  let z = (Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 0x1_0000_0000;
}

function makePlaces(): Place[] {
  const peopleOf = new Map<string, number>();
  for (const { country, millions } of CITIES) peopleOf.set(country, (peopleOf.get(country) ?? 0) + millions);
  const total = [...MILLIONS_ONLINE.values()].reduce((a, b) => a + b, 0);
  const places: Place[] = [];
  const add = (name: string, country: string, coordinates: Coordinates, millions: number): void => {
    const utcOffsetHours = Math.round(coordinates.longitude / 15);
    places.push({ name, country, coordinates, share: millions / total, utcOffsetHours });
  };
  for (const { name, country, latitude, longitude, millions } of CITIES) {
    const online = MILLIONS_ONLINE.get(country) ?? 0;
    add(name, country, { latitude, longitude }, (online * millions) / (peopleOf.get(country) ?? 1));
  }
  for (const [country, online] of MILLIONS_ONLINE) {
    const centre = countryCentre(country);
    if (!peopleOf.has(country) && centre !== undefined) add(country.toLowerCase(), country, centre.coordinates, online);
  }
  return places;
}

function roundTripMs(places: readonly Place[], a: number, b: number): number {
  const km = distanceKm(unitVector(places[a].coordinates), unitVector(places[b].coordinates));
  const detour = 1.25 + 0.9 * fraction(Math.min(a, b), Math.max(a, b)) ** 1.5;
  return BASE_MS + ((2 * km) / GLASS_KM_PER_MS) * detour;
}

/**
 * As an operator would: each next region goes where it shortens players' way the most; when they all have one, where most
 * players share one.
 */
function chooseSites(places: readonly Place[], count: number): number[] {
  const n = places.length;
  const rtt = Float64Array.from({ length: n * n }, (_, i) => roundTripMs(places, Math.floor(i / n), i % n));
  const best = new Float64Array(n).fill(400);
  const regionsAt = new Int32Array(n);
  const sites: number[] = [];
  while (sites.length < count) {
    let chosen = -1;
    let most = 0;
    for (let site = 0; site < n; site++) {
      let gain = 0;
      for (let place = 0; place < n; place++)
        gain += places[place].share * Math.max(0, best[place] - rtt[place * n + site]);
      if (gain > most) [chosen, most] = [site, gain];
    }
    // Below a hundredth of a ms for the world's players a second provider is worth more.
    if (most < 0.01) chosen = mostCrowded(places, regionsAt);
    regionsAt[chosen]++;
    sites.push(chosen);
    for (let place = 0; place < n; place++) best[place] = Math.min(best[place], rtt[place * n + chosen]);
  }
  return sites;
}

function mostCrowded(places: readonly Place[], regionsAt: Int32Array): number {
  let chosen = 0;
  const crowd = (place: number): number => (regionsAt[place] > 0 ? places[place].share / regionsAt[place] : 0);
  for (let place = 1; place < places.length; place++) if (crowd(place) > crowd(chosen)) chosen = place;
  return chosen;
}

/** Whole numbers of at least 1 that add up to `total`. */
function shareOut(total: number, weights: Float64Array): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const parts = Array.from(weights, (weight) => Math.max(1, Math.floor((total * weight) / sum)));
  const byNeed = parts.map((_, i) => i).sort((a, b) => weights[b] - weights[a] || a - b);
  let left = total - parts.reduce((a, b) => a + b, 0);
  for (let i = 0; left !== 0; i = (i + 1) % byNeed.length) {
    const region = byNeed[i];
    if (left < 0 && parts[region] <= 1) continue;
    parts[region] += Math.sign(left);
    left -= Math.sign(left);
  }
  return parts;
}
