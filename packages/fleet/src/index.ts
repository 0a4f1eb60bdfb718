export type { ServerNode } from "./registry/server-node.ts";
export { DB_IP_ATTRIBUTION, NRO_ATTRIBUTION } from "./geoip/attribution.ts";
export type { Attribution } from "./geoip/attribution.ts";
export type { ClientLocator } from "./geoip/client-locator.ts";
export type { DatabaseChecks, Probe } from "./geoip/database-checks.ts";
export type { DatabaseSource } from "./geoip/database-source.ts";
export { GeoIpError } from "./geoip/geo-ip-error.ts";
export type { GeoIpErrorCode } from "./geoip/geo-ip-error.ts";
export type {
  DatabaseStats,
  GeoIpOptions,
  GeoIpStats,
  GeoIpUpdate,
  GeoIpUpdateRequest,
  LocationExplanation,
  LookupOutcome,
} from "./geoip/geo-ip-options.ts";
export { GeoIp } from "./geoip/geo-ip.ts";
export type { LocationOverride, RegionCoordinates } from "./geoip/location-overrides.ts";
export { packagedCityDatabases, packagedCountryDatabases } from "./geoip/packaged-databases.ts";
export type { Timers } from "./geoip/timers.ts";
