/** What operators and their tools call. All of it is written into the audit log, but for what Prometheus scrapes. */
import { isIP } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import { Type } from "typebox";
import { ApiError } from "./api-error.ts";
import type { ApiContext } from "./api-context.ts";
import { notFound } from "./api-context.ts";
import * as schemas from "./api-schemas.ts";
import type { Actor, AllocateRequest, NodeCommand } from "./balancer-api.ts";
import type { AdminScope } from "./credentials.ts";
import type { NodeState } from "../registry/server-node.ts";

interface AdminRoute {
  readonly method: "GET" | "POST" | "PATCH";
  readonly url: string;
  readonly scope: AdminScope;
  readonly action: string;
  readonly schema: FastifySchema;
  readonly handle: (request: FastifyRequest, actor: Actor, reply: FastifyReply) => unknown;
}

const MAX_BODY_BYTES = 256 << 10;
const COMMANDS: Readonly<Record<NodeCommand, string>> = {
  drain: "Send nobody new to a node; who plays may finish",
  maintain: "The same, until `resume`, whatever the node says",
  resume: "Send players to a node again",
  unregister: "Forget a node",
};

export function addAdminRoutes(app: FastifyInstance, context: ApiContext): void {
  const actors: WeakMap<FastifyRequest, Actor> = new WeakMap();
  for (const { method, url, scope, action, schema, handle } of adminRoutes(context)) {
    app.route({
      method,
      url,
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        ...schema,
        tags: ["operators"],
        security: [{ token: [scope] }],
        response: {
          ...(schema.response as object),
          400: schemas.Refused,
          401: schemas.Refused,
          403: schemas.Refused,
          429: schemas.Refused,
        },
      },
      onRequest: async (request) => {
        actors.set(request, await context.authorize(request, scope, action));
      },
      handler: (request, reply) => {
        const actor = actors.get(request)!;
        return context.perform(request, { actor, action }, () => handle(request, actor, reply));
      },
    });
  }
  app.get(
    "/metrics",
    {
      onRequest: async (request) => {
        if (context.options.openMetrics !== true) await context.authorize(request, "fleet:read", "metrics");
      },
      schema: {
        tags: ["operators"],
        summary: "For Prometheus",
        security: context.options.openMetrics === true ? [] : [{ token: ["fleet:read"] }],
        response: { 200: schemas.Plain, 401: schemas.Refused, 403: schemas.Refused },
      },
    },
    async (_request, reply) => reply.type("text/plain; version=0.0.4; charset=utf-8").send(await context.api.metrics()),
  );
}

function adminRoutes(context: ApiContext): AdminRoute[] {
  const { api } = context;
  const node = Type.Object({ id: schemas.NodeId });
  return [
    {
      method: "GET",
      url: "/v1/nodes",
      scope: "fleet:read",
      action: "nodes.list",
      schema: {
        summary: "Nodes, by id",
        querystring: Type.Object(
          {
            region: Type.Optional(Type.String({ description: "Only of this region" })),
            state: Type.Optional(Type.Enum([...schemas.NODE_STATES], { description: "Only in this state" })),
            after: Type.Optional(Type.String({ description: "`next` of the page before" })),
            limit: Type.Optional(Type.String({ description: "1 to 5000; default 500", pattern: "^[0-9]{1,4}$" })),
          },
          { additionalProperties: false },
        ),
        response: { 200: schemas.Nodes },
      },
      handle: (request) => {
        const { region, state, after = "", limit = "500" } = request.query as Partial<Record<string, string>>;
        const wanted = api.nodes({
          ...(region !== undefined && { region }),
          ...(state !== undefined && { state: state as NodeState }),
        });
        const rest = wanted.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
        const nodes = rest.slice(0, Math.min(5000, Math.max(1, Number(limit))));
        return nodes.length < rest.length ? { nodes, next: nodes.at(-1)!.id } : { nodes };
      },
    },
    ...Object.entries(COMMANDS).map(([command, summary]): AdminRoute => ({
      method: "POST",
      url: `/v1/nodes/:id/${command}`,
      scope: "fleet:write",
      action: `nodes.${command}`,
      schema: { summary, params: node, response: { 200: schemas.Node, 404: schemas.Refused } },
      handle: async (request, actor) => {
        const { id } = request.params as { id: string };
        const changed = await api.commandNode(id, command as NodeCommand, actor);
        if (changed === undefined) throw notFound(`Node "${id}"`);
        return changed;
      },
    })),
    {
      method: "POST",
      url: "/v1/explain",
      scope: "fleet:read",
      action: "explain",
      schema: {
        summary: "Where these players would be sent, and why not elsewhere",
        description: "Each candidate with its score and the reason of its rejection. Takes no seat.",
        body: schemas.ExplainBody,
        response: { 200: schemas.Explained },
      },
      handle: (request) => {
        const body = request.body as Omit<AllocateRequest, "key">;
        for (const { ip } of body.clients)
          if (ip !== undefined && isIP(ip) === 0)
            throw new ApiError(400, "badRequest", `The ip "${ip}" is no IPv4 or IPv6 address.`);
        return api.explain(body, context.addressOf(request));
      },
    },
    {
      method: "GET",
      url: "/v1/stats",
      scope: "fleet:read",
      action: "stats",
      schema: { summary: "The balancer in numbers", response: { 200: schemas.Stats } },
      handle: () => api.stats(),
    },
    {
      method: "GET",
      url: "/v1/scaling",
      scope: "fleet:read",
      action: "scaling",
      schema: { summary: "How regions are scaled, and why", response: { 200: schemas.Scaling } },
      handle: () => api.scaling(),
    },
    ...configRoutes(context),
    ...geoIpRoutes(context),
  ];
}

function configRoutes({ api }: ApiContext): AdminRoute[] {
  return [
    {
      method: "GET",
      url: "/v1/config",
      scope: "fleet:read",
      action: "config.read",
      schema: { summary: "What is configured", response: { 200: schemas.ConfigVersionReply } },
      handle: () => api.config(),
    },
    {
      method: "PATCH",
      url: "/v1/config",
      scope: "config:write",
      action: "config.change",
      schema: {
        summary: "Change the configuration, at once and everywhere",
        description:
          "The body holds what changes, and nothing else, in the shape of `config` of `GET /v1/config`. With `dryRun=true` " +
          "nothing changes: the answer says what would have become of recorded traffic.",
        querystring: Type.Object(
          {
            dryRun: Type.Optional(Type.Enum(["true", "false"])),
            comment: Type.Optional(Type.String({ description: "Why", maxLength: 256 })),
          },
          { additionalProperties: false },
        ),
        body: Type.Object({}, { additionalProperties: true }),
        response: { 200: schemas.Anything, 422: schemas.Refused },
      },
      handle: async (request, actor) => {
        const { dryRun, comment } = request.query as { readonly dryRun?: string; readonly comment?: string };
        const options = { dryRun: dryRun === "true", ...(comment !== undefined && { comment }) };
        const result = await api.changeConfig(request.body, options, actor);
        if (isRefused(result)) throw new ApiError(422, result.code ?? "badConfig", result.error);
        return result;
      },
    },
    {
      method: "GET",
      url: "/v1/config/versions",
      scope: "fleet:read",
      action: "config.versions",
      schema: { summary: "Who changed what when", response: { 200: schemas.ConfigVersions } },
      handle: async () => ({ versions: await api.configVersions() }),
    },
    {
      method: "POST",
      url: "/v1/config/rollback",
      scope: "config:write",
      action: "config.rollback",
      schema: {
        summary: "Return to an earlier configuration",
        body: Type.Object({ version: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }),
        response: { 200: schemas.ConfigVersionReply, 404: schemas.Refused },
      },
      handle: async (request, actor) => {
        const { version } = request.body as { version: number };
        const config = await api.rollBackConfig(version, actor);
        if (config === undefined) throw notFound(`Version ${version} of the configuration`);
        return config;
      },
    },
  ];
}

function geoIpRoutes({ api }: ApiContext): AdminRoute[] {
  return [
    {
      method: "GET",
      url: "/v1/geoip",
      scope: "fleet:read",
      action: "geoip.read",
      schema: {
        summary: "The databases of places by address",
        response: { 200: schemas.Anything, 404: schemas.Refused },
      },
      handle: () => found(api.geoIp()),
    },
    {
      method: "POST",
      url: "/v1/geoip/update",
      scope: "config:write",
      action: "geoip.update",
      schema: {
        summary: "Look for new databases now, at this balancer",
        description:
          "They are checked before they take the place of the old ones; one that fails a check is refused with 422, and all " +
          "stays as it is. `force` takes one of another type or an older one, too.",
        body: Type.Object({ force: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
        response: { 200: schemas.GeoIpUpdated, 404: schemas.Refused, 422: schemas.Refused },
      },
      handle: async (request, actor) => {
        const { force = false } = request.body as { readonly force?: boolean };
        const result = found(await api.updateGeoIp(force, actor));
        if ("error" in result) throw new ApiError(422, result.error.code, result.error.message);
        return result;
      },
    },
  ];
}

function found<T>(geoIp: T | undefined): T {
  if (geoIp === undefined) throw new ApiError(404, "noGeoIp", "This balancer was started without databases of places.");
  return geoIp;
}

/** As an `AllocateRefusal` is. */
function isRefused(result: unknown): result is { readonly code?: string; readonly error: string } {
  const { status, error } = (result ?? {}) as { readonly status?: unknown; readonly error?: unknown };
  return status === "refused" && typeof error === "string";
}
