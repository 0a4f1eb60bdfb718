/** Building the table of `consistentHash` for 1000 nodes, by CPU time. */
import { MaglevTable } from "@riposte/fleet";
import type { BenchResult } from "../bench.ts";
import { cpuMicros } from "../prediction/cpu-time.ts";
import { median, spread } from "../statistics.ts";

const NAMES = 1000;
const BUILDS = 40;

export function measureMaglev(): BenchResult {
  const names = Array.from({ length: NAMES }, (_, n) => `node-${n}`);
  const taken = Array.from({ length: BUILDS }, () => {
    const began = cpuMicros();
    const { places } = new MaglevTable(names);
    return places.length > 0 ? (cpuMicros() - began) / 1000 : NaN;
  }).slice(BUILDS / 4);
  return {
    figures: { maglev_build_ms_1000: median(taken) },
    targets: { maglev_build_ms_1000: 10 },
    spreads: { maglev_build_ms_1000: spread(taken) },
  };
}
