/**
 * Runs one benchmark: `npm run -s bench -- <name> [--full] [--json]`. A table for people, or one JSON object
 * `{ "name", "figures" }` as the last line and nothing else on stdout.
 */
import { readdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Bench, BenchResult } from "./src/bench.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, full: { type: "boolean" } },
});
const files = await readdir(new URL("src/", import.meta.url));
const names = files
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.slice(0, -".bench.ts".length))
  .toSorted();
const name = positionals[0] ?? "";

if (!names.includes(name)) {
  console.error(`Which benchmark? npm run bench -- <name> [--full] [--json], with one of: ${names.join(", ")}`);
  process.exit(2);
}
const { bench } = (await import(new URL(`src/${name}.bench.ts`, import.meta.url).href)) as { bench: Bench };
const result = await bench((line) => console.error(line), { full: values.full === true });
if (values.json === true) console.log(JSON.stringify({ name, figures: result.figures }));
else printTable(name, result);
process.exit(0);

function printTable(title: string, { figures, targets, details }: BenchResult): void {
  for (const line of details ?? []) console.log(line);
  const rows = Object.entries(figures).map(([key, value]) => {
    const target = targets[key];
    const verdict = target === undefined ? "" : value < target ? `ok, under ${target}` : `over the aim of ${target}`;
    return [key, value.toLocaleString("en", { maximumFractionDigits: 2 }), verdict];
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  console.log(`\n  ${title}\n`);
  for (const [key, value, verdict] of rows)
    console.log(`    ${key.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${verdict}`);
  console.log();
}
