/** A server and a client in a process of its own, whose modules are written down: for production.test.ts. */
import { registerHooks } from "node:module";

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});

const { listen } = await import("../src/index.ts");
const { dialUdp } = await import("@riposte/transport");
const { game } = await import("./game.ts");

const environment = process.argv[2] as "development" | "production" | undefined;
const server = await listen(game, {
  port: 0,
  host: "127.0.0.1",
  publicDir: false,
  privateKey: new Uint8Array(32).fill(1),
  ...(environment !== undefined && { environment }),
});
const client = await dialUdp({
  token: server.issueToken(),
  schemaHash: game.schemaHash,
  handlers: {},
  allowSimulation: false,
});
while (client.connection.stats.packetsReceived < 20) await new Promise((resolve) => setTimeout(resolve, 5));
const [id] = server.network.connectionIds;
const simulating = loaded.filter((url) => /simulated-carrier|\/simulator\/|network-condition/.test(url));
const refused = [
  () => server.simulate({ latencyMs: 1 }),
  () => server.network.simulateNetworkConditions({ latencyMs: 1 }),
  () => server.network.simulateNetworkConditions({ latencyMs: 1 }, id),
].map(throwsTypeError);
const atStart = await listen(game, {
  port: 0,
  host: "127.0.0.1",
  publicDir: false,
  privateKey: new Uint8Array(32).fill(1),
  simulate: { latencyMs: 1 },
  ...(environment !== undefined && { environment }),
}).then(
  async (other) => {
    await other.close();
    return false;
  },
  (error: unknown) => error instanceof TypeError,
);
await client.close();
await server.close();
console.log(
  JSON.stringify({
    modules: loaded.length,
    simulating: simulating.map((url) => url.replace(/.*\//, "")),
    canSimulate: server.network.canSimulate,
    refused: [...refused, atStart],
  }),
);

function throwsTypeError(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    return error instanceof TypeError;
  }
}
