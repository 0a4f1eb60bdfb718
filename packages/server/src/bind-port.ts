/**
 * One port number for TCP (HTTP, WebSocket) and UDP. If either is taken the next number is tried, and
 * the caller is told; port 0 lets the system choose.
 */

import { once } from "node:events";
import type { Server } from "node:http";

/** Numbers tried, the wanted one included. */
const MAX_ATTEMPTS = 20;

export interface BindPortOptions<T> {
  readonly port: number;
  readonly host: string | undefined;
  /** A new HTTP server for each attempt: one that failed to listen is not used again. */
  readonly createHttp: () => Server;
  /** Binds UDP to the number TCP has; an error with code EADDRINUSE makes it try the next one. */
  readonly bindUdp: (port: number, http: Server) => Promise<T>;
  /** Told of a number that was taken, and of the next one. */
  readonly onPortInUse: (port: number, nextPort: number) => void;
}

export async function bindPort<T>(options: BindPortOptions<T>): Promise<{ port: number; http: Server; udp: T }> {
  const { port: wanted, host } = options;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535) {
    throw new RangeError(`port must be an integer from 0 to 65535, got ${wanted}`);
  }
  let lastError: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const tried = wanted === 0 ? 0 : wanted + attempt;
    if (tried > 65535) break;
    const http = options.createHttp();
    try {
      const listening = once(http, "listening");
      http.listen(tried, host);
      await listening;
      const address = http.address();
      const port = typeof address === "object" && address !== null ? address.port : tried;
      return { port, http, udp: await options.bindUdp(port, http) };
    } catch (error) {
      http.close();
      if (!isAddressInUse(error)) throw error;
      lastError = error;
      if (wanted !== 0 && attempt + 1 < MAX_ATTEMPTS && tried < 65535) options.onPortInUse(tried, tried + 1);
    }
  }
  throw new Error(
    `no free port from ${wanted} to ${Math.min(65535, wanted + MAX_ATTEMPTS - 1)}: end the programs that use them, or pass another \`port\``,
    { cause: lastError },
  );
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
