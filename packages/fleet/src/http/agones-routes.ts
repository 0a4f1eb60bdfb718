/** What Agones calls: the webhook of a FleetAutoscaler. It sends no header of ours, so that its secret is in the path. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { ApiError } from "./api-error.ts";
import type { ApiContext } from "./api-context.ts";
import { notFound } from "./api-context.ts";
import * as schemas from "./api-schemas.ts";
import { readReview } from "../scaling/agones/autoscale-review.ts";
import type { FleetAutoscaleReview } from "../scaling/agones/autoscale-review.ts";

export interface AgonesWebhook {
  /** At least 16 of [A-Za-z0-9_-], the last part of the webhook's path. */
  readonly secret: string;
  readonly review: (review: FleetAutoscaleReview) => FleetAutoscaleReview;
}

/** Also of a Fleet with many labels and lists. */
const MAX_BODY_BYTES = 256 << 10;

export function addAgonesRoutes(app: FastifyInstance, context: ApiContext): void {
  app.post(
    "/v1/agones/autoscale/:secret",
    {
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags: ["agones"],
        summary: "The webhook of a FleetAutoscaler",
        description:
          "`FleetAutoscaleReview` of autoscaling.agones.dev/v1. Any balancer answers what the leader wants; where nobody knows " +
          "that, `scale` is false. The secret is that of `--agones-webhook-secret`.",
        params: schemas.WebhookSecret,
        body: schemas.AutoscaleBody,
        response: { 200: schemas.AutoscaleReply, 400: schemas.Refused, 404: schemas.Refused, 429: schemas.Refused },
      },
      // Before the body is read.
      onRequest: (request, _reply, done) => {
        const { agones } = context.options;
        const { secret } = request.params as { readonly secret: string };
        if (agones === undefined || !isSame(secret, agones.secret)) {
          done(notFound("This webhook"));
          return;
        }
        context.guard.trust(request.raw);
        done();
      },
    },
    (request, reply) => {
      const review = readReview(request.body);
      if (review === undefined)
        throw new ApiError(400, "badRequest", "Send a FleetAutoscaleReview of autoscaling.agones.dev/v1.");
      return reply.send(context.options.agones!.review(review));
    },
  );
}

/** In constant time, whatever their lengths. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hashOf(a), hashOf(b));
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
