/** What all routes share: the balancer, who is who, and what is written down of it. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import type { AuditEntry, AuditLog } from "./audit-log.ts";
import type { AgonesWebhook } from "./agones-routes.ts";
import type { Actor, BalancerApi } from "./balancer-api.ts";
import type { LimitConfig } from "../config/load-balancer-config.ts";
import type { ConnectionGuard } from "./connection-guard.ts";
import { CredentialError, bearerOf } from "./credentials.ts";
import type { Identity, NodeCredentials, Scope, TokenCredentials } from "./credentials.ts";
import type { ProofOfWork } from "./proof-of-work.ts";

/** Where players measure the round trip to a region. */
export interface Beacon {
  readonly region: string;
  readonly url: string;
}

export interface ApiContextOptions {
  readonly api: BalancerApi;
  readonly limits: () => LimitConfig;
  readonly nodeCredentials: NodeCredentials;
  /** Of operators, matchmakers and players. Default: no operator gets in. */
  readonly tokenCredentials?: TokenCredentials;
  readonly audit: AuditLog;
  /** Whether players must bring a token whose subject is their client id. Default false: anybody may ask for anybody. */
  readonly playerTokens?: boolean;
  /** Whether metrics are for anybody. Default false: for who has `fleet:read`. */
  readonly openMetrics?: boolean;
  /** Default: there is no such webhook. */
  readonly agones?: AgonesWebhook;
  /** Default: none. */
  readonly beacons?: () => readonly Beacon[];
  /** `Access-Control-Allow-Origin` of what players call. Default "*". */
  readonly allowOrigin?: string;
}

export class ApiContext {
  readonly options: ApiContextOptions;
  readonly guard: ConnectionGuard;
  readonly work: ProofOfWork;
  /** Monotonic ms. */
  readonly now: () => number;

  constructor(options: ApiContextOptions, guard: ConnectionGuard, work: ProofOfWork, now: () => number) {
    this.options = options;
    this.guard = guard;
    this.work = work;
    this.now = now;
  }

  get api(): BalancerApi {
    return this.options.api;
  }

  addressOf(request: FastifyRequest): string {
    return this.guard.addressOf(request.raw);
  }

  /** The bearer of `request`'s token, who must have `scope`; who is refused is written down. */
  async authorize(request: FastifyRequest, scope: Scope, action: string): Promise<Actor> {
    let subject = "";
    try {
      const identity = await this.identify(request);
      ({ subject } = identity);
      if (!identity.scopes.has(scope))
        throw new ApiError(403, "forbidden", `Your token lacks the scope "${scope}": ask for one that has it.`);
      this.guard.trust(request.raw);
      return { subject, address: this.addressOf(request) };
    } catch (error) {
      this.refuse(request, subject, action, error);
      throw error;
    }
  }

  async identify(request: FastifyRequest): Promise<Identity> {
    const { tokenCredentials } = this.options;
    const token = bearerOf(request.headers.authorization);
    if (token === undefined)
      throw new ApiError(401, "unauthorized", "Send a token: Authorization: Bearer <token>, see docs/api.md.");
    if (tokenCredentials === undefined)
      throw new ApiError(401, "unauthorized", "No tokens are accepted here: configure whose tokens are trusted.");
    try {
      return await tokenCredentials.verify(token);
    } catch (error) {
      throw toApiError(error);
    }
  }

  refuse(request: FastifyRequest, subject: string, action: string, error: unknown): void {
    if (!(error instanceof ApiError)) return;
    const actor = { subject, address: this.addressOf(request) };
    this.audit({ actor, action, outcome: "refused", detail: error.message }, request);
  }

  audit(entry: AuditEntry, request: FastifyRequest): void {
    const { id } = (request.params ?? {}) as { readonly id?: string };
    this.options.audit.write(id === undefined ? entry : { target: id, ...entry });
  }

  /** Does what an actor asked for, and writes down how it went. */
  async perform<Result>(
    request: FastifyRequest,
    entry: Omit<AuditEntry, "outcome">,
    action: () => Promise<Result> | Result,
  ): Promise<Result> {
    try {
      const result = await action();
      this.audit({ ...entry, outcome: "done" }, request);
      return result;
    } catch (error) {
      const outcome = error instanceof ApiError ? "refused" : "failed";
      this.audit({ ...entry, outcome, detail: error instanceof Error ? error.message : String(error) }, request);
      throw error;
    }
  }
}

export function toApiError(error: unknown): unknown {
  if (!(error instanceof CredentialError)) return error;
  const sentence = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  return new ApiError(401, "unauthorized", `${sentence}.`);
}

export function notFound(what: string): ApiError {
  return new ApiError(404, "notFound", `${what} is not known here.`);
}

export function sendNothing(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
