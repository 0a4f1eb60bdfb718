/** Requests as they come in: players of large cities, by their people, alone and in parties. */
import type { ClientLocation, RouteClient, RouteRequest } from "@riposte/fleet";
import { Random } from "@riposte/protocol";
import type { City } from "./cities.ts";
import { CITIES } from "./cities.ts";

export const VERSIONS = ["1.8.2", "1.9.0"];
export const MODES = ["duel", "arena", "battle"];

/** Few enough that they are in the processor's caches, where a request that was just parsed is, too. */
const REQUESTS = 1 << 12;
/** Shares of players. */
const WERE_HERE_BEFORE = 0.5;
const MEASURED = 0.4;
const UNKNOWN = 0.03;
const OF_OLD_VERSION = 0.2;
const IN_PARTY = 0.1;
const MEASURED_REGIONS = 5;

export interface Asked {
  readonly request: RouteRequest;
  /** Of each player. */
  readonly addresses: readonly string[];
}

export class Players {
  readonly #random: Random = new Random(3);
  readonly #regions: number;
  readonly #asked: readonly Asked[];
  #next = 0;

  constructor(regions: number) {
    this.#regions = regions;
    this.#asked = Array.from({ length: REQUESTS }, () => this.#ask());
  }

  next(): Asked {
    const asked = this.#asked[this.#next];
    this.#next = (this.#next + 1) % REQUESTS;
    return asked;
  }

  #ask(): Asked {
    const random = this.#random;
    const home = this.#city();
    const players = random.chance(IN_PARTY) ? 2 + random.int(3) : 1;
    const clients = Array.from({ length: players }, () => this.#player(home));
    const gameMode = random.chance(0.5) ? MODES[random.int(MODES.length)] : undefined;
    const filter = { version: VERSIONS[random.chance(OF_OLD_VERSION) ? 0 : 1], ...(gameMode && { gameMode }) };
    const lastRegion = random.chance(WERE_HERE_BEFORE) ? regionName(CITIES.indexOf(home) % this.#regions) : undefined;
    return {
      request: { clients, filter, ...(lastRegion && { lastRegion }) },
      addresses: clients.map(() => `${1 + random.int(223)}.${random.int(256)}.${random.int(256)}.${random.int(256)}`),
    };
  }

  #player(home: City): RouteClient {
    const random = this.#random;
    const clientId = String(random.uint32());
    const latencies = random.chance(MEASURED) ? this.#measure(home) : undefined;
    const latitude = home.latitude + random.next() * 4 - 2;
    const longitude = home.longitude + random.next() * 4 - 2;
    const location: ClientLocation = { coordinates: { latitude, longitude }, source: "city", accuracyKm: 50 };
    return { clientId, ...(!random.chance(UNKNOWN) && { location }), ...(latencies && { latencies }) };
  }

  #measure(home: City): Record<string, number> {
    const first = CITIES.indexOf(home);
    const measured = Array.from({ length: MEASURED_REGIONS }, (_, i) => {
      const number = (first + i) % this.#regions;
      const city = CITIES[number % CITIES.length];
      const degrees = Math.hypot(city.latitude - home.latitude, city.longitude - home.longitude);
      return [regionName(number), 8 + degrees * 1.7 + this.#random.next() * 10] as const;
    });
    return Object.fromEntries(measured);
  }

  #city(): City {
    const total = CITIES.reduce((sum, { millions }) => sum + millions, 0);
    let at = this.#random.next() * total;
    return CITIES.find(({ millions }) => (at -= millions) < 0) ?? CITIES[0];
  }
}

export function regionName(number: number): string {
  return `${CITIES[number % CITIES.length].name}-${Math.floor(number / CITIES.length)}`;
}
