/**
 * Run by prediction.bench.ts, with a young generation so large that nothing is collected meanwhile: prints the bytes of
 * heap that each replayed tick takes, boxed numbers among them; the least of some samples, of long replays less short ones.
 */
import { emptyGame, emptyInputs } from "./games.ts";
import { record, ReplayClient } from "./riposte-replay.ts";
import type { Recording } from "./riposte-replay.ts";
import type { AnyGame } from "@riposte/simulation";

const [longTicks, shortTicks] = process.argv.slice(2).map(Number);
const long = record(emptyGame, emptyInputs, longTicks);
const short = record(emptyGame, emptyInputs, shortTicks);
const FRAMES = 1000;
const WARM_UPS = 6;
const SAMPLES = 12;

const bytes: number[] = [];
for (let i = -WARM_UPS; i < SAMPLES; i++) {
  const more = grown(long);
  const less = grown(short);
  if (i >= 0) bytes.push((more.bytes - less.bytes) / (more.replayedTicks - less.replayedTicks));
}
bytes.sort((a, b) => a - b);
console.log(JSON.stringify({ bytesPerTick: bytes[bytes.length >> 1], bytes }));

function grown(recording: Recording<AnyGame>): { bytes: number; replayedTicks: number } {
  const client = new ReplayClient(recording);
  client.run(FRAMES);
  const before = process.memoryUsage().heapUsed;
  const { replayedTicks } = client.run(FRAMES);
  return { bytes: process.memoryUsage().heapUsed - before, replayedTicks };
}
