/**
 * A new version, rolled out region by region without interrupting anybody: half of a region's nodes are drained, and each is
 * replaced when it is empty. As soon as there are enough new ones, the region's players ask for the new version, and the
 * other half follows.
 */
import { READY } from "./simulated-fleet.ts";
import type { SimulatedFleet } from "./simulated-fleet.ts";

const OLD = 0;
const NEW = 1;
const FIRST_SHARE = 0.5;
/** Of a region's nodes that are new when its players begin to ask for them. */
const SWITCH_SHARE = 0.4;

export interface ReleaseOptions {
  readonly fleet: SimulatedFleet;
  readonly regions: number;
  /** Drains a node; it is to be replaced. */
  readonly drain: (node: number) => void;
}

export class Release {
  /** By region: the version for which its players ask. */
  readonly versions: Uint8Array;
  readonly #options: ReleaseOptions;
  /** By region: 0 not begun, 1 the first half, 2 all. */
  readonly #stages: Uint8Array;

  constructor(options: ReleaseOptions) {
    this.#options = options;
    this.versions = new Uint8Array(options.regions);
    this.#stages = new Uint8Array(options.regions);
  }

  begin(region: number): void {
    this.#stages[region] = 1;
    const old = this.#nodesOf(region);
    for (const node of old.slice(0, Math.max(1, Math.ceil(old.length * FIRST_SHARE)))) this.#options.drain(node);
    // A region of one node has nobody else to send its players to: they go to other regions meanwhile.
    this.check(region);
  }

  /** What a node that starts there now should have. */
  versionFor(region: number): number {
    return this.#stages[region] > 0 ? NEW : OLD;
  }

  /** Nodes have become ready. */
  check(region: number): void {
    if (this.#stages[region] !== 1) return;
    const { fleet, drain } = this.#options;
    const fresh = fleet.readyNodes[NEW][region];
    const old = fleet.readyNodes[OLD][region];
    if (fresh === 0 || fresh < SWITCH_SHARE * (fresh + old)) return;
    this.#stages[region] = 2;
    this.versions[region] = NEW;
    for (const node of this.#nodesOf(region)) drain(node);
  }

  #nodesOf(region: number): number[] {
    const { fleet } = this.#options;
    const nodes: number[] = [];
    for (let node = 0; node < fleet.end; node++)
      if (fleet.region[node] === region && fleet.version[node] === OLD && fleet.state[node] === READY) nodes.push(node);
    return nodes;
  }
}
