/** What Node can dial: native UDP, which is the default, and WebSocket. */

import { dialUdp } from "@riposte/transport";
import { dialWebSocket } from "../websocket-carrier.ts";
import type { ClientCarrier, Dial, DialOptions } from "./carrier.ts";

export const defaultCarrier: "udp" | "websocket" = "udp";

async function dial(options: DialOptions): Promise<ClientCarrier> {
  const { token, schemaHash, handlers, signal, simulate } = options;
  const transport = await dialUdp({ token, schemaHash, handlers, signal, simulate });
  return {
    name: "udp",
    connection: transport.connection,
    flush: () => transport.flush(),
    simulate: (conditions) => transport.simulate(conditions),
    close: () => transport.close(),
  };
}

export const dialers: { readonly udp: Dial | undefined; readonly websocket: Dial } = {
  udp: dial,
  websocket: dialWebSocket,
};
