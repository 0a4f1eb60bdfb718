/** Writes a lane as fast as it can: every message says its number and length, and its bytes follow from them. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { LaneWriter } from "../../src/thread/message-lane.ts";
import type { LaneMemory } from "../../src/thread/message-lane.ts";

const { memory, port, rounds } = workerData as { memory: LaneMemory; port: MessagePort; rounds: number };
const writer = new LaneWriter(memory, port);
const bytes = new Uint8Array(400_000);
let seed = 7;
let next = 0;
const counts = { reliable: 0, others: 0, dropped: 0 };

function random(limit: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % limit;
}

function fill(length: number): void {
  for (let i = 0; i < length; i++) bytes[i] = (next + i) & 255;
}

let round = 0;
function write(): void {
  while (round < rounds) {
    const length = random(40) === 0 ? random(400_000) : random(2000);
    fill(length);
    if (random(3) === 0) {
      if (!writer.writeReliable(1, next, 0, length, bytes, 0, length)) {
        writer.publish();
        return; // until there is room
      }
      counts.reliable++;
    } else {
      const small = Math.min(length, 200_000);
      if (random(2) === 0) writer.writeUnreliable(2, next, 0, small, 0, bytes, 0, small);
      else writer.writeDatagram(3, next, bytes, 0, 0); // without an argument: no length to say
      counts.others++;
    }
    next++;
    round++;
    if (random(20) === 0) writer.publish();
  }
  writer.publish();
  parentPort?.postMessage({ ...counts, dropped: writer.dropped });
  parentPort?.off("message", write);
}
parentPort?.on("message", write);
write();
