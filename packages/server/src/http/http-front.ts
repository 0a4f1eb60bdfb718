/**
 * The server's HTTP side: `POST /riposte/join` (local token service), `GET /riposte/health`, and the
 * game's own pages as static files. WebSocket upgrades on the same port belong to the transport.
 * Hostile requests cost a bounded time and a bounded number of bytes, and are answered with a status.
 */

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import sirv from "sirv";
import type { RequestHandler } from "sirv";
import { AddressRateLimiter } from "./address-rate-limiter.ts";
import type { AddressRateLimiterOptions } from "./address-rate-limiter.ts";
import type { JoinService } from "./join-service.ts";
import { readJsonBody } from "./read-body.ts";

/** The body of a join request: room, identity and up to 192 bytes of user data in base64. */
const MAX_JOIN_BODY_BYTES = 4096;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16_384;

export interface HttpFrontOptions {
  /** Undefined when tokens come from elsewhere: `/riposte/join` then answers 404. */
  readonly joinService: JoinService | undefined;
  readonly joinRate: AddressRateLimiterOptions;
  /** Origins whose pages may ask for a token, `"*"` for all. */
  readonly allowedOrigins: readonly string[] | "*";
  /** Served if it exists. */
  readonly publicDir: string | undefined;
  readonly production: boolean;
  /** Sockets at once, WebSockets included. */
  readonly maxSockets: number;
  /** JSON of `/riposte/health`. */
  readonly health: () => object;
  /** A request could not be served because of an error of ours. */
  readonly onError: (error: unknown) => void;
}

/** An HTTP server that is not listening yet. */
export function createHttpFront(options: HttpFrontOptions): Server {
  const limiter = new AddressRateLimiter(options.joinRate);
  const files = staticFiles(options);
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      response.on("error", () => response.destroy());
      handle(request, response, options, limiter, files).catch((error: unknown) => {
        options.onError(error);
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { code: "internal", error: "the server failed to answer" });
      });
    },
  );
  server.maxConnections = options.maxSockets;
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  return server;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpFrontOptions,
  limiter: AddressRateLimiter,
  files: RequestHandler | undefined,
): Promise<void> {
  response.setHeader("X-Content-Type-Options", "nosniff");
  switch (pathOf(request)) {
    case undefined:
      return sendJson(response, 400, { code: "badRequest", error: "the request's target is not a path" });
    case "/riposte/join":
      return handleJoin(request, response, options, limiter);
    case "/riposte/health":
      if (!allowMethods(request, response, ["GET", "HEAD"])) return;
      return sendJson(response, 200, options.health());
    case "/riposte":
      response.setHeader("Upgrade", "websocket");
      return sendJson(response, 426, { code: "upgradeRequired", error: "this address takes WebSockets only" });
    default:
      if (files !== undefined) {
        if (allowMethods(request, response, ["GET", "HEAD"])) files(request, response);
        return;
      }
      return sendText(
        response,
        404,
        "A Riposte game server. There is no page here: it was started without files to serve.\n",
      );
  }
}

async function handleJoin(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpFrontOptions,
  limiter: AddressRateLimiter,
): Promise<void> {
  allowOrigin(request, response, options.allowedOrigins);
  if (request.method === "OPTIONS") {
    response.setHeader("Access-Control-Allow-Methods", "POST");
    response.setHeader("Access-Control-Allow-Headers", "Content-Type");
    response.setHeader("Access-Control-Max-Age", "600");
    response.writeHead(204).end();
    return;
  }
  if (!allowMethods(request, response, ["POST", "OPTIONS"])) return;
  if (options.joinService === undefined) {
    return sendJson(response, 404, {
      code: "noTokenService",
      error: "this server issues no tokens: get one from the game's backend and pass it to connect()",
    });
  }
  const { remoteAddress = "", localAddress, localPort = 0 } = request.socket;
  if (!limiter.take(remoteAddress, performance.now())) {
    response.setHeader("Retry-After", "1");
    return sendJson(response, 429, {
      code: "tooManyRequests",
      error: "too many joins from this address, wait a moment",
    });
  }
  const body = await readJsonBody(request, MAX_JOIN_BODY_BYTES);
  if (!body.ok) return sendJson(response, body.status, { code: "badRequest", error: body.message });
  const outcome = options.joinService.join(body.value, { localAddress, localPort, host: request.headers.host });
  sendJson(response, outcome.status, outcome.body);
}

function staticFiles(options: HttpFrontOptions): RequestHandler | undefined {
  const { publicDir, production } = options;
  if (publicDir === undefined || !existsSync(publicDir)) return undefined;
  return sirv(publicDir, {
    dev: !production,
    etag: true,
    gzip: true,
    brotli: true,
    onNoMatch: (_request, response) => sendText(response, 404, "Not found\n"),
  });
}

/** Path of the request's target without its query, undefined when it is no path. */
function pathOf(request: IncomingMessage): string | undefined {
  const target = request.url ?? "";
  if (!target.startsWith("/")) return undefined;
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function allowMethods(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): boolean {
  if (methods.includes(request.method ?? "")) return true;
  response.setHeader("Allow", methods.join(", "));
  sendJson(response, 405, { code: "badRequest", error: `use ${methods.join(" or ")}` });
  return false;
}

function allowOrigin(request: IncomingMessage, response: ServerResponse, allowed: readonly string[] | "*"): void {
  const origin = request.headers.origin;
  if (origin === undefined) return;
  response.setHeader("Vary", "Origin");
  if (allowed === "*") response.setHeader("Access-Control-Allow-Origin", "*");
  else if (allowed.includes(origin)) response.setHeader("Access-Control-Allow-Origin", origin);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  send(response, status, JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  send(response, status, text);
}

function send(response: ServerResponse, status: number, text: string): void {
  // What is left of a refused request's body is not read: the connection ends with the answer.
  if (status >= 400 && !response.req.complete) response.setHeader("Connection", "close");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.writeHead(status).end(response.req.method === "HEAD" ? undefined : text);
}
