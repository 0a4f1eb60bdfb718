/** The sweep: which cells there are, and their figures. */
import { playCell } from "./sweep-cell.ts";
import type { CellConditions, CellFigures } from "./sweep-cell.ts";

interface Link {
  readonly name: string;
  readonly jitterMs: number;
  readonly lossRate: number;
}

export interface SweepCell {
  readonly link: Link;
  readonly conditions: CellConditions;
  readonly figures: CellFigures;
}

export interface SweepOptions {
  readonly rttsMs: readonly number[];
  readonly links: readonly Link[];
  /** Measured, and before that to settle. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** Ticks and snapshots a second. */
export const RATES: readonly (readonly [tickRate: number, snapshotRate: number])[] = [
  [30, 30],
  [60, 30],
  [128, 32],
];

const CLEAN: Link = { name: "clean", jitterMs: 0, lossRate: 0 };
const FAIR: Link = { name: "±10 ms, 1 % lost", jitterMs: 10, lossRate: 0.01 };
const POOR: Link = { name: "±40 ms, 5 % lost", jitterMs: 40, lossRate: 0.05 };
const WORST: Link = { name: "±100 ms, 20 % lost", jitterMs: 100, lossRate: 0.2 };

/** For a look: half a minute. */
export const SHORT: SweepOptions = {
  rttsMs: [20, 100, 400],
  links: [CLEAN, POOR, WORST],
  seconds: 15,
  warmUpSeconds: 8,
};

/** For the documentation: some minutes. */
export const FULL: SweepOptions = {
  rttsMs: [20, 50, 100, 200, 400],
  links: [CLEAN, FAIR, POOR, WORST],
  seconds: 60,
  warmUpSeconds: 12,
};

export function sweep(options: SweepOptions, note: (line: string) => void): SweepCell[] {
  const cells: SweepCell[] = [];
  for (const [tickRate, snapshotRate] of RATES) {
    for (const rttMs of options.rttsMs) {
      for (const link of options.links) {
        const { jitterMs, lossRate } = link;
        const conditions = { tickRate, snapshotRate, rttMs, jitterMs, lossRate };
        cells.push({ link, conditions, figures: playCell(conditions, options.seconds, options.warmUpSeconds) });
      }
    }
    note(`${tickRate} Hz done`);
  }
  return cells;
}

/** The columns of the table, and the plots. */
export const MEASURES: readonly Measure[] = [
  { key: "mispredictionsPerMin", name: "mispredictions", title: "Mispredictions of a player, per minute", digits: 0 },
  { key: "correctionP99Mm", name: "correction p99, mm", title: "Visible correction in a frame, p99, in mm", digits: 0 },
  { key: "starvedPercent", name: "starved, %", title: "Ticks without the player's input, in %", digits: 2 },
  { key: "viewDelayMs", name: "view delay, ms", title: "View delay, in ms", digits: 0 },
  { key: "lateFramesPercent", name: "late frames, %", title: "Frames without two snapshots to blend, in %", digits: 2 },
  { key: "inputWaitMs", name: "input wait, ms", title: "Wait of inputs at the server, in ms", digits: 0 },
];

export interface Measure {
  readonly key: keyof CellFigures;
  readonly name: string;
  readonly title: string;
  readonly digits: number;
}

/** One row for each link and round trip, with the figures at each tick rate beside each other. */
export function sweepRows(cells: readonly SweepCell[]): string[][] {
  const rows = new Map<string, string[]>();
  for (const { link, conditions, figures } of cells) {
    const id = `${link.name} ${conditions.rttMs}`;
    const row = rows.get(id) ?? [link.name, `${conditions.rttMs}`, ...MEASURES.map(() => "")];
    MEASURES.forEach(({ key, digits }, i) => {
      const value = figures[key].toFixed(digits);
      row[i + 2] = row[i + 2] === "" ? value : `${row[i + 2]} / ${value}`;
    });
    rows.set(id, row);
  }
  return [...rows.values()];
}
