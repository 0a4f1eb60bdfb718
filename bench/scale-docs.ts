/**
 * Writes what docs/scale.md shows of a simulated week: the tables between its marks, and the plots docs/images/scale-*.svg. From
 * the reports of `riposte simulate --scale full --json` and of `riposte simulate --compare --json`:
 * `npm exec -- node bench/scale-docs.ts full.json compare.json`.
 */
import { readFile, writeFile } from "node:fs/promises";
import type { LatencyReport, Quantiles, SimulationReport } from "@riposte/fleet/simulate";
import { plotWeek } from "./src/scale/week-plot.ts";
import type { Band, WeekPlot } from "./src/scale/week-plot.ts";

interface Run {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}
type Report = SimulationReport & { readonly run: Run };

const docs = new URL("../docs/", import.meta.url);
const [fullFile, compareFile] = process.argv.slice(2);
if (fullFile === undefined || compareFile === undefined) throw new RangeError("give two files: full.json compare.json");
const full = JSON.parse(await readFile(fullFile, "utf8")) as Report;
const compared = JSON.parse(await readFile(compareFile, "utf8")) as Record<string, Report>;

const bands = bandsOf(full);
const plots: Readonly<Record<string, WeekPlot>> = {
  players: {
    title: "Players and seats over the week",
    unit: "at once",
    lines: [
      { name: "playing", of: ({ playing }) => playing },
      { name: "seats of ready nodes", of: ({ seats }) => seats },
    ],
    bands,
  },
  excess: {
    title: "How much farther players are sent than to the nearest region with room",
    unit: "ms",
    lines: [
      { name: "99th percentile", of: ({ excessP99Ms }) => excessP99Ms },
      { name: "mean", of: ({ excessMeanMs }) => excessMeanMs },
    ],
    bands,
  },
  work: {
    title: "Placements and writes to the store",
    unit: "a second",
    lines: [
      { name: "store writes", of: ({ storeWritesPerSec }) => storeWritesPerSec },
      { name: "placements", of: ({ placementsPerSec }) => placementsPerSec },
    ],
    bands,
  },
};
const pictures: string[] = [];
for (const [name, plot] of Object.entries(plots)) {
  const file = `images/scale-${name}.svg`;
  await writeFile(new URL(file, docs), plotWeek(full.samples, plot));
  pictures.push(`![${plot.title}](${file})`);
}

const scaled = compared["composite, packed"];
const scaledPlot = {
  ...plots["players"],
  title: "Seats that follow players: the smaller fleet, packed",
  bands: bandsOf(scaled),
};
await writeFile(new URL("images/scale-scaled.svg", docs), plotWeek(scaled.samples, scaledPlot));

const page = new URL("scale.md", docs);
let text = await readFile(page, "utf8");
text = between(text, "full", [fullTable(full), ...pictures, latencyTables(full)].join("\n\n"));
const scaledPicture = `![${scaledPlot.title}](images/scale-scaled.svg)`;
text = between(text, "compare", [compareTable(compared), scaledPicture].join("\n\n"));
await writeFile(page, text);

function between(whole: string, mark: string, content: string): string {
  const begin = `<!-- ${mark}: written by bench/scale-docs.ts -->`;
  const end = `<!-- /${mark} -->`;
  const [before, rest] = whole.split(begin);
  return `${before}${begin}\n\n${content}\n\n${end}${rest.split(end)[1]}`;
}

function bandsOf({ scale, completed }: Report): Band[] {
  const part = (24 * scale.days) / 7;
  const all: Band[] = [
    { name: "region lost", fromHour: 2 * part, toHour: 2 * part + 2 },
    { name: "release", fromHour: 3 * part, toHour: 5 * part },
    { name: "launch day", fromHour: 5 * part, toHour: 5 * part + 6 },
  ];
  return all.filter(({ toHour }) => toHour <= completed * scale.days * 24);
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  const [header, ...rest] = rows;
  return [header, header.map(() => "---"), ...rest].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function fullTable(report: Report): string {
  const { scale, run, players, placements, overload, churn, store, samples, routingMicros } = report;
  const most = Math.max(...samples.map(({ playing }) => playing));
  const rows: (readonly [string, string])[] = [
    [
      "world",
      `${n(scale.nodes)} nodes with ${n(scale.seats)} seats in ${scale.regions} regions, ${n(scale.players)} players`,
    ],
    [
      "simulated",
      `${(report.completed * scale.days).toFixed(1)} days, seed ${scale.seed}, ${scale.balancers} balancers, ${scale.strategy}`,
    ],
    ["players", `${n(players.arrived)} came, ${n(most)} at once at most, ${n(players.gaveUp)} gave up`],
    ["placements", `${n(placements.count)} parties; ${n(placements.peakPerSec)} in the busiest second`],
    ["nodes above capacity", n(overload.nodesAboveCapacity)],
    [
      "had to go elsewhere",
      `${share(overload.forcedElsewhere, placements.count)}, of ${overload.regionsOverflowed} regions`,
    ],
    ["sent more than 3 ms farther without need", share(overload.chosenElsewhere, placements.count)],
    ["waited", `${n(overload.waited.count)} parties; ${seconds(overload.waited)}`],
    [
      "region lost",
      `${n(churn.lostNodes)} nodes, ${n(churn.movedByLoss)} players; they play again ${seconds(churn.backAfterMs)} after`,
    ],
    ["sent to a node that was dead", n(placements.toDeadNodes)],
    ["nodes", `${n(churn.started)} started, ${n(churn.drained)} drained, ${n(churn.stopped)} stopped`],
    [
      "release",
      `${n(churn.released)} nodes replaced, ${share(churn.releasedUninterrupted, churn.released)} of them with nobody interrupted (${n(churn.interruptedByRelease)} players were)`,
    ],
    [
      "a node is empty after its drain began",
      `${hours(churn.drainMs.p50)} (median), ${hours(churn.drainMs.p99)} (p99)`,
    ],
    ["store", `${store.meanPerSec} writes a second, ${n(store.peakPerSec)} in the busiest`],
    ...Object.entries(store.byKind).map(([kind, { writes, renewals, peakPerSec }]): [string, string] => [
      `store: ${kind}`,
      `${n(writes)} writes, ${n(peakPerSec)} in the busiest second; ${n(Math.round(renewals))} renewals`,
    ]),
    ["a decision", `${routingMicros.p50} µs (median), ${routingMicros.p99} µs (p99), mean ${routingMicros.mean} µs`],
    [
      "run",
      `${run.date.slice(0, 10)}, ${run.cpu}, Node ${run.node}: ${n(run.cpuSeconds)} s of one core, ${n(run.wallSeconds)} s in all, ${n(run.peakMemoryMb)} MB`,
    ],
  ];
  return table([["", ""], ...rows]);
}

function latencyTables({ latency, latencyByKnowledge, latencyBySize }: Report): string {
  const header = [
    "ms: median / p99",
    "placed",
    "nearest with room",
    "nearest",
    "worse than with room",
    "mean",
    "within 10 ms",
  ];
  const sizes = Object.entries(latencyBySize).map(([size, one]) => [`party of ${size}`, one] as const);
  const known = Object.entries(latencyByKnowledge).map(([what, one]) => [`known: ${what}`, one] as const);
  return table([header, ...[...Object.entries(latency), ...known, ...sizes].map(latencyRow)]);
}

function latencyRow([name, report]: readonly [string, LatencyReport]): (string | number)[] {
  return [
    name,
    two(report.placed),
    two(report.nearestWithRoom),
    two(report.nearest),
    two(report.excessOverRoom),
    report.excessOverRoom.mean,
    `${(100 * report.within10Ms).toFixed(1)} %`,
  ];
}

function compareTable(reports: Readonly<Record<string, Report>>): string {
  const header = [
    "",
    "placed",
    "worse than with room",
    "mean",
    "within 10 ms",
    "party of 4: mean",
    "waited",
    "gave up",
    "nodes",
    "µs",
  ];
  const rows = Object.entries(reports).map(
    ([name, { latency, latencyBySize, overload, players, samples, routingMicros }]) => [
      name,
      two(latency.all.placed),
      two(latency.all.excessOverRoom),
      latency.all.excessOverRoom.mean,
      `${(100 * latency.all.within10Ms).toFixed(1)} %`,
      latencyBySize["4"].excessOverRoom.mean,
      n(overload.waited.count),
      n(players.gaveUp),
      n(Math.round(samples.reduce((sum, one) => sum + one.readyNodes + one.drainingNodes, 0) / samples.length)),
      routingMicros.p50,
    ],
  );
  return table([header, ...rows]);
}

function two({ p50, p99 }: Quantiles): string {
  return `${Math.round(p50)} / ${Math.round(p99)}`;
}

function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;
}

function seconds({ p50, p99, max }: Quantiles): string {
  return `${(p50 / 1000).toFixed(1)} s (median), ${(p99 / 1000).toFixed(1)} s (p99), ${(max / 1000).toFixed(1)} s at most`;
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function n(value: number): string {
  return value.toLocaleString("en-US");
}
