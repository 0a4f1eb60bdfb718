/**
 * Runs the whole sweep and writes what docs/prediction.md shows of it: the table between its two marks, and the plots
 * docs/images/prediction-*.svg. Takes some minutes: `npm exec -- node bench/sweep-docs.ts`.
 */
import { readFile, writeFile } from "node:fs/promises";
import { plotSweep } from "./src/sweep/sweep-plot.ts";
import { FULL, MEASURES, sweep, sweepRows } from "./src/sweep/sweep.ts";

const BEGIN = "<!-- sweep: written by bench/sweep-docs.ts -->";
const END = "<!-- /sweep -->";
const docs = new URL("../docs/", import.meta.url);

const cells = sweep(FULL, (line) => console.error(line));
const plots = ["mispredictionsPerMin", "correctionP99Mm", "starvedPercent", "viewDelayMs"];
const names = ["mispredictions", "corrections", "starvation", "view-delay"];
const pictures: string[] = [];
for (const [i, key] of plots.entries()) {
  const measure = MEASURES.find((one) => one.key === key) ?? MEASURES[0];
  const file = `images/prediction-${names[i]}.svg`;
  await writeFile(new URL(file, docs), plotSweep(cells, measure));
  pictures.push(`![${measure.title}](${file})`);
}
const header = ["link, each way", "RTT, ms", ...MEASURES.map(({ name }) => name)];
const table = [header, header.map(() => "---"), ...sweepRows(cells)].map((row) => `| ${row.join(" | ")} |`).join("\n");
const page = new URL("prediction.md", docs);
const text = await readFile(page, "utf8");
const [before, rest] = text.split(BEGIN);
const after = rest.split(END)[1];
await writeFile(page, `${before}${BEGIN}\n\n${pictures.join("\n\n")}\n\n${table}\n\n${END}${after}`);
