/** Measures how far regions are: round trips to their beacons, by plain requests that a browser can make. */

export interface Beacon {
  readonly region: string;
  readonly url: string;
}

const MAX_BEACONS = 64;
const AT_ONCE = 6;
/** The first opens the connection. */
const SAMPLES = 3;

/** The shortest round trip to each region that answers within `budgetMs`, in ms. Never rejects. */
export async function measureLatencies(
  beacons: readonly Beacon[],
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<Record<string, number>> {
  const latencies: Record<string, number> = {};
  const budget = AbortSignal.timeout(budgetMs);
  const stop = signal === undefined ? budget : AbortSignal.any([signal, budget]);
  const queue = beacons.slice(0, MAX_BEACONS).values();
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const { region, url } of queue) {
      const ms = await roundTrip(url, stop);
      if (ms < (latencies[region] ?? Infinity)) latencies[region] = ms;
    }
  });
  await Promise.all(workers);
  return latencies;
}

async function roundTrip(url: string, signal: AbortSignal): Promise<number> {
  let shortest = Infinity;
  try {
    for (let sample = 0; sample < SAMPLES; sample++) {
      const began = performance.now();
      const response = await fetch(url, { signal, cache: "no-store" });
      const ms = performance.now() - began;
      await response.arrayBuffer();
      if (sample > 0 && response.ok) shortest = Math.min(shortest, ms);
    }
  } catch {
    // What was measured before counts.
  }
  return shortest;
}
