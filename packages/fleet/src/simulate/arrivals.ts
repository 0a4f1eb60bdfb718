/** Who wants to play: how many parties at each moment, from where, of which players, for how long. */
import { Random } from "@riposte/protocol";
import type { ClientLocation, RouteClient } from "../routing/route-request.ts";
import type { Party } from "./party.ts";
import { MAX_PARTY } from "./sessions.ts";
import type { SimulationOptions } from "./simulation-options.ts";
import { ACCESS_MS, fraction } from "./world.ts";
import type { World } from "./world.ts";

/** Of parties with 1 to 4 players. */
const PARTY_SHARES = [0.72, 0.14, 0.07, 0.07];
const MEAN_PARTY = PARTY_SHARES.reduce((sum, share, i) => sum + share * (i + 1), 0);
/** Friends from somewhere else. */
const ELSEWHERE = 0.15;
const FRIENDS_WITHIN_DEGREES = 30;
/** Of log-normal lengths: the longest is some thirty times the shortest of nine in ten. */
const SIGMA = 0.75;
const MIN_SESSION_MS = 2 * 60_000;
export const MAX_SESSION_MS: number = 6 * 3_600_000;
/** What a database of addresses knows: the city, only a larger one of the same country, or nothing. */
const CITY_SHARE = 0.87;
const COUNTRY_SHARE = 0.09;
const MEASURED_REGIONS = 5;
const WEEK_MS = 7 * 24 * 3_600_000;
const REFRESH_MS = 60_000;

export class Arrivals {
  /** Demand is multiplied by it. */
  factor = 1;
  readonly #world: World;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #perMs: number;
  /** By place: sums of demand, players before it, and where GeoIP puts some of its players. */
  readonly #sums: Float64Array;
  readonly #firstPlayer: Float64Array;
  readonly #located: readonly ClientLocation[];
  readonly #countryLocated: readonly ClientLocation[];
  readonly #friends: readonly Uint16Array[];
  readonly #measured: (Readonly<Record<string, number>> | undefined)[];
  /** A bit for each player who plays or wants to. */
  readonly #busy: Uint8Array;
  #refreshAt = -Infinity;
  #keys = 0;

  constructor(world: World, options: SimulationOptions) {
    this.#world = world;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#perMs = (options.players * options.sessionsPerWeek) / WEEK_MS / MEAN_PARTY;
    const { places } = world;
    this.#sums = new Float64Array(places.length);
    this.#firstPlayer = new Float64Array(places.length + 1);
    places.forEach(({ share }, i) => (this.#firstPlayer[i + 1] = this.#firstPlayer[i] + share * options.players));
    this.#located = places.map(({ coordinates }) => ({ coordinates, source: "city", accuracyKm: 20 }));
    this.#countryLocated = places.map(({ country }) => {
      const largest = places.reduce((a, b) =>
        b.country === country && (a.country !== country || b.share > a.share) ? b : a,
      );
      return { coordinates: largest.coordinates, source: "country", accuracyKm: 500 };
    });
    this.#friends = places.map(({ coordinates: { latitude, longitude } }) => {
      const near = places.flatMap(({ coordinates }, i) => {
        const degrees = Math.hypot(coordinates.latitude - latitude, coordinates.longitude - longitude);
        return degrees < FRIENDS_WITHIN_DEGREES ? [i] : [];
      });
      return Uint16Array.from(near);
    });
    this.#measured = Array.from({ length: places.length * ACCESS_MS.length });
    this.#busy = new Uint8Array(Math.ceil(options.players / 8) + 1);
  }

  /** How many parties come in that time. `atMs`: since Monday 0:00 UTC. */
  count(atMs: number, forMs: number): number {
    if (atMs >= this.#refreshAt) this.#refresh(atMs);
    return this.#poisson(this.#sums[this.#sums.length - 1] * this.#perMs * this.factor * forMs);
  }

  /** `undefined`: whoever it would have been plays already. */
  next(now: number): Party | undefined {
    const random = this.#random;
    const size = this.#partySize();
    const players: number[] = [];
    const places: number[] = [];
    const accessMs: number[] = [];
    const clients: RouteClient[] = [];
    const home = this.#drawPlace();
    for (let i = 0; i < size; i++) {
      const friends = this.#friends[home];
      const place = i > 0 && random.chance(ELSEWHERE) ? friends[random.int(friends.length)] : home;
      const player = this.#drawPlayer(place);
      if (player < 0) break;
      const access = this.#world.accessOf(player);
      players.push(player);
      places.push(place);
      accessMs.push(ACCESS_MS[access]);
      clients.push(this.#client(player, place, access));
    }
    const lengthMs = this.#length();
    const balancer = random.int(this.#options.balancers);
    if (players.length === 0) return undefined;
    return {
      key: String(this.#keys++),
      players,
      places,
      accessMs,
      home: this.#world.nearest[home][0],
      clients,
      lengthMs,
      balancer,
      wantsSince: now,
      queuedSince: -1,
      movedAt: -1,
      done: false,
    };
  }

  /** The same players again, whose node is gone. */
  again(players: readonly number[], place: number, lengthMs: number, now: number): Party {
    const places = players.map(() => place);
    const access = players.map((player) => this.#world.accessOf(player));
    return {
      key: String(this.#keys++),
      players,
      places,
      accessMs: access.map((i) => ACCESS_MS[i]),
      home: this.#world.nearest[place][0],
      clients: players.map((player, i) => this.#client(player, place, access[i])),
      lengthMs,
      balancer: this.#random.int(this.#options.balancers),
      wantsSince: now,
      queuedSince: -1,
      movedAt: now,
      done: false,
    };
  }

  /** 0 to 1. */
  random(): number {
    return this.#random.next();
  }

  /** They want no more. */
  release(players: readonly number[]): void {
    for (const player of players) this.#busy[player >> 3] &= ~(1 << (player & 7));
  }

  #client(player: number, place: number, access: number): RouteClient {
    const clientId = String(player);
    const known = fraction(player, 9);
    const latencies = fraction(player, 5) < this.#options.measuredShare ? this.#measuredFrom(place, access) : undefined;
    if (known >= CITY_SHARE + COUNTRY_SHARE) return latencies === undefined ? { clientId } : { clientId, latencies };
    const location = (known < CITY_SHARE ? this.#located : this.#countryLocated)[place];
    return latencies === undefined ? { clientId, location } : { clientId, location, latencies };
  }

  #measuredFrom(place: number, access: number): Readonly<Record<string, number>> {
    const at = place * ACCESS_MS.length + access;
    const { regions, nearest } = this.#world;
    return (this.#measured[at] ??= Object.fromEntries(
      Array.from(nearest[place].subarray(0, MEASURED_REGIONS), (region) => [
        regions[region].name,
        this.#world.roundTripMs(place, region) + ACCESS_MS[access],
      ]),
    ));
  }

  #drawPlace(): number {
    const at = this.#random.next() * this.#sums[this.#sums.length - 1];
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sums[middle] > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** -1: none was found who does not play. */
  #drawPlayer(place: number): number {
    const first = Math.floor(this.#firstPlayer[place]);
    const count = Math.max(1, Math.floor(this.#firstPlayer[place + 1]) - first);
    for (let attempt = 0; attempt < 16; attempt++) {
      const player = first + this.#random.int(count);
      const bit = 1 << (player & 7);
      if ((this.#busy[player >> 3] & bit) !== 0) continue;
      this.#busy[player >> 3] |= bit;
      return player;
    }
    return -1;
  }

  #partySize(): number {
    let at = this.#random.next();
    for (let size = 1; size < MAX_PARTY; size++) if ((at -= PARTY_SHARES[size - 1]) < 0) return size;
    return MAX_PARTY;
  }

  #length(): number {
    const ms = this.#options.medianSessionMs * Math.exp(SIGMA * this.#normal());
    return Math.min(Math.max(ms, MIN_SESSION_MS), MAX_SESSION_MS);
  }

  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.next()));
    return radius * Math.cos(2 * Math.PI * this.#random.next());
  }

  #poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.#random.next(); product > limit; product *= this.#random.next()) count++;
    return count;
  }

  #refresh(atMs: number): void {
    this.#refreshAt = atMs + REFRESH_MS;
    let sum = 0;
    for (let place = 0; place < this.#sums.length; place++) {
      sum += this.#world.demandOf(place, atMs);
      this.#sums[place] = sum;
    }
  }
}
