/**
 * The webhook of an Agones FleetAutoscaler: Agones asks how many game servers a Fleet should have, a few times a minute
 * (`FleetAutoscaleReview` of autoscaling.agones.dev/v1, in Agones' docs/reference/fleetautoscaler). Pure.
 *
 * What is ours stands in `FleetNeed`; how many game servers are in service, Agones knows best, so it is taken from its own
 * request. No game server with players is in danger: all that are in service are Allocated, and those Agones never removes.
 */

export interface FleetAutoscaleReview {
  readonly request: FleetAutoscaleRequest;
  readonly response: FleetAutoscaleResponse | null;
}

interface FleetAutoscaleRequest {
  readonly uid: string;
  /** Of the Fleet. */
  readonly name: string;
  readonly namespace: string;
  readonly status: {
    readonly replicas: number;
    readonly readyReplicas: number;
    readonly reservedReplicas: number;
    readonly allocatedReplicas: number;
  };
}

interface FleetAutoscaleResponse {
  /** The request's. */
  readonly uid: string;
  /** False: nothing is to change. */
  readonly scale: boolean;
  readonly replicas: number;
}

/** What the leader wants of a Fleet. */
export interface FleetNeed {
  /** Game servers that it waits for. */
  readonly pending: number;
  /** Game servers that will be deleted when they are empty. */
  readonly draining: number;
  /** Game servers that are to be Ready besides, so that the next ones come sooner. */
  readonly warm: number;
}

const MAX_REPLICAS = 100_000;

/**
 * `need`: nothing is known of what is wanted, so nothing changes.
 *
 * Where game servers are waited for, there are to be so many besides those in service. Where none are, the number is that of
 * those in service less those that drain: so that one that is deleted is not made anew.
 */
export function answerReview(review: FleetAutoscaleReview, need: FleetNeed | undefined): FleetAutoscaleReview {
  const { request } = review;
  const { uid, status } = request;
  if (need === undefined) return { request, response: { uid, scale: false, replicas: status.replicas } };
  const { pending, draining, warm } = need;
  const inService = status.allocatedReplicas + status.reservedReplicas;
  const extra = pending + warm;
  const wanted = extra > 0 ? inService + extra : Math.max(0, inService - draining);
  const replicas = Math.min(MAX_REPLICAS, wanted);
  return { request, response: { uid, scale: replicas !== status.replicas, replicas } };
}

/** `undefined` for what is no review, or lacks what is needed of it. */
export function readReview(value: unknown): FleetAutoscaleReview | undefined {
  if (!isRecord(value) || !isRecord(value.request) || !isRecord(value.request.status)) return undefined;
  const { uid, name, namespace, status } = value.request;
  const isFine =
    [uid, name, namespace].every((text) => typeof text === "string" && text.length <= 256) &&
    [status.replicas, status.readyReplicas, status.reservedReplicas, status.allocatedReplicas].every(isCount);
  return isFine ? (value as unknown as FleetAutoscaleReview) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}
