/** What game servers call: register, and report a few times a second. */
import { parseAddress } from "@riposte/protocol/netcode";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import type { ApiContext } from "./api-context.ts";
import { toApiError } from "./api-context.ts";
import * as schemas from "./api-schemas.ts";
import type { Actor } from "./balancer-api.ts";
import { bearerOf } from "./credentials.ts";
import type { NodeRegistration } from "../registry/server-node.ts";

const MAX_REPORT_BYTES = 128 << 10;
const tags = ["nodes"];

export function addNodeRoutes(app: FastifyInstance, context: ApiContext): void {
  const { api } = context;
  const registrars: WeakMap<FastifyRequest, { readonly actor: Actor; readonly nodeId?: string }> = new WeakMap();

  app.post(
    "/v1/nodes",
    {
      onRequest: async (request) => {
        registrars.set(request, await authorizeRegistrar(context, request));
      },
      schema: {
        tags,
        summary: "Register a node",
        description:
          "The token is signed with a node key, which its header names (`kid`); its subject is the node's id, its audience " +
          '`riposte-node`. An operator with "fleet:write" may register any node, so that it is known, and can be put into maintenance, before ' +
          "it runs: players go there once it has registered itself and reports. Register with each balancer.",
        security: [{ nodeKey: [] }, { token: ["fleet:write"] }],
        body: schemas.RegistrationBody,
        response: {
          200: schemas.Registered,
          400: schemas.Refused,
          401: schemas.Refused,
          403: schemas.Refused,
          409: schemas.Refused,
          429: schemas.Refused,
          503: schemas.Refused,
        },
      },
    },
    (request) => {
      const registration = request.body as NodeRegistration;
      const { actor, nodeId } = registrars.get(request)!;
      return context.perform(request, { actor, action: "nodes.register", target: registration.id }, async () => {
        if (nodeId !== undefined && nodeId !== registration.id)
          throw new ApiError(403, "forbidden", `Your token is for node "${nodeId}": register with that id.`);
        checkAddresses(registration);
        const reply = await api.registerNode(registration, actor);
        if (nodeId !== undefined) return reply;
        // Who may register nodes may not report for them, nor make tokens for them.
        const { session: _session, tokenKey: _tokenKey, ...known } = reply;
        return known;
      });
    },
  );

  app.post(
    "/v1/nodes/:id/report",
    {
      bodyLimit: MAX_REPORT_BYTES,
      schema: {
        tags,
        summary: "A node's report, and the seats that were taken",
        description: `At most ${MAX_REPORT_BYTES >> 10} KiB. 401 with the code "register": this balancer does not know the session, register again.`,
        security: [{ session: [] }],
        response: { 200: schemas.Anything, 400: schemas.Refused, 401: schemas.Refused },
      },
    },
    (request, reply) => {
      const session = bearerOf(request.headers.authorization);
      const { id } = request.params as { id: string };
      const result = session === undefined ? undefined : api.exchange(id, session, request.body);
      if (result === undefined)
        throw new ApiError(401, "register", "This session is not known here: register, then report with the new one.");
      context.guard.trust(request.raw);
      return reply.send(result);
    },
  );
}

/** A token with another one cannot be made: whoever was sent there would get nothing. */
export function checkAddresses({ addresses }: Pick<NodeRegistration, "addresses">): void {
  for (const address of addresses.udp)
    if (!((parseAddress(address)?.port ?? 0) > 0))
      throw new ApiError(
        400,
        "badRequest",
        `The udp address "${address}" is no numeric address with a port: resolve names first, as in "192.0.2.1:7777".`,
      );
}

async function authorizeRegistrar(
  context: ApiContext,
  request: FastifyRequest,
): Promise<{ readonly actor: Actor; readonly nodeId?: string }> {
  const address = context.addressOf(request);
  const token = bearerOf(request.headers.authorization);
  try {
    if (token === undefined)
      throw new ApiError(401, "unauthorized", "Send a token signed with a node key: Authorization: Bearer <token>.");
    const { nodeId, kid } = await context.options.nodeCredentials.verify(token);
    context.guard.trust(request.raw);
    return { actor: { subject: kid, address }, nodeId };
  } catch (error) {
    const operator = await context.identify(request).catch(() => undefined);
    if (operator?.scopes.has("fleet:write") === true) {
      context.guard.trust(request.raw);
      return { actor: { subject: operator.subject, address } };
    }
    const refusal = toApiError(error);
    context.refuse(request, operator?.subject ?? "", "nodes.register", refusal);
    throw refusal;
  }
}
