/** What is different between two configurations, for people. */
import type { LoadBalancerConfig } from "./load-balancer-config.ts";
import { pathOf } from "./config-rules.ts";

/** One line for each setting, `path: old -> new`, in the order of the settings. Regions that come or go are one line each. */
export function diffConfigs(from: LoadBalancerConfig, to: LoadBalancerConfig): readonly string[] {
  const lines: string[] = [];
  compare(from, to, "", lines);
  return lines;
}

function compare(from: unknown, to: unknown, path: string, lines: string[]): void {
  if (from === to) return;
  if (isBranch(from) && isBranch(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      compare(valueOf(from, key), valueOf(to, key), pathOf(path, key), lines);
    }
    return;
  }
  const [before, after] = [show(from), show(to)];
  if (before !== after) lines.push(`${path}: ${before} -> ${after}`);
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(branch: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(branch, key) ? branch[key] : undefined;
}

function show(value: unknown): string {
  if (value === undefined) return "(none)";
  return value === Infinity ? "no limit" : JSON.stringify(value);
}
