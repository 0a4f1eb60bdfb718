/**
 * Who is hit in the shooter's picture, is that one hit on the server? A shooter aims at what is drawn, or past it, over links
 * of 20 to 300 ms with up to 50 ms of jitter and 10 % loss, at targets that walk, strafe, dash and teleport. All of it in
 * virtual time, so the figures do not depend on the machine.
 */
import type { Bench } from "./bench.ts";
import { falsePercent, FULL, hitPercent, linkTable, moverTable, SHORT, shootEverywhere, sum } from "./hits/hits.ts";

export const bench: Bench = async (note, { full }) => {
  const cells = shootEverywhere(full ? FULL : SHORT, note);
  const totals = cells.map(({ result }) => result.total);
  const all = sum(totals);
  const shots = all.drawnHits + all.drawnMisses;
  const unheard = cells.reduce((count, { result }) => count + result.unheard, 0);
  const figures = {
    hit_percent_min: Math.min(...totals.map(hitPercent)),
    hit_percent: hitPercent(all),
    false_hit_percent_max: Math.max(...totals.map(falsePercent)),
    false_hit_percent: falsePercent(all),
    unheard_percent: (unheard / shots) * 100,
    shots,
  };
  const details = [
    "hits on the server of those in the picture, %, at 30 / 15 updates a second",
    ...lines(linkTable(cells, hitPercent)),
    "hits on the server of the misses in the picture, %",
    ...lines(linkTable(cells, falsePercent)),
    ...lines(moverTable(cells)),
  ];
  const floors = { hit_percent_min: 99.5 };
  return await Promise.resolve({ figures, targets: { false_hit_percent_max: 0.5 }, floors, details });
};

function lines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`);
}
