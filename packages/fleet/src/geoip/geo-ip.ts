/**
 * Says where clients are by their IP addresses, from databases in memory: an operator's overrides first, then databases of cities,
 * then those of countries. Addresses are neither kept nor written anywhere.
 */
import type { ClientLocation } from "../routing/route-request.ts";
import { DB_IP_ATTRIBUTION } from "./attribution.ts";
import type { Attribution } from "./attribution.ts";
import type { ClientLocator } from "./client-locator.ts";
import { loadDatabase } from "./database-slot.ts";
import type { DatabaseSlot } from "./database-slot.ts";
import { nameOf } from "./database-source.ts";
import type { DatabaseSource } from "./database-source.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import type {
  DatabaseStats,
  GeoIpOptions,
  GeoIpStats,
  GeoIpUpdate,
  GeoIpUpdateRequest,
  LocationExplanation,
  LookupOutcome,
} from "./geo-ip-options.ts";
import { IpAddress } from "./ip-address.ts";
import { LocationOverrides } from "./location-overrides.ts";
import type { LocationOverride, RegionCoordinates } from "./location-overrides.ts";
import { packagedCityDatabases, packagedCountryDatabases } from "./packaged-databases.ts";
import { isPublicAddress } from "./special-addresses.ts";
import { nodeTimers } from "./timers.ts";
import type { Timers } from "./timers.ts";

export class GeoIp implements ClientLocator, AsyncDisposable {
  readonly #options: GeoIpOptions;
  readonly #address: IpAddress = new IpAddress();
  readonly #counts: Record<LookupOutcome, number>;
  readonly #closing = new AbortController();
  #city: readonly DatabaseSlot[] = [];
  #country: readonly DatabaseSlot[] = [];
  #overrides: LocationOverrides;
  #running: Promise<GeoIpUpdate> | undefined;
  #timer: unknown;
  #updates = 0;
  #unchanged = 0;
  #failedUpdates = 0;
  #lastError: GeoIpStats["lastError"];
  /** Of the last lookup. */
  #outcome: LookupOutcome = "unknown";
  #slot: DatabaseSlot | undefined;

  private constructor(options: GeoIpOptions) {
    for (const name of ["maxOverrides", "cityAccuracyKm", "timeoutMs", "maxBytes"] as const) {
      const value = options[name];
      if (value !== undefined && !(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`);
    }
    const { updateEveryMs = 0 } = options;
    if (!(updateEveryMs >= 0 && updateEveryMs <= MAX_DELAY_MS))
      throw new RangeError(`updateEveryMs must be from 0 to ${MAX_DELAY_MS}, got ${updateEveryMs}`);
    this.#options = options;
    this.#counts = { override: 0, city: 0, country: 0, unknown: 0, special: 0, invalid: 0 };
    this.#overrides = this.#overridesOf(options.overrides ?? []);
  }

  /** Loads and checks the databases. Rejects with `GeoIpError`, or `RangeError` for options that cannot be. */
  static async open(options: GeoIpOptions = {}): Promise<GeoIp> {
    const geoIp = new GeoIp(options);
    await geoIp.#load(options.city ?? packagedCityDatabases(), options.country ?? packagedCountryDatabases(), false);
    geoIp.#schedule();
    return geoIp;
  }

  /** `undefined`: nothing is known; never (0, 0). Reads memory only, and never throws. */
  estimateClientLocation(ip: string): ClientLocation | undefined {
    const location = this.#locate(ip);
    this.#counts[this.#outcome]++;
    return location;
  }

  /** The same, with where it comes from; not counted. */
  explain(ip: string): LocationExplanation {
    const location = this.#locate(ip);
    const override = this.#outcome === "invalid" ? undefined : this.#overrides.overrideOf(this.#address);
    return {
      outcome: this.#outcome,
      ...(location !== undefined && { location }),
      ...(this.#slot !== undefined && { database: this.#slot.name }),
      ...(override !== undefined && { override }),
    };
  }

  get overrides(): readonly LocationOverride[] {
    return this.#overrides.list;
  }

  /**
   * Takes the place of all overrides there were. `regionCoordinates`: where the regions are that they name, default as it was
   * opened with. Throws `RangeError`, and then those stay.
   */
  setOverrides(overrides: readonly LocationOverride[], regionCoordinates?: RegionCoordinates): void {
    this.#overrides = this.#overridesOf(overrides, regionCoordinates);
  }

  /** Whom to credit wherever locations are shown or given out. */
  get attributions(): readonly Attribution[] {
    const used = [...this.#city, ...this.#country].map(({ attribution }) => attribution);
    // The centres of countries are made of DB-IP's data.
    const all = [DB_IP_ATTRIBUTION, ...used].filter((attribution) => attribution !== undefined);
    return [...new Map(all.map((attribution) => [attribution.text, attribution])).values()];
  }

  get stats(): GeoIpStats {
    const databases = (["city", "country"] as const).flatMap((use) =>
      (use === "city" ? this.#city : this.#country).map((slot) => statsOf(slot, use)),
    );
    return {
      lookups: { ...this.#counts },
      databases,
      overrides: this.#overrides.list.length,
      updates: this.#updates,
      unchanged: this.#unchanged,
      failedUpdates: this.#failedUpdates,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  /**
   * Looks for new databases, and uses them when all of them pass the checks; else all stay as they are. Lookups go on meanwhile.
   * While an update runs another one is refused.
   */
  update(request: GeoIpUpdateRequest = {}): Promise<GeoIpUpdate> {
    if (this.#closing.signal.aborted) return Promise.resolve({ changed: [], error: closedError() });
    if (this.#running !== undefined)
      return Promise.resolve({ changed: [], error: new GeoIpError("busy", "an update is running") });
    this.#timers.clearTimeout(this.#timer);
    this.#running = this.#update(request);
    return this.#running;
  }

  /** Ends a running update and the scheduled ones; lookups still work. */
  async close(): Promise<void> {
    this.#closing.abort(closedError());
    this.#timers.clearTimeout(this.#timer);
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #timers(): Timers {
    return this.#options.timers ?? nodeTimers;
  }

  #locate(ip: string): ClientLocation | undefined {
    const address = this.#address;
    this.#slot = undefined;
    if (typeof ip !== "string" || !address.parse(ip)) return this.#end("invalid");
    const override = this.#overrides.find(address);
    if (override !== undefined) return override === "unknown" ? this.#end("unknown") : this.#end("override", override);
    if (!isPublicAddress(address)) return this.#end("special");
    let ofCountry: ClientLocation | undefined;
    let countrySlot: DatabaseSlot | undefined;
    for (const slots of [this.#city, this.#country])
      for (const slot of slots) {
        const location = slot.database.locate(address);
        if (location?.source === "city") {
          this.#slot = slot;
          return this.#end("city", location);
        }
        if (ofCountry !== undefined) continue;
        ofCountry = location;
        countrySlot = slot;
      }
    if (ofCountry === undefined) return this.#end("unknown");
    this.#slot = countrySlot;
    return this.#end("country", ofCountry);
  }

  #end(outcome: LookupOutcome, location?: ClientLocation): ClientLocation | undefined {
    this.#outcome = outcome;
    return location;
  }

  async #update({ city, country, force = false }: GeoIpUpdateRequest): Promise<GeoIpUpdate> {
    let result: GeoIpUpdate;
    try {
      const changed = await this.#load(city ?? this.#city.map(sourceOf), country ?? this.#country.map(sourceOf), force);
      if (changed.length > 0) this.#updates++;
      else this.#unchanged++;
      this.#lastError = undefined;
      result = { changed };
    } catch (cause) {
      const error = cause instanceof GeoIpError ? cause : new GeoIpError("unreadable", String(cause), { cause });
      this.#failedUpdates++;
      this.#lastError = { code: error.code, message: error.message, at: this.#now() };
      result = { changed: [], error };
    }
    this.#running = undefined;
    this.#schedule();
    this.#options.onUpdate?.(result);
    return result;
  }

  /** One after the other, so that no more than two hold their bytes twice; the new ones are put to use together. Returns their names. */
  async #load(
    city: readonly DatabaseSource[],
    country: readonly DatabaseSource[],
    force: boolean,
  ): Promise<readonly string[]> {
    const inUse = [...this.#city, ...this.#country];
    const slots: DatabaseSlot[] = [];
    const { signal } = this.#closing;
    const { fetch = globalThis.fetch, timeoutMs = 120_000, maxBytes = 2 ** 30 } = this.#options;
    const { checks = {}, cityAccuracyKm = 50 } = this.#options;
    const now = (): number => this.#now();
    const tools = { fetch, timers: this.#timers, timeoutMs, maxBytes, signal, checks, cityAccuracyKm, now };
    for (const source of [...city, ...country]) {
      const current = inUse.find(({ name }) => name === nameOf(source));
      slots.push(await loadDatabase(source, current, force, tools));
    }
    signal.throwIfAborted();
    this.#city = slots.slice(0, city.length);
    this.#country = slots.slice(city.length);
    return slots.filter(({ sha256 }) => inUse.every((slot) => slot.sha256 !== sha256)).map(({ name }) => name);
  }

  #schedule(): void {
    const { updateEveryMs = 0 } = this.#options;
    if (updateEveryMs === 0 || this.#closing.signal.aborted) return;
    this.#timer = this.#timers.setTimeout(() => {
      void this.update();
    }, updateEveryMs);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #overridesOf(list: readonly LocationOverride[], regionCoordinates?: RegionCoordinates): LocationOverrides {
    const { maxOverrides = 10_000, regionCoordinates: byDefault = () => undefined } = this.#options;
    return new LocationOverrides(list, maxOverrides, regionCoordinates ?? byDefault);
  }
}

/** What a timer can wait. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function sourceOf({ source }: DatabaseSlot): DatabaseSource {
  return source;
}

function closedError(): GeoIpError {
  return new GeoIpError("closed", "it is closed");
}

function statsOf({ name, database, sha256, loadedAt }: DatabaseSlot, use: DatabaseStats["use"]): DatabaseStats {
  const { databaseType, ipVersion, buildEpoch, bytes } = database.file;
  return { name, use, databaseType, ipVersion, builtAt: buildEpoch * 1000, loadedAt, sha256, bytes: bytes.length };
}
