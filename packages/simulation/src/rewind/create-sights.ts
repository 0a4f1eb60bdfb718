/** Gives each table of a world what `seenBy` answers with, and each what it stops for the others. */
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { AnyWorldTable } from "../game/world.ts";
import type { Fields } from "../state/index.ts";
import type { SnapshotHistory } from "./history/snapshot-history.ts";
import { RewindContext } from "./rewind-context.ts";
import type { SightSource } from "./sight-source.ts";
import type { ShotDesk } from "./shot-sight.ts";
import { RewindQuery } from "./rewind-query.ts";

export interface TableSight {
  readonly history: SnapshotHistory;
  readonly source: SightSource;
}

/** `sightOf` is asked once for each table, by its place; `now`: the tick that is being simulated. */
export function createSights(
  tables: readonly AnyWorldTable[],
  statics: StaticGeometry,
  now: () => number,
  sightOf: (table: AnyWorldTable, number: number) => TableSight,
  desk?: ShotDesk,
): RewindContext<Fields>[] {
  const blockers: RewindContext<Fields>[] = [];
  return tables.map((table, number) => {
    const { history, source } = sightOf(table, number);
    const scene = { statics, blockers, desk };
    const context = new RewindContext(table, new RewindQuery(history), source, scene, now, table.name);
    if (table.state.rewound.blocks) blockers.push(context);
    table.sight = context;
    return context;
  });
}
