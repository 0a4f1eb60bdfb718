/** Players for a demonstration: public addresses of many countries, as often as people play there. */
import type { ClientLocator } from "@riposte/fleet";
import type { Random } from "@riposte/protocol";

/** About how much of a game's players are where. */
const SHARES: ReadonlyMap<string, number> = new Map(
  (
    "US 20, BR 9, DE 8, IN 8, JP 7, GB 6, FR 6, KR 6, CN 5, ID 5, MX 5, RU 4, TR 4, PL 4, ES 4, IT 4, CA 4, AU 4, PH 4, " +
    "SE 3, NL 3, AR 3, SA 3, TH 3, VN 3, ZA 2, EG 2, UA 2, CO 2, MY 2, CL 1, AE 1, NG 1, KE 1, FI 1, NO 1, RO 1, CZ 1, " +
    "PT 1, GR 1, NZ 1, PE 1, KZ 1, PK 1"
  )
    .split(", ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(3))]),
);
const PER_COUNTRY = 24;
const MAX_TRIES = 400_000;

export class DemoPlayers {
  readonly #random: Random;
  readonly #countries: readonly { readonly share: number; readonly addresses: readonly string[] }[];

  /** Draws addresses and keeps those of the countries above. */
  constructor(locator: ClientLocator, random: Random) {
    this.#random = random;
    const found = new Map(Array.from(SHARES.keys(), (country) => [country, [] as string[]]));
    let missing = found.size * PER_COUNTRY;
    for (let tries = 0; missing > 0 && tries < MAX_TRIES; tries++) {
      const address = Array.from({ length: 4 }, () => random.int(256)).join(".");
      const addresses = found.get(locator.estimateClientLocation(address)?.country ?? "");
      if (addresses === undefined || addresses.length >= PER_COUNTRY) continue;
      addresses.push(address);
      missing--;
    }
    this.#countries = Array.from(found, ([country, addresses]) => ({ share: SHARES.get(country)!, addresses })).filter(
      ({ addresses }) => addresses.length > 0,
    );
    if (this.#countries.length === 0) throw new RangeError("the locator knows no country of any address");
  }

  address(): string {
    const total = this.#countries.reduce((sum, { share }) => sum + share, 0);
    let draw = this.#random.next() * total;
    const country = this.#countries.find(({ share }) => (draw -= share) < 0) ?? this.#countries[0];
    return country.addresses[this.#random.int(country.addresses.length)];
  }
}
