/**
 * Stands before the HTTP server: turns connections away before a byte of them is parsed, and requests before their bodies
 * are read. A connection that has authenticated (a node, another balancer, an operator) is not limited.
 *
 * Behind a proxy all connections are the proxy's: then only their number in all is limited, requests count for the last
 * address of X-Forwarded-For, and none is closed for what another client did.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { LimitConfig } from "../config/load-balancer-config.ts";
import { PrefixLimits, plainAddress } from "./prefix-limits.ts";

export interface ConnectionGuardOptions {
  readonly limits: () => LimitConfig;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Default false: X-Forwarded-For is not believed. */
  readonly behindProxy?: boolean;
}

/** Since the start. */
export interface GuardCounters {
  connections: number;
  connectionsRefused: number;
  requestsRefused: number;
  /** Of connections that were closed for it. */
  requestsBlocked: number;
  malformed: number;
  /** Connections on which a request took too long to arrive. */
  slow: number;
}

interface Guarded {
  readonly address: string;
  readonly key: string;
  isTrusted: boolean;
}

const REFUSAL = JSON.stringify({
  code: "tooManyRequests",
  error: "Too many requests come from your network: wait a second and ask again.",
});

export class ConnectionGuard {
  readonly counters: GuardCounters = {
    connections: 0,
    connectionsRefused: 0,
    requestsRefused: 0,
    requestsBlocked: 0,
    malformed: 0,
    slow: 0,
  };
  readonly #now: () => number;
  readonly #behindProxy: boolean;
  readonly #limits: PrefixLimits;
  readonly #sockets: WeakMap<Duplex, Guarded> = new WeakMap();
  /** By address and port: a TLS socket is another object than the one that was accepted. */
  readonly #peers: Map<string, Guarded> = new Map();

  constructor({ limits, now, behindProxy = false }: ConnectionGuardOptions) {
    this.#now = now;
    this.#behindProxy = behindProxy;
    this.#limits = new PrefixLimits({ limits });
  }

  /** Connections open now. */
  get open(): number {
    return this.#limits.open;
  }

  /** Puts itself before what `server` does with a connection. */
  guardConnections(server: Server): void {
    const listeners = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
    server.removeAllListeners("connection");
    server.on("connection", (socket) => {
      if (this.#accept(socket)) for (const listener of listeners) listener.call(server, socket);
    });
  }

  guardRequests(handler: RequestListener): RequestListener {
    return (request, response) => {
      if (this.#admit(request, response)) handler(request, response);
    };
  }

  /** Of the client: of the last proxy's word where there is one. */
  addressOf(request: IncomingMessage): string {
    if (this.#behindProxy) {
      const header = request.headers["x-forwarded-for"];
      const last = (typeof header === "string" ? header : header?.at(-1))?.split(",").at(-1)?.trim();
      if (last !== undefined && last !== "") return plainAddress(last);
    }
    return this.#guardedOf(request.socket)?.address ?? plainAddress(request.socket.remoteAddress ?? "");
  }

  /** Who sent `request` has shown who it is. */
  trust(request: IncomingMessage): void {
    const guarded = this.#guardedOf(request.socket);
    if (guarded?.isTrusted === true) return;
    this.#limits.trust(this.addressOf(request), this.#now());
    if (this.#behindProxy || guarded === undefined) return;
    guarded.isTrusted = true;
    this.#limits.closeConnection(guarded.key);
  }

  /** What came on `socket` is no request, or did not come in time. */
  countBroken(socket: Duplex, error: NodeJS.ErrnoException): void {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") this.counters.slow++;
    // Of llhttp; others are the network's errors.
    else if (error.code?.startsWith("HPE_") === true) this.counters.malformed++;
    else return;
    const guarded = this.#guardedOf(socket as Socket);
    if (guarded !== undefined && !this.#behindProxy) this.#limits.take(guarded.key, this.#now());
  }

  #accept(socket: Socket): boolean {
    const now = this.#now();
    const address = plainAddress(socket.remoteAddress ?? "");
    const key = this.#behindProxy ? `socket ${socket.remotePort}` : this.#limits.keyOf(address, now);
    if (address === "" || this.#limits.isBlocked(key, now) || !this.#limits.openConnection(key)) {
      this.counters.connectionsRefused++;
      // A reset: what is refused leaves nothing behind in this machine's kernel, either.
      socket.on("error", ignore).resetAndDestroy();
      return false;
    }
    this.counters.connections++;
    const guarded: Guarded = { address, key, isTrusted: false };
    this.#sockets.set(socket, guarded);
    const peer = peerOf(socket);
    this.#peers.set(peer, guarded);
    socket.once("close", () => {
      this.#peers.delete(peer);
      if (!guarded.isTrusted) this.#limits.closeConnection(key);
    });
    return true;
  }

  #admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    if (socket.destroyed) return false;
    const guarded = this.#guardedOf(socket);
    if (guarded?.isTrusted === true) return true;
    const now = this.#now();
    const key =
      this.#behindProxy || guarded === undefined ? this.#limits.keyOf(this.addressOf(request), now) : guarded.key;
    const verdict = this.#limits.take(key, now);
    if (verdict === "pass") return true;
    if (verdict === "blocked" && !this.#behindProxy) {
      this.counters.requestsBlocked++;
      socket.resetAndDestroy();
      return false;
    }
    this.counters.requestsRefused++;
    // A body that is not read would be taken for the next request.
    const hasBody = request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
    response.writeHead(429, {
      "content-type": "application/json",
      "content-length": REFUSAL.length,
      "retry-after": "1",
      ...(hasBody && { connection: "close" }),
    });
    response.end(REFUSAL);
    return false;
  }

  #guardedOf(socket: Socket): Guarded | undefined {
    let guarded = this.#sockets.get(socket);
    if (guarded !== undefined) return guarded;
    guarded = this.#peers.get(peerOf(socket));
    if (guarded !== undefined) this.#sockets.set(socket, guarded);
    return guarded;
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function ignore(): void {}
