/**
 * What players see of a bad network: six of them run about and push each other, over links from 20 to 400 ms, with up to
 * 100 ms of jitter and 20 % loss, at 30, 60 and 128 ticks a second. All of it in virtual time, so the figures do not
 * depend on the machine.
 */
import type { Bench } from "./bench.ts";
import { FULL, MEASURES, SHORT, sweep, sweepRows } from "./sweep/sweep.ts";

export const bench: Bench = async (note, { full }) => {
  const cells = sweep(full ? FULL : SHORT, note);
  const names = ["link", "RTT, ms", ...MEASURES.map(({ name }) => name)];
  const rows = [names, ...sweepRows(cells)];
  const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const details = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  "));
  const worst = (of: (cell: (typeof cells)[number]) => number): number => Math.max(...cells.map(of));
  const clean = cells.filter(({ link }) => link.lossRate === 0);
  const figures = {
    starved_percent_max: worst(({ figures: { starvedPercent } }) => starvedPercent),
    late_frames_percent_max: worst(({ figures: { lateFramesPercent } }) => lateFramesPercent),
    view_delay_ms_max: worst(({ figures: { viewDelayMs } }) => viewDelayMs),
    view_delay_ms_clean_max: Math.max(...clean.map((cell) => cell.figures.viewDelayMs)),
    input_wait_ms_max: worst(({ figures: { inputWaitMs } }) => inputWaitMs),
    correction_p99_mm_max: worst(({ figures: { correctionP99Mm } }) => correctionP99Mm),
    mispredictions_per_min_max: worst(({ figures: { mispredictionsPerMin } }) => mispredictionsPerMin),
    clock_jumps: cells.reduce((sum, cell) => sum + cell.figures.jumps, 0),
  };
  const targets = { starved_percent_max: 4, late_frames_percent_max: 1, clock_jumps: 1 };
  return await Promise.resolve({ figures, targets, details: ["each cell: at 30 / 60 / 128 Hz", ...details] });
};
