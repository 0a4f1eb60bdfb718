/** What players call: allocate, wait, measure. Browsers call it from other origins. */
import { isIP } from "node:net";
import { MAX_ROOM_BYTES } from "@riposte/protocol/netcode";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { ApiError } from "./api-error.ts";
import type { ApiContext } from "./api-context.ts";
import { sendNothing } from "./api-context.ts";
import * as schemas from "./api-schemas.ts";
import type { AllocateReply, AllocateRequest } from "./balancer-api.ts";
import type { Proof } from "./proof-of-work.ts";

const REFUSAL_STATUS = {
  noMatch: 404,
  noNodes: 503,
  queueFull: 503,
  badTicket: 404,
  expired: 410,
  askAgain: 503,
  keyUsed: 409,
  tooManySeats: 429,
  starting: 503,
} as const;
const REFUSALS = {
  400: schemas.Refused,
  404: schemas.Refused,
  409: schemas.Refused,
  410: schemas.Refused,
  429: schemas.Refused,
  503: schemas.Refused,
};
/** One player with the round trips to 512 regions. */
const MAX_PLAYER_BYTES = 64 << 10;
/** 64 players with data of the game, and the round trips to 300 regions each. */
const MAX_PARTY_BYTES = 1 << 20;
const tags = ["players"];

export function addPlayerRoutes(app: FastifyInstance, context: ApiContext): void {
  const { api } = context;
  const origin = context.options.allowOrigin ?? "*";
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.header("access-control-allow-origin", origin).header("cache-control", "no-store");
    done();
  });
  for (const url of ["/v1/allocate", "/v1/queue/:key", "/v1/challenge", "/v1/beacons"]) {
    app.options(url, { schema: { hide: true } }, (_request, reply) => {
      void reply.header("access-control-allow-methods", "GET, POST, DELETE");
      void reply.header("access-control-allow-headers", "authorization, content-type");
      return sendNothing(reply.header("access-control-max-age", "86400"));
    });
  }

  app.post(
    "/v1/allocate",
    {
      bodyLimit: MAX_PARTY_BYTES,
      onRequest: (request) => checkSize(context, request),
      schema: {
        tags,
        summary: "Where to play, and the token to get in",
        description:
          "Send it again with the same `key` when no answer comes, to the same balancer or another one: the answer is the " +
          "same. When the fleet is full the answer is 202 and a ticket: send the same request with it after `askAgainInMs`, " +
          "and not much later, for who does not ask has left. " +
          `At most ${MAX_PLAYER_BYTES >> 10} KiB, and ${MAX_PARTY_BYTES >> 10} KiB with a token that has the scope "allocate".`,
        security: [{}, { token: ["allocate"] }],
        body: schemas.AllocateBody,
        response: {
          200: schemas.Allocated,
          202: schemas.Waiting,
          ...REFUSALS,
          401: schemas.Refused,
          403: schemas.Refused,
          428: schemas.Challenged,
        },
      },
    },
    async (request, reply) => {
      const { proof, ...body } = request.body as AllocateRequest & { readonly proof?: Proof };
      checkRequest(body);
      const isTrusted = await authorizePlayers(context, request, body);
      const address = context.addressOf(request);
      if (!isTrusted) {
        // Each seat counts, or one machine could take all of them by parties of 64; who waits already asks for no more.
        const more = body.ticket === undefined ? body.clients.length - 1 : 0;
        if (!context.guard.charge(request.raw, more))
          throw new ApiError(
            429,
            "tooManyRequests",
            "Too many players ask from your network: wait a second and ask again.",
          );
        demandProof(context, address, body.key, proof);
      }
      return answer(reply, await api.allocate(body, address));
    },
  );

  app.delete(
    "/v1/queue/:key",
    {
      schema: {
        tags,
        summary: "Leave the queue",
        description: "With the `key` that was sent. Who does not ask any more leaves it, too.",
        params: Type.Object({ key: schemas.Key }),
        response: { 204: schemas.Nothing, 429: schemas.Refused },
      },
    },
    (request, reply) => {
      api.leaveQueue((request.params as { key: string }).key);
      return sendNothing(reply);
    },
  );

  app.post(
    "/v1/challenge",
    {
      schema: {
        tags,
        summary: "A proof of work to solve",
        description:
          "Needed only while `POST /v1/allocate` answers 428, which carries a challenge too. Find a `solution` (try 0, 1, 2 " +
          'and so on) for which SHA-256 of `challenge + "." + solution` begins with `bits` zero bits, and send both as `proof`. ' +
          "A solution counts once, at the balancer that gave the challenge.",
        response: { 200: schemas.ChallengeReply, 429: schemas.Refused },
      },
    },
    (request, reply) =>
      reply.send(context.work.challenge(context.addressOf(request), context.options.limits().proofBits, context.now())),
  );

  app.get(
    "/v1/beacons",
    {
      schema: {
        tags,
        summary: "Where to measure the round trip to each region",
        description:
          "Results go into `latencies` of `POST /v1/allocate`. With `client`, the balancer has read by then where that client " +
          "played last, if another one knows it.",
        querystring: schemas.BeaconsQuery,
        response: { 200: schemas.Beacons, 429: schemas.Refused },
      },
    },
    (request, reply) => {
      const { client } = request.query as { readonly client?: string };
      if (client !== undefined) api.expectClient(client);
      return reply.send({ beacons: context.options.beacons?.() ?? [] });
    },
  );
  app.get(
    "/v1/ping",
    {
      schema: { tags, summary: "Nothing, fast: for measuring a round trip", response: { 204: schemas.Nothing } },
    },
    (_request, reply) => sendNothing(reply.header("timing-allow-origin", origin)),
  );
}

function answer(reply: FastifyReply, result: AllocateReply): FastifyReply {
  if (result.status === "allocated") return reply.send(result);
  if (result.status === "waiting")
    return reply
      .code(202)
      .header("retry-after", Math.ceil(result.askAgainInMs / 1000))
      .send(result);
  const status = REFUSAL_STATUS[result.code];
  if (status === 503) void reply.header("retry-after", "2");
  return reply.code(status).send({ code: result.code, error: result.error });
}

/** What the schema does not say, and what would not fit into a token: before a seat is taken for it. */
export function checkRequest({ clients, room = "" }: Pick<AllocateRequest, "clients" | "room">): void {
  if (Buffer.byteLength(room) > MAX_ROOM_BYTES || room.includes("\0"))
    throw new ApiError(
      400,
      "badRequest",
      `The room's name has more than ${MAX_ROOM_BYTES} bytes of UTF-8, or a zero character.`,
    );
  for (const { clientId, ip } of clients) {
    if (clientId.length === 20 && BigInt(clientId) >= 1n << 64n)
      throw new ApiError(400, "badRequest", `The clientId ${clientId} is not below 2^64.`);
    if (ip !== undefined && isIP(ip) === 0)
      throw new ApiError(400, "badRequest", `The ip "${ip}" is no IPv4 or IPv6 address.`);
  }
  if (new Set(clients.map(({ clientId }) => clientId)).size < clients.length)
    throw new ApiError(400, "badRequest", "A clientId is there twice: name each player once.");
}

/** Before the body is read. */
async function checkSize(context: ApiContext, request: FastifyRequest): Promise<void> {
  // Without a length, it counts as large: whoever sends so much can say how much.
  const length = Number(request.headers["content-length"] ?? Infinity);
  if (length <= MAX_PLAYER_BYTES) return;
  const identity = request.headers.authorization === undefined ? undefined : await context.identify(request);
  if (identity?.scopes.has("allocate") !== true)
    throw new ApiError(
      413,
      "tooLarge",
      `At most ${MAX_PLAYER_BYTES >> 10} KiB with their length in "content-length": who asks for parties needs the scope "allocate".`,
    );
}

/** Whether who asks may ask for anybody, and is not held to what players are held to. */
async function authorizePlayers(
  context: ApiContext,
  request: FastifyRequest,
  { clients }: AllocateRequest,
): Promise<boolean> {
  const { playerTokens = false } = context.options;
  if (!playerTokens && request.headers.authorization === undefined) return false;
  const { subject, scopes } = await context.identify(request);
  if (scopes.has("allocate")) {
    context.guard.trust(request.raw);
    return true;
  }
  if (clients.length > 1 || clients[0].clientId !== subject || clients[0].ip !== undefined)
    throw new ApiError(
      403,
      "forbidden",
      `Your token is for client ${subject} only, without "ip": who asks for others needs the scope "allocate".`,
    );
  return false;
}

function demandProof(context: ApiContext, address: string, key: string, proof: Proof | undefined): void {
  const { challengeAbovePerSec, proofBits } = context.options.limits();
  const now = context.now();
  if (context.work.countAllocation(now) <= challengeAbovePerSec) return;
  if (proof !== undefined && context.work.accept(proof, address, key, now)) return;
  throw new ApiError(
    428,
    "challenge",
    "Too many players ask at once: solve this challenge, see POST /v1/challenge, and ask again.",
    { ...context.work.challenge(address, proofBits, now) },
  );
}
