/** Draws one measure of the sweep as an SVG: a panel for each tick rate, a line for each link, over the round trip time. */
import { RATES } from "./sweep.ts";
import type { Measure, SweepCell } from "./sweep.ts";

const PANEL = { width: 250, height: 190, left: 52, top: 56, gap: 18 };
const WIDTH = PANEL.left + RATES.length * (PANEL.width + PANEL.gap);
const HEIGHT = PANEL.top + PANEL.height + 78;
/** Readable on white and on black, and by those who cannot tell red from green. */
const COLORS = ["#2f81f7", "#1a9e77", "#d98200", "#d6409f"];
const DASHES = ["", "7 3", "3 3", "9 3 2 3"];

export function plotSweep(cells: readonly SweepCell[], measure: Measure): string {
  const links = [...new Set(cells.map((cell) => cell.link))];
  const rtts = [...new Set(cells.map((cell) => cell.conditions.rttMs))];
  const top = niceTop(Math.max(...cells.map((cell) => cell.figures[measure.key])));
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${measure.title}">`,
    "<style>",
    "text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px }",
    ".axis { stroke: #59636e; fill: none } .grid { stroke: #59636e; stroke-opacity: 0.25 }",
    "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .grid { stroke: #9198a1 } }",
    "</style>",
    `<text class="title" x="${PANEL.left}" y="20">${measure.title}</text>`,
  ];
  RATES.forEach(([tickRate], panel) => {
    const left = PANEL.left + panel * (PANEL.width + PANEL.gap);
    const bottom = PANEL.top + PANEL.height;
    const x = (rtt: number): number => left + 8 + (rtts.indexOf(rtt) / (rtts.length - 1)) * (PANEL.width - 16);
    const y = (value: number): number => bottom - (value / top) * PANEL.height;
    out.push(
      `<text x="${left + PANEL.width / 2}" y="${PANEL.top - 10}" text-anchor="middle">${tickRate} ticks a second</text>`,
    );
    for (let step = 0; step <= 4; step++) {
      const value = (top * step) / 4;
      out.push(`<path class="grid" d="M${left} ${y(value)}h${PANEL.width}"/>`);
      if (panel === 0) out.push(`<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${round(value)}</text>`);
    }
    out.push(`<path class="axis" d="M${left} ${PANEL.top}V${bottom}h${PANEL.width}"/>`);
    for (const rtt of rtts) out.push(`<text x="${x(rtt)}" y="${bottom + 17}" text-anchor="middle">${rtt}</text>`);
    out.push(`<text x="${left + PANEL.width / 2}" y="${bottom + 35}" text-anchor="middle">round trip, ms</text>`);
    links.forEach((link, i) => {
      const points = cells
        .filter((cell) => cell.link === link && cell.conditions.tickRate === tickRate)
        .map((cell) => ({ x: round(x(cell.conditions.rttMs)), y: round(y(cell.figures[measure.key])) }));
      const line = points.map((point) => `${point.x},${point.y}`).join(" ");
      out.push(
        `<polyline points="${line}" fill="none" stroke="${COLORS[i]}" stroke-width="2" stroke-dasharray="${DASHES[i]}"/>`,
      );
      for (const point of points) out.push(`<circle cx="${point.x}" cy="${point.y}" r="3" fill="${COLORS[i]}"/>`);
    });
  });
  links.forEach((link, i) => {
    const left = PANEL.left + i * 190;
    const at = HEIGHT - 16;
    out.push(
      `<path d="M${left} ${at - 4}h28" stroke="${COLORS[i]}" stroke-width="2" stroke-dasharray="${DASHES[i]}"/>`,
    );
    out.push(`<text x="${left + 34}" y="${at}">${link.name}</text>`);
  });
  out.push("</svg>", "");
  return out.join("\n");
}

/** The next round number for the top of an axis. */
function niceTop(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(value, 1e-3)));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * size >= value) ?? 10) * size;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
