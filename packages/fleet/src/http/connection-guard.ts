/**
 * Stands before the HTTP server: turns connections away before a byte of them is parsed, and requests before their bodies
 * are read. A connection that has authenticated (a node, another balancer, an operator) is not limited. No
 * client that is not hostile sends a request before the one before it is answered: who does is disconnected. What
 * comes at once, connections or requests, is taken a few at a time, and networks take turns.
 *
 * Behind a proxy all connections are the proxy's: then only their number in all is limited, requests count for the last
 * address of X-Forwarded-For, and none is closed for what another client did.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { LimitConfig } from "../config/load-balancer-config.ts";
import { FairTurns } from "./fair-turns.ts";
import { PrefixLimits, plainAddress } from "./prefix-limits.ts";

export interface ConnectionGuardOptions {
  readonly limits: () => LimitConfig;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Default false: X-Forwarded-For is not believed. */
  readonly behindProxy?: boolean;
  /** A new connection's first request must be there after so long, with all its headers. Default 5000 ms. */
  readonly firstRequestMs?: number;
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
  /** Requests that came while this process was stopped, and whose senders had gone when it went on. */
  abandoned: number;
}

interface Guarded {
  readonly socket: Socket;
  readonly address: string;
  readonly key: string;
  readonly acceptedAt: number;
  isTrusted: boolean;
  isClosing: boolean;
  /** Of the last request. */
  response: ServerResponse | undefined;
}

/** Connections that are set up or closed because they have expired, and requests, in one turn of the event loop. */
const SLICE = 16;
/** A pause between two sweeps that says that the process was stopped, or had no processor. */
const STOPPED_MS = 300;
/** After it, until what came meanwhile has been taken. */
const CAREFUL_MS = 300;
/** Who is not limited does not wait, either. No key is empty. */
const TRUSTED = "";

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
    abandoned: 0,
  };
  readonly #now: () => number;
  readonly #behindProxy: boolean;
  readonly #limits: PrefixLimits;
  readonly #sockets: WeakMap<Duplex, Guarded> = new WeakMap();
  /** By address and port: a TLS socket is another object than the one that was accepted. */
  readonly #peers: Map<string, Guarded> = new Map();
  /** Without a request so far, the oldest first. */
  readonly #silent: Set<Guarded> = new Set();
  readonly #firstRequestMs: number;
  #sweptAt: number;
  /** Until then it looks whether who asks is still there. */
  carefulUntil: number = 0;
  readonly #setUps = new FairTurns({ perTurn: SLICE });
  readonly #requests = new FairTurns({ perTurn: SLICE });
  readonly #closings = new FairTurns({ perTurn: SLICE });

  constructor({ limits, now, behindProxy = false, firstRequestMs = 5000 }: ConnectionGuardOptions) {
    this.#now = now;
    this.#sweptAt = now();
    this.#behindProxy = behindProxy;
    this.#firstRequestMs = firstRequestMs;
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
      const key = this.#accept(socket);
      if (key === undefined) return;
      this.#setUps.submit(key, () => {
        if (!socket.destroyed) for (const listener of listeners) listener.call(server, socket);
      });
    });
  }

  /** Closes connections whose first request is overdue, a few of them. Call it some 100 times a second. */
  sweep(): void {
    const now = this.#now();
    if (now - this.#sweptAt > STOPPED_MS) this.carefulUntil = now + CAREFUL_MS;
    this.#sweptAt = now;
    const dueBefore = this.#sweptAt - this.#firstRequestMs;
    let left = SLICE;
    for (const guarded of this.#silent) {
      if (guarded.acceptedAt > dueBefore || left-- === 0) return;
      this.#silent.delete(guarded);
      this.counters.slow++;
      if (!this.#behindProxy) this.#limits.take(guarded.key, this.#now());
      guarded.socket.resetAndDestroy();
    }
  }

  guardRequests(handler: RequestListener): RequestListener {
    const admit: RequestListener = (request, response) => {
      const key = this.#admit(request, response);
      if (key === TRUSTED) handler(request, response);
      else if (key !== undefined)
        this.#requests.submit(key, () => {
          if (!this.#isGone(request.socket)) handler(request, response);
        });
    };
    return (request, response) => {
      const now = this.#now();
      if (now - this.#sweptAt <= STOPPED_MS && now >= this.carefulUntil) {
        admit(request, response);
        return;
      }
      // This process was stopped: who asked meanwhile may have gone elsewhere, which is known when the connection was read on.
      afterTurns(2, () => {
        if (request.socket.destroyed || request.socket.readableEnded) this.counters.abandoned++;
        else admit(request, response);
      });
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

  /** A request that was let through costs so much more. False: too much comes from its network. */
  charge(request: IncomingMessage, more: number): boolean {
    const guarded = this.#guardedOf(request.socket);
    if (guarded?.isTrusted === true) return true;
    const now = this.#now();
    const key =
      this.#behindProxy || guarded === undefined ? this.#limits.keyOf(this.addressOf(request), now) : guarded.key;
    return this.#limits.charge(key, more, now);
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

  /** What it counts for; `undefined`: it is turned away. */
  #accept(socket: Socket): string | undefined {
    const now = this.#now();
    const address = plainAddress(socket.remoteAddress ?? "");
    const key = this.#behindProxy ? `socket ${socket.remotePort}` : this.#limits.keyOf(address, now);
    if (address === "" || this.#limits.isBlocked(key, now) || !this.#limits.openConnection(key)) {
      this.counters.connectionsRefused++;
      // A reset: what is refused leaves nothing behind in this machine's kernel, either.
      socket.on("error", ignore).resetAndDestroy();
      return undefined;
    }
    this.counters.connections++;
    const guarded: Guarded = {
      socket,
      address,
      key,
      acceptedAt: now,
      isTrusted: false,
      isClosing: false,
      response: undefined,
    };
    this.#silent.add(guarded);
    this.#sockets.set(socket, guarded);
    const peer = peerOf(socket);
    this.#peers.set(peer, guarded);
    socket.once("close", () => {
      this.#peers.delete(peer);
      this.#silent.delete(guarded);
      if (!guarded.isTrusted) this.#limits.closeConnection(key);
    });
    return key;
  }

  /** What it counts for; `undefined`: it is refused. */
  #admit(request: IncomingMessage, response: ServerResponse): string | undefined {
    const { socket } = request;
    const guarded = this.#guardedOf(socket);
    if (this.#isGone(socket)) return undefined;
    if (guarded !== undefined) this.#silent.delete(guarded);
    if (guarded?.isTrusted === true) return TRUSTED;
    const now = this.#now();
    const key =
      this.#behindProxy || guarded === undefined ? this.#limits.keyOf(this.addressOf(request), now) : guarded.key;
    const verdict = this.#limits.take(key, now);
    const isPipelined = guarded?.response?.writableEnded === false;
    if (guarded !== undefined) guarded.response = response;
    if (!this.#behindProxy && (verdict === "blocked" || isPipelined)) {
      this.counters.requestsBlocked++;
      this.#close(socket, key);
      return undefined;
    }
    if (verdict === "pass") return key;
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
    return undefined;
  }

  /** Soon: what was sent on it already costs time when it is closed. */
  #close(socket: Socket, key: string): void {
    const guarded = this.#guardedOf(socket);
    if (guarded !== undefined) guarded.isClosing = true;
    socket.pause();
    this.#closings.submit(key, () => socket.resetAndDestroy());
  }

  #isGone(socket: Socket): boolean {
    return socket.destroyed || this.#guardedOf(socket)?.isClosing === true;
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

/** In each turn of the event loop what has arrived is read. */
function afterTurns(turns: number, then: () => void): void {
  if (turns === 0) then();
  else setImmediate(afterTurns, turns - 1, then);
}

function ignore(): void {}
