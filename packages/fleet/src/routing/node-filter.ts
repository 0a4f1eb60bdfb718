/** A request's filter in numbers. One object serves all requests, one after the other. */
import type { NodeTable } from "../registry/node-table.ts";
import { labelName } from "../registry/node-table.ts";
import { ANY, hosts, UNNAMED } from "./node-pool.ts";
import type { RouteFilter } from "./route-request.ts";

export class NodeFilter {
  version: number = ANY;
  gameMode: number = ANY;
  /** Whether there is more to ask of a node than its pool answers: labels, nodes that were tried. */
  asksNodes = false;
  readonly #table: NodeTable;
  readonly #labels: number[] = [];
  readonly #regions: number[] = [];
  readonly #regionMarks: Uint8Array;
  readonly #except: number[] = [];
  readonly #exceptMarks: Uint8Array;
  #limitsRegions = false;

  constructor(table: NodeTable) {
    this.#table = table;
    this.#regionMarks = new Uint8Array(table.regions.maxRegions);
    this.#exceptMarks = new Uint8Array(table.maxNodes);
  }

  /** Whether there can be a node that passes: false where the filter names what no node has. */
  read(filter: RouteFilter | undefined): boolean {
    this.#clear();
    if (filter === undefined) return true;
    const { version, gameMode, labels, regions, exceptNodes } = filter;
    if (version !== undefined) this.version = this.#table.versions.numberOf(version);
    if (gameMode !== undefined) {
      const number = this.#table.gameModes.numberOf(gameMode);
      this.gameMode = number < 0 ? UNNAMED : number;
    }
    if (labels !== undefined)
      for (const [key, value] of Object.entries(labels))
        this.#labels.push(this.#table.labels.numberOf(labelName(key, value)));
    if (regions !== undefined) this.#limitRegions(regions);
    if (exceptNodes !== undefined) for (const id of exceptNodes) this.#exclude(id);
    this.asksNodes = this.#labels.length > 0 || this.#except.length > 0;
    const isVersionKnown = version === undefined || this.version >= 0;
    return isVersionKnown && !this.#labels.includes(-1) && (!this.#limitsRegions || this.#regions.length > 0);
  }

  admitsRegion(region: number): boolean {
    return !this.#limitsRegions || this.#regionMarks[region] === 1;
  }

  /** What a pool does not know. */
  admitsNode(index: number): boolean {
    return this.#exceptMarks[index] === 0 && this.hasLabels(index);
  }

  hasVersion(index: number): boolean {
    return this.version === ANY || this.#table.version[index] === this.version;
  }

  hostsMode(index: number): boolean {
    return this.gameMode === ANY || hosts(this.#table, index, this.gameMode);
  }

  hasLabels(index: number): boolean {
    if (this.#labels.length === 0) return true;
    const labels = this.#table.labelsOf(index);
    for (const label of this.#labels) if (!labels.includes(label)) return false;
    return true;
  }

  isExcluded(index: number): boolean {
    return this.#exceptMarks[index] === 1;
  }

  /** Everything. */
  admits(index: number): boolean {
    return (
      this.admitsRegion(this.#table.region[index]) &&
      this.hasVersion(index) &&
      this.hostsMode(index) &&
      this.admitsNode(index)
    );
  }

  #limitRegions(regions: readonly string[]): void {
    this.#limitsRegions = true;
    for (const name of regions) {
      const region = this.#table.regions.numberOf(name);
      if (region < 0 || this.#regionMarks[region] === 1) continue;
      this.#regionMarks[region] = 1;
      this.#regions.push(region);
    }
  }

  #exclude(id: string): void {
    const index = this.#table.indexOf(id);
    if (index < 0 || this.#exceptMarks[index] === 1) return;
    this.#exceptMarks[index] = 1;
    this.#except.push(index);
  }

  #clear(): void {
    for (const region of this.#regions) this.#regionMarks[region] = 0;
    for (const index of this.#except) this.#exceptMarks[index] = 0;
    this.#regions.length = 0;
    this.#except.length = 0;
    this.#labels.length = 0;
    this.#limitsRegions = false;
    this.version = ANY;
    this.gameMode = ANY;
    this.asksNodes = false;
  }
}
