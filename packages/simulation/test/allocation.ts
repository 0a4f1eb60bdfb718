/** What V8 allocates while something runs, sampled: for tests that it is nothing. */
import { Session } from "node:inspector/promises";
import type { HeapProfiler } from "node:inspector";

/** Bytes between two samples, on average. */
const SAMPLING_INTERVAL_BYTES = 64;

/**
 * Bytes that `body` allocates for each turn once V8 has compiled it: the least of up to ten runs of so many turns, as
 * unoptimised code puts numbers into boxes.
 */
export async function bytesPerTurn(turns: number, body: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  let least = Infinity;
  try {
    for (let run = 0; run < RUNS && least > 0; run++) {
      repeatMeasured(turns, body);
      await session.post("HeapProfiler.startSampling", {
        samplingInterval: SAMPLING_INTERVAL_BYTES,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
      repeatMeasured(turns, body);
      const { profile } = await session.post("HeapProfiler.stopSampling");
      least = Math.min(least, sizeUnder(profile.head, false) / turns);
    }
  } finally {
    session.disconnect();
  }
  return least;
}

const RUNS = 10;

function repeatMeasured(turns: number, body: () => void): void {
  for (let i = 0; i < turns; i++) body();
}

/** Of what was allocated by `repeatMeasured` and whatever it called. */
function sizeUnder(node: HeapProfiler.SamplingHeapProfileNode, inside: boolean): number {
  const here = inside || node.callFrame.functionName === repeatMeasured.name;
  return node.children.reduce((sum, child) => sum + sizeUnder(child, here), here ? node.selfSize : 0);
}
