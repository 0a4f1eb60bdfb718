/** What a request is refused with: `{ code, error }`, where `error` says what to do. */
import type { FastifyError, FastifyInstance } from "fastify";

export class ApiError extends Error {
  override readonly name: string = "ApiError";
  readonly status: number;
  readonly code: string;
  /** Further members of the answer. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, error: string, more: Readonly<Record<string, unknown>> = {}) {
    super(error);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** Fastify's own refusals, in the same shape. */
const REFUSALS: Readonly<Record<number, readonly [string, string]>> = {
  400: ["badRequest", "The body is not valid JSON, or none was sent where one is needed."],
  408: ["tooSlow", "The request took too long to arrive: send it again."],
  413: ["tooLarge", "The body is larger than is accepted here: see docs/api.md for the limits."],
  414: ["tooLarge", "The path is longer than is accepted here."],
  415: ["badRequest", "Send the body as application/json."],
  503: ["closing", "This balancer is closing: ask another one."],
};

export function answerErrors(app: FastifyInstance, onDefect: (error: unknown, request: string) => void): void {
  app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
    if (error instanceof ApiError) {
      if (error.status === 401) void reply.header("www-authenticate", "Bearer");
      return reply.code(error.status).send({ code: error.code, error: error.message, ...error.more });
    }
    if (error.validation !== undefined)
      return reply.code(400).send({ code: "badRequest", error: `Correct the request: ${error.message}.` });
    const refusal = REFUSALS[error.statusCode ?? 500];
    if (refusal !== undefined) return reply.code(error.statusCode!).send({ code: refusal[0], error: refusal[1] });
    onDefect(error, `${request.method} ${request.routeOptions.url}`);
    return reply.code(500).send({ code: "defect", error: "Something is wrong with this balancer: ask another one." });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0].slice(0, 128);
    return reply.code(404).send({ code: "noRoute", error: `There is no ${request.method} ${path}: see docs/api.md.` });
  });
}
