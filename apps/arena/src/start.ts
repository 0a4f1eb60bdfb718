/**
 * `npm start`: builds the client when it is stale, starts the server and some bots, says where to play, and ends
 * everything it started on Ctrl-C.
 *
 *     npm start -- [--port 7777] [--bots 6] [--no-build]
 */
import { networkInterfaces } from "node:os";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildClient, clientDir } from "./build-client.ts";
import { forkBots, openArena } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    bots: { type: "string", default: "6" },
    "no-build": { type: "boolean", default: false },
  },
});
const botCount = Number(values.bots);
const port = Number(values.port ?? 7777);
if (!Number.isInteger(botCount) || botCount < 0 || botCount > 63)
  throw new RangeError(`--bots is 0 to 63, got ${values.bots}`);
if (!Number.isInteger(port) || port < 0 || port > 65_535)
  throw new RangeError(`--port is 0 to 65535, got ${values.port}`);

if (!values["no-build"] || !existsSync(clientDir)) {
  const startedAt = performance.now();
  if (await buildClient()) console.log(`Built the client in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

const server = await openArena({ port });
const bots = botCount > 0 ? forkBots(server.url, botCount) : undefined;

let ending = false;
async function end(): Promise<void> {
  if (ending) process.exit(130);
  ending = true;
  console.log("\nEnding the arena…");
  const botsGone =
    bots === undefined || bots.exitCode !== null || bots.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => bots.once("exit", () => resolve()));
  bots?.kill("SIGTERM");
  await server.close("the server is shutting down");
  await Promise.race([botsGone, new Promise((resolve) => setTimeout(resolve, 2000))]);
  bots?.kill("SIGKILL");
  process.exit(0);
}
process.on("SIGINT", () => void end());
process.on("SIGTERM", () => void end());

const others = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .filter(({ family, internal }) => family === "IPv4" && !internal)
  .map(({ address }) => `http://${address}:${server.port}`);

console.log(`
  Riposte Arena is running

    Play here           ${server.url}
    A second player     open the same address in another window
    With a name         ${server.url}/?name=Ada${others.length > 0 ? `\n    From this network   ${others.join("  ")}` : ""}

    ${botCount} ${botCount === 1 ? "bot is" : "bots are"} in the arena, on native UDP. In the game, N opens the network lab.
    Ctrl-C ends everything.
`);
await server.closed;
