/** Whom a query against the past may meet. */
import type { RewoundPoses } from "./rewound-poses.ts";

export interface QueryFilter {
  /** The place of an entity that is passed through; -1: none. */
  readonly except: number;
  /** Bits of the layers that count: `HitboxSet.layerMask`. */
  readonly layers: number;
  /** Asked for those that are met. */
  readonly accept?: (place: number, id: number) => boolean;
}

export const EVERYBODY: QueryFilter = { except: -1, layers: -1 };

/** Hears which entities a query looks at closely, when it has just found where they stood. */
export interface Touches {
  note(place: number, poses: RewoundPoses): void;
}
