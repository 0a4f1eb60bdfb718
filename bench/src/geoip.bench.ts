/** GeoIP alone; `fleet` has the same figures among those of routing. */
import type { Bench } from "./bench.ts";
import { measureGeoIp } from "./fleet/geoip.ts";

export const bench: Bench = async () => ({
  figures: { ...(await measureGeoIp()) },
  targets: { geoip_update_pause_ms_max: 50 },
  floors: { geoip_lookups_per_sec: 500_000 },
});
