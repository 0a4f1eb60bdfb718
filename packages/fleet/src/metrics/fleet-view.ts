/** Nodes summed up by region. */
import { coordinatesOf, isKnown, unitVector } from "../registry/geography.ts";
import type { NodeState, ServerNode } from "../registry/server-node.ts";
import type { RegionStats, SeatCounts } from "./load-balancer-stats.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** `lentIn`: seats in a region that are lent to this balancer and not taken yet. */
export function viewRegions(
  nodes: Iterable<ServerNode>,
  lentIn: (region: string) => number,
): Readonly<Record<string, RegionStats>> {
  const regions = new Map<string, Sum>();
  for (const node of nodes) {
    let sum = regions.get(node.region);
    if (sum === undefined) regions.set(node.region, (sum = new Sum()));
    sum.add(node);
  }
  return Object.fromEntries(Array.from(regions, ([region, sum]) => [region, sum.stats(lentIn(region))]));
}

/** Both together. */
export function addRegions(a: RegionStats, b: RegionStats): RegionStats {
  const nodes = { ...a.nodes };
  for (const [state, count] of Object.entries(b.nodes)) nodes[state as NodeState] += count;
  const seats: SeatCounts = {
    capacity: a.seats.capacity + b.seats.capacity,
    free: a.seats.free + b.seats.free,
    used: a.seats.used + b.seats.used,
    lent: a.seats.lent + b.seats.lent,
  };
  return { nodes, suspectedNodes: a.suspectedNodes + b.suspectedNodes, seats };
}

class Sum {
  readonly #nodes: Writable<RegionStats["nodes"]> = {
    starting: 0,
    ready: 0,
    full: 0,
    draining: 0,
    maintenance: 0,
    lost: 0,
  };
  #suspectedNodes = 0;
  #capacity = 0;
  #free = 0;
  #used = 0;
  /** Of unit vectors. */
  readonly #place: [number, number, number] = [0, 0, 0];

  add({ state, suspicion, capacity, load, coordinates }: ServerNode): void {
    this.#nodes[state]++;
    if (isKnown(coordinates)) for (const [i, part] of unitVector(coordinates).entries()) this.#place[i] += part;
    if (state === "lost") return;
    const used = load.players + load.reserved;
    this.#capacity += capacity.players;
    this.#used += used;
    if (state !== "ready") return;
    if (suspicion !== undefined) this.#suspectedNodes++;
    this.#free += Math.max(capacity.players - used, 0);
  }

  stats(lent: number): RegionStats {
    const seats = { capacity: this.#capacity, free: this.#free, used: this.#used, lent };
    const stats = { nodes: { ...this.#nodes }, suspectedNodes: this.#suspectedNodes, seats };
    return Math.hypot(...this.#place) < 1e-6 ? stats : { ...stats, coordinates: coordinatesOf(this.#place) };
  }
}
