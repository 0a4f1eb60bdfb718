/** Where an operator says that addresses are, whatever databases say. */
import type { Coordinates } from "../registry/server-node.ts";
import type { ClientLocation } from "../routing/route-request.ts";
import { plausibleCoordinates } from "./coordinates.ts";
import { countryCentre } from "./country-centres.ts";
import { IpAddress } from "./ip-address.ts";
import { PrefixTable } from "./prefix-table.ts";

/** The first of `coordinates`, `region` and `country` that leads to a place counts. */
export interface LocationOverride {
  /** `10.1.0.0/16`, `2001:db8::/32`, or an address alone; of several that an address is in, the longest counts. */
  readonly prefix: string;
  readonly coordinates?: Coordinates;
  /** Where this region is. While its coordinates are not known, what else the override says counts, then the databases. */
  readonly region?: string;
  /** ISO 3166-1, two letters. */
  readonly country?: string;
  /** Default 25, or the country's radius. */
  readonly accuracyKm?: number;
  /** Nothing is known of these addresses: no database is asked. A VPN's exit, for example. */
  readonly unknown?: boolean;
}

export type RegionCoordinates = (region: string) => Coordinates | undefined;

/** An override with its location, if it does not have to be asked for. */
interface Entry {
  readonly override: LocationOverride;
  readonly location: ClientLocation | undefined;
}

export class LocationOverrides {
  readonly list: readonly LocationOverride[];
  readonly #table: PrefixTable<Entry> = new PrefixTable();
  readonly #regionCoordinates: RegionCoordinates;

  /** Throws `RangeError` for more than `max`, for a prefix that occurs twice, and for what cannot be. */
  constructor(list: readonly LocationOverride[], max: number, regionCoordinates: RegionCoordinates) {
    if (list.length > max) throw new RangeError(`${list.length} overrides, at most ${max} are allowed`);
    this.list = [...list];
    this.#regionCoordinates = regionCoordinates;
    const address = new IpAddress();
    for (const override of list) {
      const length = address.parsePrefix(override.prefix);
      if (!this.#table.add(address, length, { override, location: fixedLocation(override) }))
        throw new RangeError(`two overrides for ${override.prefix}`);
    }
  }

  /** "unknown": it says so. `undefined`: nothing is said of it, or it says a region of which nothing is known. */
  find(address: IpAddress): ClientLocation | "unknown" | undefined {
    if (this.list.length === 0) return undefined;
    const entry = this.#table.find(address);
    if (entry === undefined) return undefined;
    const { override, location } = entry;
    if (override.unknown === true) return "unknown";
    if (override.coordinates !== undefined || override.region === undefined) return location;
    const coordinates = this.#regionCoordinates(override.region);
    return coordinates === undefined ? location : locationAt(coordinates, override);
  }

  /** The one that counts for an address. */
  overrideOf(address: IpAddress): LocationOverride | undefined {
    return this.#table.find(address)?.override;
  }
}

const DEFAULT_ACCURACY_KM = 25;

/** All but what depends on a region. */
function fixedLocation(override: LocationOverride): ClientLocation | undefined {
  const { prefix, coordinates, region, country, accuracyKm, unknown } = override;
  if (accuracyKm !== undefined && !(accuracyKm > 0))
    throw new RangeError(`override ${prefix}: accuracyKm must be above 0, got ${accuracyKm}`);
  if (unknown === true) return undefined;
  if (coordinates !== undefined) {
    if (plausibleCoordinates(coordinates.latitude, coordinates.longitude) === undefined)
      throw new RangeError(`override ${prefix}: nobody is at ${coordinates.latitude}, ${coordinates.longitude}`);
    return locationAt(coordinates, override);
  }
  if (country !== undefined) {
    const centre = countryCentre(country);
    if (centre === undefined) throw new RangeError(`override ${prefix}: no country ${country}`);
    return { ...centre, source: "override", accuracyKm: accuracyKm ?? centre.accuracyKm };
  }
  if (region === undefined) throw new RangeError(`override ${prefix} says neither coordinates, region nor country`);
  return undefined;
}

function locationAt(coordinates: Coordinates, { country, accuracyKm }: LocationOverride): ClientLocation {
  const { latitude, longitude } = coordinates;
  return {
    coordinates: { latitude, longitude },
    source: "override",
    accuracyKm: accuracyKm ?? DEFAULT_ACCURACY_KM,
    ...(country !== undefined && { country }),
  };
}
