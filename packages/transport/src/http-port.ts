/** The HTTP server that shares a transport's port number. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { explainBindError } from "./port-in-use-error.ts";

export interface HttpPortOptions {
  readonly port?: number;
  readonly host?: string;
  /** See `ListenTransportOptions`. */
  readonly http?: Server | false;
}

export interface Bound<T> {
  readonly udp: T;
  readonly http: Server | undefined;
  /** It was made to listen here, so it is closed here. */
  readonly ownsHttp: boolean;
}

const FREE_PORT_ATTEMPTS = 20;
/** How long HTTP requests under way may take to end. */
const CLOSE_GRACE_MS = 2000;

/** Takes one port number for both protocols; a free number for TCP need not be free for UDP. */
export async function bindBoth<T>(options: HttpPortOptions, bindUdp: (port: number) => Promise<T>): Promise<Bound<T>> {
  const wanted = options.port ?? 0;
  if (options.http === false) return { udp: await bindUdp(wanted), http: undefined, ownsHttp: false };
  const given = options.http;
  if (given?.listening === true) return { udp: await bindUdp(wanted || portOf(given)), http: given, ownsHttp: false };
  for (let attempt = 1; ; attempt += 1) {
    const http = given ?? createServer((_request, response) => response.writeHead(404).end());
    await listenHttp(http, wanted, options.host);
    // An accept that fails, as when files run out, costs that one client.
    if (given === undefined) http.on("error", () => {});
    try {
      return { udp: await bindUdp(portOf(http)), http, ownsHttp: true };
    } catch (error) {
      await new Promise((resolve) => http.close(resolve));
      if (wanted !== 0 || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

/** Lets requests under way end, for a while. */
export function closeHttp(http: Server): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => http.closeAllConnections(), CLOSE_GRACE_MS);
    http.close(() => {
      clearTimeout(grace);
      resolve();
    });
    http.closeIdleConnections();
  });
}

function listenHttp(http: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(explainBindError(error, port, "tcp"));
    http.once("error", fail);
    http.listen({ port, host, exclusive: true }, () => {
      http.off("error", fail);
      resolve();
    });
  });
}

function portOf(http: Server): number {
  const address = http.address();
  if (address === null || typeof address === "string") throw new TypeError("the HTTP server listens on no port");
  return address.port;
}
