import type { AckSample } from "../../src/congestion/congestion-control.ts";

/** What a path with a round trip of 100 ms says, but for what the test sets. */
export function ackSample(set: Partial<AckSample> = {}): AckSample {
  return {
    now: 0,
    latestRttMs: 100,
    smoothedRttMs: 100,
    minRttMs: 100,
    ackedBytes: 0,
    lostBytes: 0,
    priorBytesInFlight: 0,
    bytesInFlight: 0,
    deliveredBytes: 0,
    deliveryRateBytesPerSec: 0,
    rttSampled: true,
    priorDeliveredBytes: 0,
    sentBytesInFlight: 0,
    lostSinceSentBytes: 0,
    appLimited: false,
    ...set,
  };
}
