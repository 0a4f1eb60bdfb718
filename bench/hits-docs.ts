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
const parts = [
  `${shots} shots. Of those that hit in the picture ${hitPercent(all).toFixed(2)} % hit the same target on the server; of those that missed, ${falsePercent(all).toFixed(2)} % hit somebody. The inputs of ${((unheard / shots) * 100).toFixed(2)} % came too late for their tick: they count as not hit.`,
  "Hit in the picture and on the server, in %, by link and round trip, at 30 / 15 updates a second:",
  markdown(linkTable(cells, hitPercent)),
  "Missed in the picture, and hit on the server all the same, in %:",
  markdown(linkTable(cells, falsePercent)),
  "By target, over all links:",
  markdown(moverTable(cells)),
  "Other settings, at 30 / 15 updates a second: hits, in %; misses that hit, in %; how far the server goes back:",
  markdown(specialTable(FULL.seconds, note)),
];
const page = new URL("../docs/lag-compensation.md", import.meta.url);
const text = await readFile(page, "utf8");
const [before, rest] = text.split(BEGIN);
const after = rest.split(END)[1];
await writeFile(page, `${before}${BEGIN}\n\n${parts.join("\n\n")}\n\n${END}${after}`);
