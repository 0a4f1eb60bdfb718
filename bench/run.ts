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

function printTable(title: string, { figures, details = [], spreads = {}, ...aims }: BenchResult): void {
  for (const line of details) console.log(line);
  const rows = Object.entries(figures).map(([key, value]) => {
    const spread = spreads[key];
    return [
      key,
      value.toLocaleString("en", { maximumFractionDigits: 2 }),
      spread === undefined ? "" : `± ${(spread * 100).toFixed(0)} %`,
      verdict(key, value, aims),
    ];
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  console.log(`\n  ${title}\n`);
  for (const [key, value, spread, judged] of rows) {
    console.log(`    ${key.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${spread.padStart(widths[2])}  ${judged}`);
  }
  console.log();
}

function verdict(
  key: string,
  value: number,
  { targets, floors = {} }: Pick<BenchResult, "targets" | "floors">,
): string {
  if (key in targets) return value < targets[key] ? `ok, under ${targets[key]}` : `over the aim of ${targets[key]}`;
  if (key in floors) return value >= floors[key] ? `ok, over ${floors[key]}` : `under the aim of ${floors[key]}`;
  return "";
}
