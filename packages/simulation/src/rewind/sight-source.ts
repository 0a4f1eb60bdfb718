/** What a `RewindContext` is made with: who knows what is seen, and what stops a shot. */
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { Fields, RowIdentity } from "../state/index.ts";
import type { RewindContext } from "./rewind-context.ts";
import type { RewindQuery } from "./rewind-query.ts";
import type { RewindView } from "./rewound-poses.ts";
import type { ShotDesk } from "./shot-sight.ts";

/** Knows what the owner of a row sees of one table. */
export interface SightSource {
  /**
   * The view of the owner of `row`; called anew whenever somebody else has looked meanwhile. `laterTicks` and `towardsNow`: as
   * in `SeenOptions`.
   */
  viewOf(row: RowIdentity, laterTicks: number, towardsNow: number, weapon?: string): RewindView;
  /** After the query was pointed at the view: whoever is to be found where it is now. */
  addLive(row: RowIdentity, query: RewindQuery): void;
  /** Whether the stamp of the view given last was cut. Only a server knows. */
  readonly isViewCut: boolean;
}

/** Static geometry, as rays know it. */
export type Walls = Pick<StaticGeometry, "raycastAlong" | "raycastInSpace" | "metShape">;

/** What stops rays besides the table that is asked. */
export interface Scene {
  readonly statics: Walls;
  /** Of the states that `blocks`. */
  readonly blockers: readonly RewindContext<Fields>[];
  /** On a server. */
  readonly desk?: ShotDesk | undefined;
}
