/**
 * Game servers without a game: real `FleetNode`s in a process of their own, which open the tokens of who comes. Told what to
 * do by `NodeProcess`.
 */
import { FleetNode } from "@riposte/fleet";
import { nobleCrypto, readConnectToken, readUserData } from "../../../protocol/src/netcode/index.ts";
import { PRIVATE_TOKEN_BYTES } from "../../../protocol/src/netcode/constants.ts";
import { tokenAssociatedData } from "../../../protocol/src/netcode/connect-token.ts";
import { openPrivateToken, readPrivateToken } from "../../../protocol/src/netcode/private-token.ts";
import type { NodeOrder, NodeReply, NodeTask } from "./node-process.ts";

const crypto = nobleCrypto(() => {
  throw new TypeError("opening a token takes no entropy");
});
const { balancers, secret, nodes: registrations } = JSON.parse(process.argv[2]) as NodeTask;
const nodes = new Map<string, FleetNode>();
const refusing = new Set<string>();

await Promise.all(
  registrations.map(async (registration) => {
    const key = { kid: "k", secret: Buffer.from(secret, "hex") };
    const node = await FleetNode.join({ balancers, key, registration });
    node.setReady(true);
    nodes.set(registration.id, node);
  }),
);
process.on("message", (order: NodeOrder) => {
  const reply: NodeReply = { number: order.number, answer: carryOut(order) };
  process.send!(reply);
});
process.on("disconnect", () => process.exit());
process.send!({ number: 0, answer: [] } satisfies NodeReply);

function carryOut(order: NodeOrder): NodeReply["answer"] {
  switch (order.kind) {
    case "arrive":
      return order.players.map(({ node, token }) => arrive(node, token));
    case "leave":
      for (const { node, clientId } of order.players) nodes.get(node)?.leave(clientId);
      return [];
    case "seats":
      return Array.from(nodes, ([id, { seats }]) => ({ id, ...seats }));
    case "refuse":
      for (const id of order.nodes) refusing.add(id);
      return [];
  }
}

/** As a game server does: "" when the player is in, else why not. */
function arrive(id: string, text: string): string {
  const node = nodes.get(id);
  const token = readConnectToken(Buffer.from(text, "base64"));
  if (node === undefined || token === undefined) return "no such node, or no token";
  if (refusing.has(id)) return "refused by the game";
  if (Number(token.expireTimestamp) * 1000 <= Date.now()) return "the token has expired";
  if (Number(token.createTimestamp) * 1000 > Date.now() + 60_000) return "the token is of the future";
  const sealed = token.privateData.slice();
  const data = tokenAssociatedData(node.protocolId, token.expireTimestamp);
  if (!openPrivateToken(crypto, node.tokenKey, token.nonce, data, sealed, 0)) return "the token is not for this node";
  const opened = sealed.length === PRIVATE_TOKEN_BYTES ? readPrivateToken(sealed, 0) : undefined;
  if (opened === undefined) return "the token is malformed";
  const { seat } = readUserData(opened.userData);
  return node.arrive(opened.clientId.toString(), seat) ? "" : "there is no seat";
}
