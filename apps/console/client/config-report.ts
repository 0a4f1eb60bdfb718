/** What a change of the configuration is, and what it would have done. */
import type { DryRunReport } from "@riposte/fleet";
import { el } from "./dom.ts";
import { count, ms } from "./format.ts";
import { tableHead } from "./parts.ts";

/** Lines of `path: before -> after`. */
export function diffOf(diff: readonly string[]): HTMLElement {
  if (diff.length === 0) return el("p", {}, "Nothing is different.");
  return el(
    "ul",
    { class: "diff" },
    diff.map((line) => {
      const [path, change] = [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)];
      const [before, after] = change.split(" -> ");
      return el("li", {}, el("code", {}, path), " ", el("del", {}, before), " → ", el("ins", {}, after));
    }),
  );
}

/** A dry run. */
export function reportOf(report: DryRunReport): readonly HTMLElement[] {
  const { diff, requests, before, after, otherRegion, otherNode, newlyRefused, newlyPlaced } = report;
  const rows: [string, string, string][] = [
    ["Placed", count(before.placed), count(after.placed)],
    ["Refused", refused(before), refused(after)],
    ["Latency, mean", latency(before.meanLatencyMs), latency(after.meanLatencyMs)],
    ["Latency, 95th percentile", latency(before.p95LatencyMs), latency(after.p95LatencyMs)],
  ];
  const regions = Array.from(new Set([...Object.keys(before.byRegion), ...Object.keys(after.byRegion)])).sort();
  for (const region of regions) {
    const [left, right] = [before.byRegion[region] ?? 0, after.byRegion[region] ?? 0];
    if (left !== right) rows.push([`To ${region}`, count(left), count(right)]);
  }
  return [
    el("h3", {}, "What changes"),
    diffOf(diff),
    el("h3", {}, `What would have become of ${count(requests)} recorded requests`),
    el(
      "p",
      { class: "moved" },
      `${count(otherRegion)} in another region, ${count(otherNode)} on another node of the same region, ` +
        `${count(newlyRefused)} newly refused, ${count(newlyPlaced)} newly placed.`,
    ),
    el(
      "table",
      { class: "compare" },
      tableHead("", "#Now", "#Then"),
      el(
        "tbody",
        {},
        rows.map(([name, ...cells]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, name),
            cells.map((text) => el("td", { class: "number" }, text)),
          ),
        ),
      ),
    ),
  ];
}

function refused(side: DryRunReport["before"]): string {
  return count(Object.values(side.refused).reduce((sum, each) => sum + each, 0));
}

function latency(value: number | undefined): string {
  return value === undefined ? "–" : ms(value);
}
