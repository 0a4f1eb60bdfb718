/**
 * The balancer's HTTP API. Its schemas are also its OpenAPI document, of which `docs/api.md` is made (`write-docs.ts`).
 * Connections are guarded before they are parsed, and have little time: 5 s for headers, 10 s for a request.
 */
import { createServer } from "node:http";
import type { Server, ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import swagger from "@fastify/swagger";
import { fastify } from "fastify";
import type { FastifyInstance } from "fastify";
import { addAdminRoutes } from "./admin-routes.ts";
import { addAgonesRoutes } from "./agones-routes.ts";
import { ApiContext } from "./api-context.ts";
import type { ApiContextOptions } from "./api-context.ts";
import { answerErrors } from "./api-error.ts";
import * as schemas from "./api-schemas.ts";
import { ConnectionGuard } from "./connection-guard.ts";
import { addConsoleRoutes } from "./console-routes.ts";
import type { ConsoleFiles } from "./console-routes.ts";
import { addNodeRoutes } from "./node-routes.ts";
import { OPENAPI } from "./openapi.ts";
import { addPeerRoutes } from "./peer-routes.ts";
import { addPlayerRoutes } from "./player-routes.ts";
import { ProofOfWork } from "./proof-of-work.ts";

export interface HttpApiOptions extends ApiContextOptions {
  /** The operators' web console. Default: there is none. */
  readonly console?: ConsoleFiles;
  /** Whether the last address of X-Forwarded-For is the client's. Default false. */
  readonly behindProxy?: boolean;
  /** PEM. Default: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Monotonic ms. Default `performance.now`. */
  readonly now?: () => number;
  readonly timeouts?: Partial<HttpTimeouts>;
  /** What nobody expected, with the route. Default: said on stderr. */
  readonly onDefect?: (error: unknown, request: string) => void;
}

interface HttpTimeouts {
  /** Default 5000: a connection that has not sent all headers of a request is closed, also when it has sent nothing. */
  readonly headersMs: number;
  /** Default 10000, with the body. */
  readonly requestMs: number;
  /** Default 20000: between two requests. */
  readonly keepAliveMs: number;
  /** Default 500: how often the first two are looked at. */
  readonly checkEveryMs: number;
  /** Default 1000: requests that run may end when the server closes. */
  readonly closeMs: number;
}

/** Of headers, and of bodies where nothing else is said. */
const MAX_BYTES = 16 << 10;
const MAX_HEADERS = 64;
const BACKLOG = 4096;
const SWEEP_EVERY_MS = 10;

export class HttpApi implements AsyncDisposable {
  readonly app: FastifyInstance;
  readonly guard: ConnectionGuard;
  readonly #closeMs: number;
  readonly #sweeping: NodeJS.Timeout;

  private constructor(app: FastifyInstance, guard: ConnectionGuard, closeMs: number) {
    this.app = app;
    this.guard = guard;
    this.#closeMs = closeMs;
    this.#sweeping = setInterval(() => guard.sweep(), SWEEP_EVERY_MS).unref();
  }

  /** Ready to listen. */
  static async create(options: HttpApiOptions): Promise<HttpApi> {
    const { limits, behindProxy = false, tls, now = () => performance.now(), timeouts = {} } = options;
    const { headersMs = 5000, requestMs = 10_000, keepAliveMs = 20_000, checkEveryMs = 500, closeMs = 1000 } = timeouts;
    const guard = new ConnectionGuard({ limits, now, behindProxy, firstRequestMs: headersMs });
    const serverOptions: ServerOptions = {
      maxHeaderSize: MAX_BYTES,
      // For later requests: of the first, the guard takes care.
      headersTimeout: Math.min(requestMs, 2 * headersMs),
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkEveryMs,
    };
    const app: FastifyInstance = fastify({
      bodyLimit: MAX_BYTES,
      routerOptions: { maxParamLength: 2048 },
      forceCloseConnections: "idle",
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
      serverFactory: (handler) => {
        const guarded = guard.guardRequests(handler);
        const server: Server =
          tls === undefined
            ? createServer(serverOptions, guarded)
            : createSecureServer({ ...serverOptions, ...tls }, guarded);
        server.maxHeadersCount = MAX_HEADERS;
        // Also for who does not read its answer.
        server.setTimeout(keepAliveMs + requestMs);
        guard.guardConnections(server);
        return server;
      },
      clientErrorHandler: (error, socket) => {
        guard.countBroken(socket, error);
        socket.destroy();
      },
    });
    app.setSerializerCompiler(() => (body) => JSON.stringify(body));
    answerErrors(app, options.onDefect ?? sayDefect);
    await app.register(swagger, { openapi: OPENAPI });
    const context = new ApiContext(options, guard, new ProofOfWork(), now);
    for (const add of [
      addHealthRoutes,
      addPlayerRoutes,
      addNodeRoutes,
      addAdminRoutes,
      addAgonesRoutes,
      addPeerRoutes,
    ]) {
      // Each in a room of its own: hooks and parsers of one are not those of others.
      await app.register((room, _options, done) => {
        add(room, context);
        done();
      });
    }
    if (options.console !== undefined) addConsoleRoutes(app, options.console);
    await app.ready();
    return new HttpApi(app, guard, closeMs);
  }

  /** The port. Default host: all addresses of this machine. */
  async listen({ port, host = "::" }: { readonly port: number; readonly host?: string }): Promise<number> {
    await this.app.listen({ port, host, backlog: BACKLOG });
    return (this.app.server.address() as AddressInfo).port;
  }

  openApi(): object {
    return this.app.swagger();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeping);
    const timer = setTimeout(() => this.app.server.closeAllConnections(), this.#closeMs);
    await this.app.close();
    clearTimeout(timer);
  }
}

function addHealthRoutes(app: FastifyInstance, { api }: ApiContext): void {
  const tags = ["health"];
  app.get(
    "/healthz",
    { schema: { tags, summary: "Whether the process answers", response: { 200: schemas.Anything } } },
    (_request, reply) => reply.send({ status: "ok" }),
  );
  app.get(
    "/readyz",
    {
      schema: {
        tags,
        summary: "Whether players may be sent to this balancer",
        response: { 200: schemas.Anything, 503: schemas.Refused },
      },
    },
    (_request, reply) =>
      api.isReady
        ? reply.send({ status: "ready" })
        : reply.code(503).send({ code: "notReady", error: "This balancer knows no nodes yet, or is closing." }),
  );
  app.get("/v1/openapi.json", { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
}

function sayDefect(error: unknown, request: string): void {
  console.error(`${request}:`, error);
}
