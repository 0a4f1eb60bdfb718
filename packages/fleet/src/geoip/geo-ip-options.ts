/** What `GeoIp` is given, and what it tells. */
import type { Coordinates } from "../registry/server-node.ts";
import type { ClientLocation } from "../routing/route-request.ts";
import type { DatabaseChecks } from "./database-checks.ts";
import type { DatabaseSource } from "./database-source.ts";
import type { GeoIpError, GeoIpErrorCode } from "./geo-ip-error.ts";
import type { LocationOverride } from "./location-overrides.ts";
import type { Timers } from "./timers.ts";

export interface GeoIpOptions {
  /** Asked in this order for coordinates. Default: DB-IP's IP to City Lite, which comes with the package. */
  readonly city?: readonly DatabaseSource[];
  /** Asked for the country when none of the others knows coordinates. Default: the one that comes with the package. */
  readonly country?: readonly DatabaseSource[];
  readonly overrides?: readonly LocationOverride[];
  /** Default 10000. */
  readonly maxOverrides?: number;
  /** Where the regions are that overrides name. Default: nothing is known of them. */
  readonly regionCoordinates?: (region: string) => Coordinates | undefined;
  /** How far off a place may be when its database does not say. Default 50 km. */
  readonly cityAccuracyKm?: number;
  /** How often sources are looked at for something new. Default 0: only when `update` is called. */
  readonly updateEveryMs?: number;
  /** Longest time that getting one database may take. Default 120000 ms. */
  readonly timeoutMs?: number;
  /** Largest database, unpacked. Default 1 GiB. */
  readonly maxBytes?: number;
  /** What must be so before a database is used. */
  readonly checks?: DatabaseChecks;
  /** Hears how each scheduled update ended, and each by hand. */
  readonly onUpdate?: (result: GeoIpUpdate) => void;
  readonly fetch?: typeof globalThis.fetch;
  readonly timers?: Timers;
  /** Ms since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

export interface GeoIpUpdateRequest {
  /** Other sources than before, from now on. */
  readonly city?: readonly DatabaseSource[];
  readonly country?: readonly DatabaseSource[];
  /** Takes a database of another type and an older one, too; all else is checked. Default false. */
  readonly force?: boolean;
}

export interface GeoIpUpdate {
  /** Names of the databases that are new. */
  readonly changed: readonly string[];
  /** Why all is as it was before. */
  readonly error?: GeoIpError;
}

/** - `special`: private, loopback, multicast and the like; - `invalid`: not an address */
export type LookupOutcome = "override" | "city" | "country" | "unknown" | "special" | "invalid";

export interface LocationExplanation {
  readonly outcome: LookupOutcome;
  readonly location?: ClientLocation;
  /** Name of the database that knew it. */
  readonly database?: string;
  readonly override?: LocationOverride;
}

export interface GeoIpStats {
  /** Lookups by their outcome, since the start. */
  readonly lookups: Readonly<Record<LookupOutcome, number>>;
  readonly databases: readonly DatabaseStats[];
  readonly overrides: number;
  /** Updates that brought something, that found nothing new, and that failed. */
  readonly updates: number;
  readonly unchanged: number;
  readonly failedUpdates: number;
  /** Of the last update, if it failed. */
  readonly lastError?: { readonly code: GeoIpErrorCode; readonly message: string; readonly at: number };
}

export interface DatabaseStats {
  /** Its path or URL. */
  readonly name: string;
  readonly use: "city" | "country";
  readonly databaseType: string;
  readonly ipVersion: 4 | 6;
  /** When it was built, and when it was put to use: ms since 1970. */
  readonly builtAt: number;
  readonly loadedAt: number;
  readonly sha256: string;
  /** In memory. */
  readonly bytes: number;
}
