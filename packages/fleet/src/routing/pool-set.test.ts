import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Random } from "@riposte/protocol";
import { loadOf, pick, readyTable, registration } from "../../test/fleet-model.ts";
import { NodeTable } from "../registry/node-table.ts";
import type { NodeState } from "../registry/server-node.ts";
import type { NodePool, RegionList } from "./node-pool.ts";
import { ANY, UNNAMED } from "./node-pool.ts";
import { PoolSet } from "./pool-set.ts";

const IDS = 24;
const REGIONS = ["frankfurt", "tokyo", "oregon"];
const VERSIONS = ["1.0", "1.1"];
const MODES = ["duel", "arena"];
const STATES: readonly NodeState[] = ["starting", "ready", "ready", "ready", "full", "draining", "lost"];

describe("pools", () => {
  it("hold what they should after any changes, whenever they were made", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const table = new NodeTable({ maxNodes: IDS });
        const pools = new PoolSet(table, 20);
        for (let step = 0; step < 150; step++) {
          change(random, table, pools);
          if (random.chance(0.1)) find(pools, table, pick(random, [undefined, ...VERSIONS]), pick(random, MODES), step);
          if (step % 10 === 0) checkAll(pools, table, step);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("are so many; the one that was used longest ago goes, if that is long ago", () => {
    const table = readyTable(1);
    const pools = new PoolSet(table, 3);
    const [a, b] = [pools.find(0, ANY, 0), pools.find(0, UNNAMED, 1000)];
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(pools.find(0, 5, 30_000), undefined);
    assert.equal(pools.find(0, ANY, 40_000), a);
    const c = pools.find(0, 5, 61_000);
    assert.ok(c !== undefined);
    assert.equal(pools.size, 3);
    assert.equal(pools.find(0, ANY, 61_000), a);
    // b has gone, and nothing may go for it.
    assert.equal(pools.find(0, UNNAMED, 62_000), undefined);
    assert.equal(pools.find(ANY, ANY, 62_000), pools.whole);
  });

  it("say when a region has too few healthy nodes", () => {
    const table = readyTable(10);
    const pools = new PoolSet(table, 4);
    for (let index = 0; index < 5; index++) table.setSuspicion(index, "late");
    assert.equal(pools.isPanic(0, 0.5), false);
    table.setEjectedUntil(9, 1000);
    assert.equal(pools.isPanic(0, 0.5), true);
    // Nodes that take no players do not count either way; full ones do.
    table.setState(0, "draining", 0);
    assert.equal(pools.isPanic(0, 0.5), true);
    table.setState(1, "lost", 0);
    table.setState(8, "full", 0);
    assert.equal(pools.isPanic(0, 0.5), false);
  });
});

function change(random: Random, table: NodeTable, pools: PoolSet): void {
  const id = `n${random.int(IDS)}`;
  const index = table.indexOf(id);
  const action = random.int(7);
  if (index < 0 || action === 0) {
    const gameModes = MODES.filter(() => random.chance(0.4));
    const [region, version] = [pick(random, REGIONS), pick(random, VERSIONS)];
    table.put(registration(id, { region, version, gameModes, weight: 1 + random.int(4) }));
  } else if (action === 1) table.remove(id);
  else if (action === 2) table.setSuspicion(index, random.chance(0.5) ? "late" : undefined);
  else if (action === 3) table.setEjectedUntil(index, random.chance(0.5) ? 1000 : 0);
  else if (action === 4) pools.noteSeatless(index);
  else if (action === 5) table.report(index, loadOf(1));
  else table.setState(index, pick(random, STATES), 0);
}

function find(
  pools: PoolSet,
  table: NodeTable,
  version: string | undefined,
  mode: string | undefined,
  now: number,
): NodePool | undefined {
  const number = version === undefined ? ANY : table.versions.numberOf(version);
  if (version !== undefined && number < 0) return undefined;
  const modeNumber = mode === undefined ? ANY : table.gameModes.numberOf(mode);
  return pools.find(number, mode !== undefined && modeNumber < 0 ? UNNAMED : modeNumber, now);
}

function checkAll(pools: PoolSet, table: NodeTable, now: number): void {
  for (const version of [undefined, ...VERSIONS])
    for (const mode of [undefined, ...MODES, "unheard of"]) {
      const pool = find(pools, table, version, mode, now);
      if (pool !== undefined) check(pool, pools, table, version, mode);
    }
}

/** Against a look at all nodes. */
function check(pool: NodePool, pools: PoolSet, table: NodeTable, version?: string, mode?: string): void {
  const nodes = Array.from(table.nodes()).filter(
    (node) =>
      (version === undefined || node.version === version) &&
      (mode === undefined || node.gameModes.length === 0 || node.gameModes.includes(mode)),
  );
  for (const region of REGIONS) {
    const number = table.regions.numberOf(region);
    const list = number < 0 ? undefined : pool.listOf(number);
    const here = nodes.filter((node) => node.region === region);
    const members = here.filter(({ state }) => state === "ready" || state === "full");
    assert.equal(list?.members ?? 0, members.length);
    const isHealthy = (id: string): boolean => {
      const index = table.indexOf(id);
      return table.suspected[index] === 0 && table.ejectedUntil[index] === 0;
    };
    const listed = members.filter(({ id, state }) => state === "ready" && !pools.isSeatless(table.indexOf(id)));
    const names = (from: number, to: number): string[] => namesIn(table, list, from, to);
    const ids = (healthy: boolean): string[] => listed.map(({ id }) => id).filter((id) => isHealthy(id) === healthy);
    assert.deepEqual(names(0, list?.healthy ?? 0), ids(true).toSorted());
    assert.deepEqual(names(list?.healthy ?? 0, list?.length ?? 0), ids(false).toSorted());
    assert.equal(list?.maxWeight ?? 0, Math.max(0, ...listed.map(({ weight }) => weight)));
    if (version !== undefined || mode !== undefined) continue;
    if (number >= 0) assert.equal(pools.membersIn(number), members.length);
    const ejected = members.filter(({ id }) => table.ejectedUntil[table.indexOf(id)] > 0);
    if (number >= 0) assert.equal(pools.ejectedIn(number), ejected.length);
    const healthy = members.filter(({ id }) => isHealthy(id));
    if (number >= 0) assert.equal(pools.isPanic(number, 0.5), healthy.length < 0.5 * members.length);
  }
}

function namesIn(table: NodeTable, list: RegionList | undefined, from: number, to: number): string[] {
  const indices = Array.from(list?.nodes.subarray(from, to) ?? []);
  return indices.map((index) => table.idOf(index)).toSorted();
}
