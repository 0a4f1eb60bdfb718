/**
 * How many clients GeoIp places in a second, beside `maxmind` with its own cache on the same file in the same run; and for how long
 * an update holds up everything else.
 */
import { appendFile, copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "maxmind";
import { Random } from "@riposte/protocol";
import { GeoIp, packagedCityDatabases } from "@riposte/fleet";
import type { DatabaseSource } from "@riposte/fleet";
import type { BenchResult } from "../bench.ts";
import { median } from "../statistics.ts";

/**
 * Lookups: random public IPv4 addresses as text, whole `estimateClientLocation`, per second of this thread's CPU time; the same of
 * `maxmind`'s `get`. Pause: the longest turn of the event loop while new databases are read, checked and swapped in, CPU time of
 * this thread. Memory: of the databases.
 */
export async function measureGeoIp(): Promise<BenchResult> {
  const [ipv4] = packagedCityDatabases();
  const geoIp = await GeoIp.open();
  const rival = await open(fileURLToPath(ipv4.from));
  const addresses = randomAddresses(LOOKUPS);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [us, them] = [
      lookupsPerSec(addresses, (ip) => geoIp.estimateClientLocation(ip)),
      lookupsPerSec(addresses, (ip) => rival.get(ip)),
    ];
    // The first round warms up.
    if (round === 0) continue;
    ours.push(us);
    theirs.push(them);
  }
  const pauseMs = await longestPauseMs(geoIp);
  const bytes = geoIp.stats.databases.reduce((sum, database) => sum + database.bytes, 0);
  await geoIp.close();
  return {
    figures: {
      geoip_lookups_per_sec: median(ours),
      geoip_maxmind_lookups_per_sec: median(theirs),
      geoip_vs_maxmind: median(ours) / median(theirs),
      geoip_update_pause_ms_max: pauseMs,
      geoip_memory_mb: bytes / 1e6,
    },
    targets: { geoip_update_pause_ms_max: 50 },
    floors: { geoip_lookups_per_sec: 500_000 },
  };
}

const LOOKUPS = 200_000;
const ROUNDS = 5;

function randomAddresses(count: number): readonly string[] {
  const random = new Random(1);
  return Array.from({ length: count }, () => {
    let first: number;
    do first = random.int(224);
    while (first === 0 || first === 10 || first === 127);
    return `${first}.${random.int(256)}.${random.int(256)}.${random.int(256)}`;
  });
}

function lookupsPerSec(addresses: readonly string[], look: (ip: string) => unknown): number {
  const startMs = cpuMs();
  let known = 0;
  for (const ip of addresses) if (look(ip)) known++;
  const tookMs = cpuMs() - startMs;
  if (known < addresses.length * 0.9) throw new Error(`only ${known} of ${addresses.length} addresses are known`);
  return (addresses.length / tookMs) * 1000;
}

/** Of an update to copies of the cities' databases, which are other files with one byte more. */
async function longestPauseMs(geoIp: GeoIp): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "riposte-geoip-"));
  try {
    const city: DatabaseSource[] = [];
    for (const { from } of packagedCityDatabases()) {
      const copy = join(folder, basename(fileURLToPath(from)));
      await copyFile(from, copy);
      await appendFile(copy, "\0");
      city.push({ from: copy });
    }
    let longestMs = 0;
    let lastMs = cpuMs();
    let isRunning = true;
    const turn = (): void => {
      const nowMs = cpuMs();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (isRunning) setImmediate(turn);
    };
    setImmediate(turn);
    const { changed, error } = await geoIp.update({ city });
    isRunning = false;
    if (changed.length !== 2) throw error ?? new Error(`${changed.length} databases were new`);
    return longestMs;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
