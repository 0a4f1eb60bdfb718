/** Shots at what is drawn, over many links: which cells there are, and the tables that are made of them. */
import { addTally, createTally, MOVERS, playRange } from "../../../packages/simulation/test/shooting-range.ts";
import type { RangeConditions, RangeResult, Tally } from "../../../packages/simulation/test/shooting-range.ts";

export interface HitsCell {
  readonly link: Link;
  readonly conditions: RangeConditions;
  readonly result: RangeResult;
}

interface Link {
  readonly name: string;
  readonly jitterMs: number;
  readonly lossRate: number;
  readonly burstPackets: number;
}

export interface HitsOptions {
  readonly rttsMs: readonly number[];
  readonly links: readonly Link[];
  /** Measured, of each cell. */
  readonly seconds: number;
}

/** Updates a second. */
const RATES = [30, 15] as const;
/** So that no cell's picture is older; the rows beyond the limit have less. */
const REWIND_MS = 750;

const JITTERS = [0, 20, 50] as const;
const LOSSES: readonly Omit<Link, "jitterMs">[] = [
  { name: "none lost", lossRate: 0, burstPackets: 1 },
  { name: "5 % lost", lossRate: 0.05, burstPackets: 1 },
  { name: "10 % lost", lossRate: 0.1, burstPackets: 1 },
  { name: "10 % lost, three at a time", lossRate: 0.1, burstPackets: 3 },
];
const LINKS: readonly Link[] = JITTERS.flatMap((jitterMs) =>
  LOSSES.map(({ name, lossRate, burstPackets }) => {
    const jitter = jitterMs === 0 ? "even" : `±${jitterMs} ms`;
    return { name: `${jitter}, ${name}`, jitterMs, lossRate, burstPackets };
  }),
);
const WORST = LINKS[LINKS.length - 1];

/** For a look: a quarter of a minute. */
export const SHORT: HitsOptions = {
  rttsMs: [20, 300],
  links: [LINKS[0], LINKS[5], LINKS[10], WORST],
  seconds: 90,
};

/** For the documentation: some minutes. */
export const FULL: HitsOptions = { rttsMs: [20, 80, 150, 300], links: LINKS, seconds: 600 };

export function shootEverywhere(options: HitsOptions, note: (line: string) => void): HitsCell[] {
  const cells: HitsCell[] = [];
  for (const link of options.links) {
    for (const latencyMs of options.rttsMs)
      for (const snapshotRate of RATES) cells.push(shoot(link, { latencyMs, snapshotRate }, options.seconds));
    note(`${link.name}: done`);
  }
  return cells;
}

function shoot(
  link: Link,
  others: Pick<RangeConditions, "latencyMs" | "snapshotRate"> & Partial<RangeConditions>,
  seconds: number,
): HitsCell {
  const { jitterMs, lossRate, burstPackets } = link;
  const conditions: RangeConditions = { jitterMs, lossRate, burstPackets, maxRewindMs: REWIND_MS, ...others };
  return { link, conditions, result: playRange(conditions, seconds) };
}

/** Of the shots that hit in the picture, how many hit on the server. */
export function hitPercent({ drawnHits, hits }: Tally): number {
  return (hits / drawnHits) * 100;
}

/** Of the shots that missed in the picture, how many hit on the server. */
export function falsePercent({ drawnMisses, falseHits }: Tally): number {
  return (falseHits / drawnMisses) * 100;
}

export function sum(tallies: readonly Tally[]): Tally {
  const total = createTally();
  for (const one of tallies) addTally(total, one);
  return total;
}

/** A row for each link, a column for each round trip, with both rates beside each other. */
export function linkTable(cells: readonly HitsCell[], value: (tally: Tally) => number, digits = 1): string[][] {
  const rtts = [...new Set(cells.map(({ conditions }) => conditions.latencyMs))];
  const rows = [...new Set(cells.map(({ link }) => link))].map((link) => {
    const columns = rtts.map((rtt) =>
      cells
        .filter((cell) => cell.link === link && cell.conditions.latencyMs === rtt)
        .map(({ result }) => value(result.total).toFixed(digits))
        .join(" / "),
    );
    return [link.name].concat(columns);
  });
  return [["link, each way", ...rtts.map((rtt) => `${rtt} ms`)], ...rows];
}

/** Over all links: a row for each kind of mover. */
export function moverTable(cells: readonly HitsCell[]): string[][] {
  const rows = MOVERS.map((kind) => {
    const all = sum(cells.map(({ result }) => result.tallies[kind]));
    return [kind, `${all.drawnHits}`, hitPercent(all).toFixed(2), `${all.drawnMisses}`, falsePercent(all).toFixed(2)];
  });
  return [["target", "drawn hits", "hit on the server, %", "drawn misses", "hit on the server, %"], ...rows];
}

/** What differs from the usual, on some links: other modes, no slide, and beyond the limit. */
export function specialTable(seconds: number, note: (line: string) => void): string[][] {
  const cases: readonly (readonly [string, Partial<RangeConditions>])[] = [
    ["as above", {}],
    ['mode "hermite"', { mode: "hermite" }],
    ['mode "extrapolation"', { mode: "extrapolation" }],
    ['mode "ahead"', { mode: "ahead" }],
    ["`snapshotBudgetBytes: 40`: nobody is in every snapshot", { snapshotBudgetBytes: 40 }],
    ["144 frames a second", { frameRate: 144 }],
    ['144 frames a second, mode "extrapolation"', { frameRate: 144, mode: "extrapolation" }],
    ['144 frames a second, mode "ahead"', { frameRate: 144, mode: "ahead" }],
    ["`maxRewindMs` as it is by default, 500", { maxRewindMs: 500 }],
    ["`maxRewindMs: 250`", { maxRewindMs: 250 }],
  ];
  const links = [
    [LINKS[5], 80],
    [WORST, 80],
    [WORST, 300],
  ] as const;
  const rows = cases.map(([name, others]) => {
    const columns = links.map(([link, latencyMs]) => {
      const both = RATES.map((snapshotRate) => shoot(link, { latencyMs, snapshotRate, ...others }, seconds).result);
      const hits = both.map(({ total }) => hitPercent(total).toFixed(1)).join(" / ");
      const wrong = both.map(({ total }) => falsePercent(total).toFixed(1)).join(" / ");
      const depth = both.map(({ rewindMeanMs }) => rewindMeanMs.toFixed(0)).join(" / ");
      return `${hits}; ${wrong}; ${depth} ms`;
    });
    note(`${name}: done`);
    return [name].concat(columns);
  });
  return [["", ...links.map(([link, rtt]) => `${rtt} ms, ${link.name}`)], ...rows];
}

export function markdown([header, ...rows]: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
