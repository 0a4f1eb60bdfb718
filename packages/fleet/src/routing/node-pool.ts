/**
 * The nodes that one version and game mode may use, by region: those that may have seats in a list from which nodes are
 * drawn, the healthy ones first, so that "only healthy ones" and "all, since there is panic" are both a run from its start.
 */
import type { NodeTable } from "../registry/node-table.ts";

/** Where a node stands in its region's list. */
export type Standing = 0 | 1 | 2;
/** Not in it: it takes no players, or has no seats. */
export const UNLISTED = 0;
/** Suspected or ejected. */
export const DOUBTED = 1;
export const HEALTHY = 2;

/** Any version or mode. */
export const ANY = -1;
/** A mode that no node names: only those that host all have it. */
export const UNNAMED = -2;

export class RegionList {
  nodes: Int32Array = new Int32Array(8);
  healthy = 0;
  /** Healthy ones and then doubted ones. */
  length = 0;
  /** Nodes that take players, whether listed or not. */
  members = 0;
  /** Changes with which nodes these are, or their weights. */
  membersVersion = 0;
  /** Largest weight of those listed, and how many have it. */
  maxWeight = 0;
  heaviest = 0;
  /** Where players are packed: the node that got the last one, or -1. */
  filling = -1;
  /** No node had so many seats when they were last looked through, and none is looked for until then. */
  shortOf: number = Infinity;
  shortUntil = 0;
}

export class NodePool {
  readonly version: number;
  readonly gameMode: number;
  usedAt = 0;
  readonly #table: NodeTable;
  readonly #lists: (RegionList | undefined)[] = [];
  /** Place in the region's list, or -1. */
  readonly #places: Int32Array;

  constructor(table: NodeTable, version: number, gameMode: number) {
    this.#table = table;
    this.version = version;
    this.gameMode = gameMode;
    this.#places = new Int32Array(table.maxNodes).fill(-1);
  }

  includes(index: number): boolean {
    if (this.version !== ANY && this.#table.version[index] !== this.version) return false;
    return this.gameMode === ANY || hosts(this.#table, index, this.gameMode);
  }

  /** `undefined`: it never had a node there. */
  listOf(region: number): RegionList | undefined {
    return this.#lists[region];
  }

  placeOf(index: number): number {
    return this.#places[index];
  }

  /** Counts a node that takes players (1), or does no longer (-1). */
  countMember(index: number, change: 1 | -1): void {
    const list = this.#listFor(index);
    list.members += change;
    list.membersVersion++;
  }

  standingOf(index: number): Standing {
    const place = this.#places[index];
    if (place < 0) return UNLISTED;
    return place < this.#listFor(index).healthy ? HEALTHY : DOUBTED;
  }

  setStanding(index: number, after: Standing): void {
    const before = this.standingOf(index);
    if (before === after) return;
    const list = this.#listFor(index);
    if (before === UNLISTED) this.#append(list, index);
    // The border between healthy and doubted moves over the node; what it meets there takes its place.
    if (before === HEALTHY) this.#swap(list, this.#places[index], --list.healthy);
    if (after === HEALTHY) this.#swap(list, this.#places[index], list.healthy++);
    if (after === UNLISTED) this.#drop(list, index);
  }

  #append(list: RegionList, index: number): void {
    if (list.length === list.nodes.length) {
      const larger = new Int32Array(2 * list.length);
      larger.set(list.nodes);
      list.nodes = larger;
    }
    this.#put(list, list.length++, index);
    this.#weigh(list, this.#table.weight[index]);
  }

  #drop(list: RegionList, index: number): void {
    this.#swap(list, this.#places[index], --list.length);
    this.#places[index] = -1;
    if (list.filling === index) list.filling = -1;
    if (this.#table.weight[index] < list.maxWeight || --list.heaviest > 0) return;
    list.maxWeight = 0;
    for (let i = 0; i < list.length; i++) this.#weigh(list, this.#table.weight[list.nodes[i]]);
  }

  #weigh(list: RegionList, weight: number): void {
    if (weight > list.maxWeight) {
      list.maxWeight = weight;
      list.heaviest = 0;
    }
    if (weight === list.maxWeight) list.heaviest++;
  }

  #swap(list: RegionList, a: number, b: number): void {
    const first = list.nodes[a];
    this.#put(list, a, list.nodes[b]);
    this.#put(list, b, first);
  }

  #put(list: RegionList, place: number, index: number): void {
    list.nodes[place] = index;
    this.#places[index] = place;
  }

  #listFor(index: number): RegionList {
    return (this.#lists[this.#table.region[index]] ??= new RegionList());
  }
}

export function hosts(table: NodeTable, index: number, gameMode: number): boolean {
  const modes = table.gameModesOf(index);
  return modes.length === 0 || modes.includes(gameMode);
}
