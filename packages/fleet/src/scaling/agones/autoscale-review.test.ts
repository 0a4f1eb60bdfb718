import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { answerReview, readReview } from "./autoscale-review.ts";
import type { FleetAutoscaleReview } from "./autoscale-review.ts";

/** As `FleetAutoscaleReview` of autoscaling.agones.dev/v1 is written as JSON, with the members that newer versions add. */
const PUBLISHED = {
  request: {
    uid: "7c2a6f0e-8c36-11ef-9d2b-42010a8a0002",
    name: "simple-game-server",
    namespace: "default",
    status: {
      replicas: 10,
      readyReplicas: 2,
      reservedReplicas: 1,
      allocatedReplicas: 7,
      counters: { rooms: { allocatedCount: 3, allocatedCapacity: 10, count: 3, capacity: 10 } },
    },
    annotations: { team: "blue" },
  },
  response: null,
};

const need = { pending: 0, draining: 0, warm: 0 };

describe("the autoscaler's webhook", () => {
  it("reads what Agones sends, and answers in the published shape", () => {
    const review = readReview(PUBLISHED)!;
    const answer = answerReview(review, { ...need, pending: 4 });
    assert.deepEqual(answer, {
      request: PUBLISHED.request,
      response: { uid: PUBLISHED.request.uid, scale: true, replicas: 12 },
    });
    // Once more, with what it is then.
    const done = { request: { ...review.request, status: { ...review.request.status, replicas: 12 } }, response: null };
    assert.deepEqual(answerReview(done, { ...need, pending: 4 }).response?.scale, false);
  });

  it("leaves everything as it is where nobody knows what is wanted", () => {
    const { response } = answerReview(readReview(PUBLISHED)!, undefined);
    assert.deepEqual(response, { uid: PUBLISHED.request.uid, scale: false, replicas: 10 });
  });

  it("does not have one made anew that is deleted after it drained", () => {
    const { response } = answerReview(readReview(PUBLISHED)!, { ...need, draining: 2 });
    assert.deepEqual(response, { uid: PUBLISHED.request.uid, scale: true, replicas: 6 });
    assert.equal(answerReview(readReview(PUBLISHED)!, { ...need, draining: 2, warm: 3 }).response?.replicas, 11);
  });

  it("refuses what is no review, and never throws", () => {
    const { request } = PUBLISHED;
    const bad: unknown[] = [null, 1, "x", [], {}, { request: null }, { request: {} }];
    for (const change of [{ uid: 1 }, { name: "x".repeat(300) }, { status: { ...request.status, replicas: -1 } }])
      bad.push({ request: { ...request, ...change } });
    for (const value of bad) assert.equal(readReview(value), undefined, JSON.stringify(value));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => void readReview(value)),
      { seed: 6 },
    );
  });

  it("asks for at least those in service and those that are waited for", () => {
    const counts = fc.nat(1000);
    fc.assert(
      fc.property(counts, counts, counts, counts, (allocated, ready, pending, draining) => {
        const status = {
          replicas: allocated + ready,
          readyReplicas: ready,
          reservedReplicas: 0,
          allocatedReplicas: allocated,
        };
        const review: FleetAutoscaleReview = { request: { ...PUBLISHED.request, status }, response: null };
        const { replicas, scale } = answerReview(review, { pending, draining, warm: 0 }).response!;
        assert.ok(replicas >= 0 && (pending === 0 || replicas === allocated + pending));
        assert.equal(scale, replicas !== status.replicas);
      }),
      { seed: 7 },
    );
  });
});
