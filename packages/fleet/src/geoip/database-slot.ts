/** One of the databases in use: where it comes from, and what came. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { attributionOfType } from "./attribution.ts";
import type { Attribution } from "./attribution.ts";
import { checkDatabase } from "./database-checks.ts";
import type { DatabaseChecks } from "./database-checks.ts";
import { fetchDatabase, nameOf } from "./database-source.ts";
import type { DatabaseSource, FetchTools } from "./database-source.ts";
import { LocationDatabase } from "./location-database.ts";
import { MmdbFile } from "./mmdb-file.ts";

export interface DatabaseSlot {
  readonly source: DatabaseSource;
  readonly name: string;
  readonly database: LocationDatabase;
  readonly sha256: string;
  /** Of the file, to see whether it has changed. */
  readonly version: string | undefined;
  /** When it was put to use, in ms since 1970. */
  readonly loadedAt: number;
  readonly attribution: Attribution | undefined;
}

export interface LoadTools extends FetchTools {
  readonly checks: DatabaseChecks;
  readonly cityAccuracyKm: number;
  readonly now: () => number;
}

/** `current` itself, when nothing has changed. Rejects with `GeoIpError`. */
export async function loadDatabase(
  source: DatabaseSource,
  current: DatabaseSlot | undefined,
  force: boolean,
  tools: LoadTools,
): Promise<DatabaseSlot> {
  // Another hash may be expected of the same file.
  const isSameSource = !force && String(source.sha256) === String(current?.source.sha256);
  const fetched = await fetchDatabase(source, isSameSource ? current?.version : undefined, tools);
  if (current !== undefined && (fetched === undefined || fetched.sha256 === current.sha256))
    return { ...current, source, version: fetched?.version ?? current.version };
  const { bytes, sha256, version } = fetched!;
  const file = new MmdbFile(bytes);
  await nextTurn();
  const database = new LocationDatabase(file, tools.cityAccuracyKm);
  await checkDatabase(database, current?.database, tools.checks, force);
  return {
    source,
    name: nameOf(source),
    database,
    sha256,
    version,
    loadedAt: tools.now(),
    attribution: source.attribution ?? attributionOfType(file.databaseType),
  };
}
