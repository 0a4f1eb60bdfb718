/** What a browser can dial: WebSocket. This file takes the place of `node.ts` in bundles for browsers. */

import { dialWebSocket } from "../websocket-carrier.ts";
import type { Dial } from "./carrier.ts";

export const defaultCarrier: "udp" | "websocket" = "websocket";

export const dialers: { readonly udp: Dial | undefined; readonly websocket: Dial } = {
  udp: undefined,
  websocket: dialWebSocket,
};
