/**
 * Shoots on every link and writes what docs/lag-compensation.md shows of it, between its two marks. Takes some minutes:
 * `npm exec -- node bench/hits-docs.ts`.
 */
import { readFile, writeFile } from "node:fs/promises";
import {
  falsePercent,
  FULL,
  hitPercent,
  linkTable,
  markdown,
  moverTable,
  shootEverywhere,
  specialTable,
  sum,
} from "./src/hits/hits.ts";

const BEGIN = "<!-- hits: written by bench/hits-docs.ts -->";
const END = "<!-- /hits -->";

const note = (line: string): void => console.error(line);
const cells = shootEverywhere(FULL, note);
const all = sum(cells.map(({ result }) => result.total));
const unheard = cells.reduce((count, { result }) => count + result.unheard, 0);
const shots = all.drawnHits + all.drawnMisses;
const cut = cells.reduce((count, { result }) => count + result.cut, 0);
const wrong = Math.max(...cells.map(({ result }) => falsePercent(result.total)));
const least = Math.min(...cells.map(({ result }) => hitPercent(result.total)));
const parts = [
  `${shots.toLocaleString("en")} shots in ${cells.length} cells. Of the ${all.drawnHits.toLocaleString("en")} that hit in the picture all but ${all.drawnHits - all.hits} hit the same target on the server: ${least.toFixed(2)} % in the worst cell. Of the ${all.drawnMisses.toLocaleString("en")} that missed ${all.falseHits} hit somebody, at most ${wrong.toFixed(2)} % in a cell. Of ${unheard} the server has never heard, or too late to judge them; they count as not hit. Of the view stamps ${cut} were cut.`,
  "Hit in the picture and on the server, in %, by link and round trip, at 30 / 15 updates a second:",
  markdown(linkTable(cells, hitPercent, 2)),
  "By target, over all links:",
  markdown(moverTable(cells)),
  "With other settings, at 30 / 15 updates a second: hits, in %; misses that hit on the server all the same, in %; how far it goes back, on average. The last two rows have columns beyond the limit: whoever shoots there has to lead.",
  markdown(specialTable(FULL.seconds, note)),
];
const page = new URL("../docs/lag-compensation.md", import.meta.url);
const text = await readFile(page, "utf8");
const [before, rest] = text.split(BEGIN);
const after = rest.split(END)[1];
await writeFile(page, `${before}${BEGIN}\n\n${parts.join("\n\n")}\n\n${END}${after}`);
