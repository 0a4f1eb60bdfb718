/**
 * A server's side of its players' inputs: a match that receives what the bots of the arena sent, tick by tick, and
 * simulates. Nothing is sent back.
 */
import { Match } from "@riposte/simulation/game";
import type { AnyGame } from "@riposte/simulation/game";
import type { ArenaRecording } from "./arena-match.ts";
import { cpuMicros } from "./cpu-time.ts";

/** Seats for each player of the recording. */
const COPIES = 4;

/** Inputs that were received, kept and taken for each second of CPU time. */
export function inputsPerCpuSec(game: AnyGame, { players, messages }: ArenaRecording): number {
  const seats = players * COPIES;
  const match = new Match(game, { maxSeats: seats });
  for (let i = 0; i < seats; i++) match.join(BigInt(i + 1));
  const startedAt = cpuMicros();
  for (let tick = 0; tick < messages.length; tick++) {
    const received = messages[tick];
    for (let i = 0; i < received.length; i++) {
      const { seat, bytes } = received[i];
      for (let copy = 0; copy < COPIES; copy++) match.receive(seat + copy * players, bytes, 0, bytes.length);
    }
    match.tick();
  }
  const spent = cpuMicros() - startedAt;
  let missed = 0;
  for (const { stats } of match.seats()) missed += stats.missedInputs + stats.malformed;
  const inputs = seats * messages.length;
  if (missed > inputs / 10) throw new Error(`not what was to be measured: ${missed} of ${inputs} inputs missed`);
  return ((inputs - missed) / spent) * 1e6;
}
