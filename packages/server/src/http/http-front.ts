/**
 * The server's HTTP side: `POST /riposte/join` (local token service), `GET /riposte/health`, and the
 * game's own pages as static files. WebSocket upgrades on the same port belong to the transport.
 * Hostile requests cost a bounded time and a bounded number of bytes, and are answered with a status.
 */

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import sirv from "sirv";
import type { RequestHandler } from "sirv";
import { AddressRateLimiter, networkOf } from "./address-rate-limiter.ts";
import type { AddressRateLimiterOptions } from "./address-rate-limiter.ts";
import type { JoinService } from "./join-service.ts";
import { readJsonBody } from "./read-body.ts";
import { remoteAddressOf } from "./remote-address.ts";

/** The body of a join request: room, identity and up to 192 bytes of user data in base64. */
const MAX_JOIN_BODY_BYTES = 4096;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** How often Node looks for sockets over these times; its own default is 30 s. */
const TIMEOUT_CHECK_MS = 2000;
const MAX_HEADER_BYTES = 16_384;

/** A file or folder whose name begins with a dot, whether the dot is escaped or not. */
const DOT_FILE = /^[^?#]*(?:\/|\\|%2f|%5c)(?:\.|%2e)/i;

export interface HttpFrontOptions {
  /** Undefined when tokens come from elsewhere: `/riposte/join` then answers 404. */
  readonly joinService: JoinService | undefined;
  /** Client addresses are the proxy's word. */
  readonly behindProxy: boolean;
  readonly joinRate: AddressRateLimiterOptions;
  /** Origins whose pages may ask for a token, `"*"` for all. */
  readonly allowedOrigins: readonly string[] | "*";
  /** Served if it exists. */
  readonly publicDir: string | undefined;
  readonly production: boolean;
  /** Sockets at once, WebSockets included. */
  readonly maxSockets: number;
  /** Sockets at once of one IPv4 address or IPv6 /64 network, WebSockets not counted. Default 256. */
  readonly maxSocketsPerAddress?: number;
  /** Time for a request's headers, from the opening of the socket on. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** JSON of `/riposte/health`. */
  readonly health: () => object;
  /** A request could not be served because of an error of ours. */
  readonly onError: (error: unknown) => void;
}

/** An HTTP server that is not listening yet. */
export function createHttpFront(options: HttpFrontOptions): Server {
  const limiter = new AddressRateLimiter(options.joinRate);
  let files = staticFiles(options);
  const headersTimeout = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeout),
    },
    (request, response) => {
      response.on("error", () => response.destroy());
      // While a game is being made, its pages may well be built after its server was started.
      if (!options.production) files ??= staticFiles(options);
      handle(request, response, options, limiter, files).catch((error: unknown) => {
        options.onError(error);
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { code: "internal", error: "the server failed to answer" });
      });
    },
  );
  server.maxConnections = options.maxSockets;
  // All sockets of a proxy come from one address.
  if (!options.behindProxy) limitSocketsByAddress(server, options.maxSocketsPerAddress ?? 256);
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  return server;
}

/** So that one address cannot hold all sockets. WebSockets have caps of their own, in the transport. */
function limitSocketsByAddress(server: Server, max: number): void {
  const counts = new Map<string, number>();
  const release = new WeakMap<object, () => void>();
  server.on("connection", (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? "");
    const count = counts.get(network) ?? 0;
    if (count >= max) return void socket.destroy();
    counts.set(network, count + 1);
    const once = (): void => {
      if (!release.delete(socket)) return;
      const left = (counts.get(network) ?? 1) - 1;
      if (left > 0) counts.set(network, left);
      else counts.delete(network);
    };
    release.set(socket, once);
    socket.once("close", once);
  });
  server.on("upgrade", (request) => release.get(request.socket)?.());
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
      return sendText(response, 404, `A Riposte game server. There is no page here: ${whyNoPage(options)}.\n`);
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
  const { localAddress, localPort = 0 } = request.socket;
  if (!limiter.take(remoteAddressOf(request, options.behindProxy), performance.now())) {
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

function whyNoPage({ publicDir, production }: HttpFrontOptions): string {
  if (production || publicDir === undefined) return "it was started without files to serve";
  return `it finds no folder "${basename(publicDir)}" where it runs. Build the pages (\`vite build\`), or pass \`publicDir\``;
}

function staticFiles(options: HttpFrontOptions): RequestHandler | undefined {
  const { publicDir, production } = options;
  if (publicDir === undefined || !existsSync(publicDir)) return undefined;
  const files = sirv(publicDir, {
    dev: !production,
    etag: true,
    gzip: true,
    brotli: true,
    onNoMatch: (_request, response) => sendText(response, 404, "Not found\n"),
  });
  return (request, response) => {
    // In development sirv looks at the disk, and finds what only its list of files leaves out.
    if (DOT_FILE.test(request.url ?? "")) return sendText(response, 404, "Not found\n");
    // sirv leaves the file it reads alone: an error of it would end the process, a reader that goes would keep it open.
    response.on("pipe", (file: Readable) => {
      file.on("error", () => response.destroy());
      response.on("close", () => file.destroy());
    });
    files(request, response);
  };
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
