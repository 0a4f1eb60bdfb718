/**
 * Locations out of one MMDB file, in either of two layouts: that of ip-location-db (flat: `country_code`, `city`, `latitude`,
 * `longitude`) and that of MaxMind's GeoIP2 and GeoLite2, which DB-IP's own files have, too (`country.iso_code`, `location.latitude`).
 */
import type { ClientLocation } from "../routing/route-request.ts";
import { countryCentre } from "./country-centres.ts";
import type { IpAddress } from "./ip-address.ts";
import type { MmdbFile } from "./mmdb-file.ts";
import { MmdbKey, MmdbRecords } from "./mmdb-record.ts";
import { plausibleCoordinates } from "./coordinates.ts";

export class LocationDatabase {
  readonly file: MmdbFile;
  readonly #records: MmdbRecords;
  readonly #keys: readonly MmdbKey[] = keysOf(KEYS);
  readonly #locationKeys: readonly MmdbKey[] = keysOf(LOCATION_KEYS);
  readonly #countryKeys: readonly MmdbKey[] = keysOf(COUNTRY_KEYS);
  readonly #cityAccuracyKm: number;
  /** What was read of the record at an offset, by a hash of the offset: a newer one takes the place of an older one. */
  readonly #cachedOffsets: Uint32Array = new Uint32Array(CACHE_SIZE);
  readonly #cached: (ClientLocation | undefined)[] = Array.from({ length: CACHE_SIZE });
  readonly #found: Int32Array = new Int32Array(KEYS.length);
  readonly #foundInside: Int32Array = new Int32Array(LOCATION_KEYS.length);

  /** `cityAccuracyKm`: how far off a city may be when the file does not say. */
  constructor(file: MmdbFile, cityAccuracyKm: number) {
    this.file = file;
    this.#cityAccuracyKm = cityAccuracyKm;
    this.#records = new MmdbRecords(file.bytes, file.recordsStart, file.recordsEnd);
  }

  /** Reads memory only. */
  locate(address: IpAddress): ClientLocation | undefined {
    const offset = this.file.find(address);
    if (offset < 0) return undefined;
    const slot = Math.imul(offset, 0x9e3779b1) >>> (32 - CACHE_BITS);
    if (this.#cachedOffsets[slot] === offset) return this.#cached[slot];
    const location = this.read(offset);
    this.#cachedOffsets[slot] = offset;
    this.#cached[slot] = location;
    return location;
  }

  /** What the record at `offset` says. */
  read(offset: number): ClientLocation | undefined {
    const records = this.#records;
    const found = this.#found;
    if (!records.findKeys(offset, this.#keys, found)) return undefined;
    const isPlace = [CITY, STATE, SUBDIVISIONS].some((key) => records.isFilled(found[key]));
    const country = this.#country();
    const centre = country === undefined ? undefined : countryCentre(country);
    // Where no place is named, coordinates are the middle of the country's map; ours is where its people are.
    if (!isPlace && centre !== undefined) return centre;
    return this.#place(isPlace, country) ?? centre;
  }

  /** The coordinates of the record whose keys were found last. */
  #place(isPlace: boolean, country: string | undefined): ClientLocation | undefined {
    const records = this.#records;
    const inside = this.#foundInside;
    let latitude = records.number(this.#found[LATITUDE]);
    let longitude = records.number(this.#found[LONGITUDE]);
    let radiusKm = Number.NaN;
    if (records.findKeys(this.#found[LOCATION], this.#locationKeys, inside)) {
      latitude = records.number(inside[0]);
      longitude = records.number(inside[1]);
      radiusKm = records.number(inside[2]);
    }
    const coordinates = plausibleCoordinates(latitude, longitude);
    if (coordinates === undefined) return undefined;
    const assumedKm = isPlace ? this.#cityAccuracyKm : UNKNOWN_COUNTRY_KM;
    return {
      coordinates,
      source: isPlace ? "city" : "country",
      accuracyKm: radiusKm > 0 ? radiusKm : assumedKm,
      ...(country !== undefined && { country }),
    };
  }

  #country(): string | undefined {
    const found = this.#found;
    const code =
      this.#records.countryCode(found[COUNTRY_CODE]) ||
      this.#codeInside(found[COUNTRY]) ||
      this.#codeInside(found[REGISTERED_COUNTRY]);
    return code === 0 ? undefined : String.fromCharCode(code >>> 8, code & 255);
  }

  #codeInside(offset: number): number {
    return this.#records.findKeys(offset, this.#countryKeys, this.#foundInside)
      ? this.#records.countryCode(this.#foundInside[0])
      : 0;
  }
}

const CACHE_BITS = 16;
/** Some 130 bytes each, 8 MB when it is full; random addresses find 87 % in it. */
const CACHE_SIZE = 2 ** CACHE_BITS;
/** How far off the middle of a country may be of which nothing is known. */
const UNKNOWN_COUNTRY_KM = 1000;

const [COUNTRY_CODE, COUNTRY, REGISTERED_COUNTRY, CITY, STATE, SUBDIVISIONS, LATITUDE, LONGITUDE, LOCATION] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
];
const KEYS = [
  "country_code",
  "country",
  "registered_country",
  "city",
  "state1",
  "subdivisions",
  "latitude",
  "longitude",
  "location",
];
const LOCATION_KEYS = ["latitude", "longitude", "accuracy_radius"];
const COUNTRY_KEYS = ["iso_code"];

function keysOf(names: readonly string[]): readonly MmdbKey[] {
  return names.map((name) => new MmdbKey(name));
}
