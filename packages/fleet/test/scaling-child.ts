/**
 * A game server as the local driver starts it: a node of the fleet, without a game. Whom players are, a test tells it over HTTP
 * on its port: `/arrive/<client>`, `/leave/<client>`; each answer has the players that are there.
 */
import { createServer } from "node:http";
import { FleetNode } from "../src/node/fleet-node.ts";

const { RIPOSTE_NODE_ID: id = "", RIPOSTE_REGION: region = "", RIPOSTE_PORT: port = "" } = process.env;
const [, , balancer, secret, seats] = process.argv;
const node = await FleetNode.join({
  balancers: [balancer],
  key: { kid: "k1", secret: Buffer.from(secret, "hex") },
  registration: {
    id,
    region,
    addresses: { udp: [`127.0.0.1:${port}`] },
    capacity: { sessions: 1, players: Number(seats) },
  },
});
const server = createServer((request, response) => {
  const [, what, client] = (request.url ?? "").split("/");
  void (what === "arrive" ? arrive(client) : leave(client)).then(() =>
    response.end(JSON.stringify({ seated: node.seats.seated })),
  );
});
server.listen(Number(port), "127.0.0.1", () => node.setReady(true));

/** A player comes with a token that names its seat; here there is none, so that the node must have heard of the seat. */
async function arrive(client: string): Promise<void> {
  while (node.seats.reserved === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  node.arrive(client);
}

async function leave(client: string): Promise<void> {
  node.leave(client);
}

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void node[Symbol.asyncDispose]();
});
