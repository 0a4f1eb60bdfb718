/** What V8 allocates while something runs, sampled: for tests that it is nothing. */
import { Session } from "node:inspector/promises";
import type { HeapProfiler } from "node:inspector";

/** Bytes between two samples, on average. */
const SAMPLING_INTERVAL_BYTES = 64;

/** Runs `body` so often after as many turns to warm up, and returns the bytes that it allocated for each turn. */
export async function bytesPerTurn(turns: number, body: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    repeatMeasured(turns, body);
    await session.post("HeapProfiler.startSampling", {
      samplingInterval: SAMPLING_INTERVAL_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    repeatMeasured(turns, body);
    const { profile } = await session.post("HeapProfiler.stopSampling");
    return sizeUnder(profile.head, false) / turns;
  } finally {
    session.disconnect();
  }
}

function repeatMeasured(turns: number, body: () => void): void {
  for (let i = 0; i < turns; i++) body();
}

/** Of what was allocated by `repeatMeasured` and whatever it called. */
function sizeUnder(node: HeapProfiler.SamplingHeapProfileNode, inside: boolean): number {
  const here = inside || node.callFrame.functionName === repeatMeasured.name;
  return node.children.reduce((sum, child) => sum + sizeUnder(child, here), here ? node.selfSize : 0);
}
