/** A game server as `riposte balancer -- node game-server.ts` starts it: a node of the fleet, without a game. */
import { FleetNode } from "@riposte/fleet";

const {
  RIPOSTE_NODE_ID: id = "",
  RIPOSTE_REGION: region = "",
  RIPOSTE_BALANCER = "",
  RIPOSTE_NODE_KEY = "",
} = process.env;
const [kid, secret] = RIPOSTE_NODE_KEY.split(":");
const hasSecret = Object.keys(process.env).some((name) => /^RIPOSTE_.*SECRET/.test(name));
const node = await FleetNode.join({
  balancers: [RIPOSTE_BALANCER],
  key: { kid, secret: Buffer.from(secret, "hex") },
  registration: {
    id,
    region,
    addresses: { udp: [`127.0.0.1:${process.argv[2]}`] },
    capacity: { sessions: 1, players: 8 },
    labels: { hasSecret: String(hasSecret) },
  },
});
node.setReady(true);
process.once("SIGTERM", () => void node[Symbol.asyncDispose]());
