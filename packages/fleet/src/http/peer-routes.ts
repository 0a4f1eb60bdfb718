/** What balancers call among themselves: text with a MAC, of which only the balancer knows what is in it. */
import type { FastifyInstance } from "fastify";
import { ApiError } from "./api-error.ts";
import type { ApiContext } from "./api-context.ts";
import type { PeerPath } from "./balancer-api.ts";
import { PEER_MAC_HEADER } from "../peers/peer-mac.ts";

const MAX_BODY_BYTES = 4 << 20;
const PATHS: readonly PeerPath[] = ["gossip", "claim", "allocate"];
/** SHA-256, base64url. */
const MAC = /^[\w-]{43}$/;

export function addPeerRoutes(app: FastifyInstance, context: ApiContext): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  for (const path of PATHS) {
    app.post(
      `/v1/peer/${path}`,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: { hide: true },
        // Before the body is read.
        onRequest: (request, _reply, done) => {
          const mac = request.headers[PEER_MAC_HEADER];
          done(typeof mac === "string" && MAC.test(mac) ? undefined : noPeer());
        },
      },
      async (request, reply) => {
        const body = (request.body ?? "") as string;
        const result = await context.api.peer(path, body, request.headers[PEER_MAC_HEADER]);
        if (result === undefined) throw noPeer();
        context.guard.trust(request.raw);
        return reply.send(result);
      },
    );
  }
}

function noPeer(): ApiError {
  return new ApiError(401, "peer", "This is no message of a balancer of this fleet: give all the same fleet secret.");
}
