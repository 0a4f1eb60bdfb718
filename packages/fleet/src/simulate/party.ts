/** Players who come together: alone mostly. */
import type { RouteClient } from "../routing/route-request.ts";

export interface Party {
  readonly key: string;
  readonly players: readonly number[];
  /** Of each player: index of the place, and ms of the access line. */
  readonly places: readonly number[];
  readonly accessMs: readonly number[];
  /** The region that is nearest to the first. */
  readonly home: number;
  readonly clients: readonly RouteClient[];
  /** How long they play, or how much longer after they were moved. */
  lengthMs: number;
  /** Which balancer they ask. */
  balancer: number;
  /** Since when they want to play; and in the queue, or -1. */
  wantsSince: number;
  queuedSince: number;
  /** Their node was lost, or taken away: when. -1: no. */
  movedAt: number;
  /** They play, or have given up. */
  done: boolean;
}
