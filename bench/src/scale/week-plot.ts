/** Draws what happened over a simulated week as an SVG: some lines over the hours, and what was going on at the time. */
import type { Sample } from "@riposte/fleet/simulate";

interface Line {
  readonly name: string;
  readonly of: (sample: Sample) => number;
}

export interface Band {
  readonly name: string;
  readonly fromHour: number;
  readonly toHour: number;
}

export interface WeekPlot {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly bands: readonly Band[];
}

const WIDTH = 860;
const LEFT = 66;
const TOP = 52;
const HEIGHT = 190;
/** Readable on white and on black, and by those who cannot tell red from green. */
const COLORS = ["#2f81f7", "#d98200", "#1a9e77", "#d6409f"];
const DASHES = ["", "7 3", "3 3", "9 3 2 3"];

export function plotWeek(samples: readonly Sample[], { title, unit, lines, bands }: WeekPlot): string {
  const right = WIDTH - 16;
  const bottom = TOP + HEIGHT;
  const hours = samples.at(-1)?.hour ?? 1;
  const top = niceTop(Math.max(...lines.flatMap(({ of }) => samples.map(of))));
  const x = (hour: number): number => LEFT + (hour / hours) * (right - LEFT);
  const y = (value: number): number => bottom - (value / top) * HEIGHT;
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 62}" width="${WIDTH}" height="${bottom + 62}" role="img" aria-label="${title}">`,
    "<style>",
    "text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px }",
    ".axis { stroke: #59636e; fill: none } .grid { stroke: #59636e; stroke-opacity: 0.25 } .band { fill: #59636e; fill-opacity: 0.14 }",
    "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .grid { stroke: #9198a1 } .band { fill: #9198a1 } }",
    "</style>",
    `<text class="title" x="${LEFT}" y="20">${title}</text>`,
  ];
  for (const { name, fromHour, toHour } of bands) {
    const width = round(x(toHour) - x(fromHour));
    out.push(`<rect class="band" x="${round(x(fromHour))}" y="${TOP}" width="${width}" height="${HEIGHT}"/>`);
    out.push(`<text x="${round(x(fromHour) + width / 2)}" y="${TOP - 6}" text-anchor="middle">${name}</text>`);
  }
  for (let step = 0; step <= 4; step++) {
    const value = (top * step) / 4;
    out.push(`<path class="grid" d="M${LEFT} ${y(value)}H${right}"/>`);
    out.push(`<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`);
  }
  out.push(`<path class="axis" d="M${LEFT} ${bottom}H${right}"/>`);
  for (let day = 0; day * 24 <= hours; day++)
    out.push(`<text x="${round(x(day * 24))}" y="${bottom + 17}" text-anchor="middle">day ${day}</text>`);
  lines.forEach(({ name, of }, i) => {
    const points = samples.map((sample) => `${round(x(sample.hour))},${round(y(of(sample)))}`).join(" ");
    out.push(
      `<polyline points="${points}" fill="none" stroke="${COLORS[i]}" stroke-width="1.5" stroke-dasharray="${DASHES[i]}"/>`,
    );
    const at = LEFT + i * 210;
    out.push(
      `<path d="M${at} ${bottom + 42}h28" stroke="${COLORS[i]}" stroke-width="2" stroke-dasharray="${DASHES[i]}"/>`,
    );
    out.push(`<text x="${at + 34}" y="${bottom + 46}">${name}, ${unit}</text>`);
  });
  out.push("</svg>", "");
  return out.join("\n");
}

/** The next round number for the top of an axis. */
function niceTop(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(value, 1e-3)));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * size >= value) ?? 10) * size;
}

function short(value: number): string {
  if (value >= 1e6) return `${round(value / 1e6)} M`;
  return value >= 1e4 ? `${round(value / 1e3)} k` : String(round(value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
