/**
 * `npm run console:demo`: builds the console when it is stale, starts a fleet in this process, and says where to look.
 *
 *     npm run console:demo -- [--port 7800] [--players 12]
 */
import { parseArgs } from "node:util";
import { buildConsole } from "./build-console.ts";
import { DemoFleet } from "./demo-fleet.ts";

const { values } = parseArgs({
  options: { port: { type: "string", default: "7800" }, players: { type: "string", default: "12" } },
});
const [port, playersPerSec] = [Number(values.port), Number(values.players)];
if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
  throw new RangeError(`--port is 0 to 65535, got ${values.port}`);
if (!(playersPerSec >= 0 && playersPerSec <= 200)) throw new RangeError(`--players is 0 to 200, got ${values.players}`);

if (await buildConsole()) console.log("Built the console");
console.log("Starting 40 nodes in 12 regions ...");
const fleet = await DemoFleet.open({ port, playersPerSec });
console.log(`
  A fleet to look at

    Console   ${fleet.url}/console/
    Token     ${fleet.token}

    ${playersPerSec} players come each second. Ctrl-C ends everything.
`);

const { promise: ended, resolve: end } = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end());
await ended;
await fleet[Symbol.asyncDispose]();
