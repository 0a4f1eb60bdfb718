/**
 * Regions by number, and where each is: in the middle of those of its nodes that say where they stand. All nodes of a
 * region count as being there. A region without nodes keeps its number until another one needs it.
 */
import { coordinatesOf, distanceKm, isKnown, unitVector } from "./geography.ts";
import type { UnitVector } from "./geography.ts";
import type { Coordinates } from "./server-node.ts";

/** A centre that moved less stays where it was: what has been worked out from it stays true. */
const SAME_PLACE_KM = 25;

interface Region {
  name: string;
  nodes: number;
  /** Nodes that say where they stand, and the sum of their vectors. */
  placed: number;
  sum: [number, number, number];
  centre: UnitVector | undefined;
}

export class RegionTable {
  readonly maxRegions: number;
  /** Changes whenever a region's place or number does. */
  version = 0;
  readonly #numbers: Map<string, number> = new Map();
  readonly #regions: Region[] = [];

  constructor(maxRegions: number) {
    this.maxRegions = maxRegions;
  }

  /** Numbers are below this one. */
  get count(): number {
    return this.#regions.length;
  }

  /** -1: no such region. */
  numberOf(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }

  nameOf(region: number): string {
    return this.#regions[region].name;
  }

  nodesIn(region: number): number {
    return this.#regions[region].nodes;
  }

  /** `undefined`: none of its nodes says where it stands. */
  centreOf(region: number): UnitVector | undefined {
    return this.#regions[region].centre;
  }

  placeOf(region: number): Coordinates | undefined {
    const centre = this.#regions[region].centre;
    return centre && coordinatesOf(centre);
  }

  hasRoomFor(name: string): boolean {
    return (
      this.#numbers.has(name) ||
      this.#regions.length < this.maxRegions ||
      this.#regions.some((region) => region.nodes === 0)
    );
  }

  /** Ask `hasRoomFor` first. */
  addNode(name: string, coordinates: Coordinates | undefined): number {
    const number = this.#numbers.get(name) ?? this.#newRegion(name);
    const region = this.#regions[number];
    region.nodes++;
    this.#move(region, coordinates, 1);
    return number;
  }

  removeNode(number: number, coordinates: Coordinates | undefined): void {
    const region = this.#regions[number];
    region.nodes--;
    this.#move(region, coordinates, -1);
  }

  #newRegion(name: string): number {
    let number = this.#regions.length;
    if (number === this.maxRegions) {
      number = this.#regions.findIndex((region) => region.nodes === 0);
      this.#numbers.delete(this.#regions[number].name);
    }
    this.#regions[number] = { name, nodes: 0, placed: 0, sum: [0, 0, 0], centre: undefined };
    this.#numbers.set(name, number);
    this.version++;
    return number;
  }

  #move(region: Region, coordinates: Coordinates | undefined, sign: 1 | -1): void {
    if (!isKnown(coordinates)) return;
    region.placed += sign;
    // A region without nodes stays where it was: it may come back.
    if (region.placed === 0) {
      region.sum = [0, 0, 0];
      return;
    }
    const vector = unitVector(coordinates);
    for (let i = 0; i < 3; i++) region.sum[i] += sign * vector[i];
    const length = Math.hypot(...region.sum);
    // Nodes all around the world have no middle.
    if (length < 1e-6 * region.placed) return;
    const centre: UnitVector = [region.sum[0] / length, region.sum[1] / length, region.sum[2] / length];
    if (region.centre !== undefined && distanceKm(region.centre, centre) < SAME_PLACE_KM) return;
    region.centre = centre;
    this.version++;
  }
}
