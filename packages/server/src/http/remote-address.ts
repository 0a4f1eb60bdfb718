/** Whom limits by address count a request to. */

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * The socket's address; behind a proxy the last one of X-Forwarded-For, which that proxy has appended.
 * What stands before it is the client's own claim.
 */
export function remoteAddressOf(request: IncomingMessage, behindProxy: boolean): string {
  const { remoteAddress = "" } = request.socket;
  if (!behindProxy) return remoteAddress;
  const forwarded = String(request.headers["x-forwarded-for"] ?? "");
  const last = forwarded.slice(forwarded.lastIndexOf(",") + 1).trim();
  return isIP(last) === 0 ? remoteAddress : last;
}
