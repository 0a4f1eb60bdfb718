/**
 * A process with an embedded store, for tests that kill it or take its disk away: puts what it is told on its standard input,
 * a JSON array of [key, value] a line, and says what became of it.
 */

import { createInterface } from "node:readline";
import { EmbeddedStore } from "../src/store/embedded-store.ts";

// The kernel's signal for a file that would become too large; the write then fails.
process.on("SIGXFSZ", () => undefined);
const store = await EmbeddedStore.open({ directory: process.argv[2], log: () => undefined, compactAboveBytes: 20_000 });
store.onStatus((status) => console.log(JSON.stringify({ status })));
console.log(JSON.stringify({ open: (await store.list("")).length }));
for await (const line of createInterface(process.stdin)) {
  for (const [key, value] of JSON.parse(line) as [string, string][])
    store.put(key, value).then(
      () => console.log(JSON.stringify({ put: key })),
      (error: Error) => console.log(JSON.stringify({ refused: key, message: error.message })),
    );
}
