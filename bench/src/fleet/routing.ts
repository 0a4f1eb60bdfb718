/**
 * What one route costs: by the clock, one by one, for the distribution; and by CPU time for all that a balancer does for it:
 * each node reports four times a second meanwhile. The worse of few and many regions counts.
 */
import type { ClientLocator } from "@riposte/fleet";
import type { BenchResult } from "../bench.ts";
import { cpuMicros } from "../prediction/cpu-time.ts";
import { median, quantile, spread } from "../statistics.ts";
import { FleetScene } from "./fleet-scene.ts";
import { Players } from "./players.ts";

const NODES = 10_000;
const REGIONS = [30, 300];
const ROUNDS = 5;
const ROUTES = 40_000;
/** 40,000 reports a second beside 100,000 routes. */
const REPORTS_PER_ROUTE = 0.4;

export function measureRouting(note: (line: string) => void, locator?: ClientLocator): BenchResult {
  const samples = REGIONS.map((regions) => {
    const scene = new FleetScene({ nodes: NODES, regions, players: new Players(regions), ...(locator && { locator }) });
    const taken: Record<string, number[]> = {};
    // The first rounds are for the compiler.
    for (let round = -2; round < ROUNDS; round++) {
      const figures = { ...oneByOne(scene), routes_per_sec: perSec(scene) };
      note(`${regions} regions: ${JSON.stringify(figures)} ${JSON.stringify(scene.router.stats)}`);
      if (round < 0) continue;
      for (const [key, value] of Object.entries(figures)) (taken[key] ??= []).push(value);
    }
    return taken;
  });
  const worst = (key: string, of: (values: readonly number[]) => number): number =>
    samples.map((taken) => of(taken[key])).reduce((a, b) => Math.max(a, b));
  return {
    figures: {
      route_us_p50: worst("route_us_p50", median),
      route_us_p99: worst("route_us_p99", median),
      routes_per_sec: Math.min(...samples.map((taken) => median(taken.routes_per_sec))),
      routes_refused_share: worst("refused", median),
    },
    targets: { route_us_p50: 8, route_us_p99: 30 },
    floors: { routes_per_sec: 100_000 },
    spreads: Object.fromEntries(
      ["route_us_p50", "route_us_p99", "routes_per_sec"].map((key) => [key, worst(key, spread)]),
    ),
  };
}

function oneByOne(scene: FleetScene): Record<string, number> {
  const micros = new Float64Array(ROUTES);
  let refused = 0;
  let reports = 0;
  for (let n = 0; n < ROUTES; n++) {
    for (reports += REPORTS_PER_ROUTE; reports >= 1; reports--) scene.reportNext();
    scene.now += 0.01;
    const began = performance.now();
    const found = scene.route();
    micros[n] = 1000 * (performance.now() - began);
    if (!found) refused++;
  }
  const values = Array.from(micros);
  return {
    route_us_p50: quantile(values, 0.5),
    route_us_p99: quantile(values, 0.99),
    refused: refused / ROUTES,
  };
}

/** By CPU time, reports included. */
function perSec(scene: FleetScene): number {
  const began = cpuMicros();
  let reports = 0;
  for (let n = 0; n < ROUTES; n++) {
    for (reports += REPORTS_PER_ROUTE; reports >= 1; reports--) scene.reportNext();
    scene.now += 0.01;
    scene.route();
  }
  return ROUTES / ((cpuMicros() - began) / 1e6);
}
