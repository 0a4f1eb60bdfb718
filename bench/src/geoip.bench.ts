/** GeoIP alone; `fleet` has the same figures among others. */
import type { Bench } from "./bench.ts";
import { measureGeoIp } from "./fleet/geoip.ts";

export const bench: Bench = () => measureGeoIp();
