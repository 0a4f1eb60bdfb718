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
/** Not counted: until the rings of all players have been written to once. */
const WARM_UP_TICKS = 300;

/** Inputs that were received, kept and taken for each second of CPU time. */
export function inputsPerCpuSec(game: AnyGame, { players, messages }: ArenaRecording): number {
  const seats = players * COPIES;
  const match = new Match(game, { maxSeats: seats });
  for (let i = 0; i < seats; i++) match.join(BigInt(i + 1));
  let startedAt = 0;
  let missed = 0;
  for (let tick = 0; tick < messages.length; tick++) {
    if (tick === WARM_UP_TICKS) {
      missed = -missedInputs(match);
      startedAt = cpuMicros();
    }
    const received = messages[tick];
    for (let i = 0; i < received.length; i++) {
      const { seat, bytes } = received[i];
      for (let copy = 0; copy < COPIES; copy++) match.receive(seat + copy * players, bytes, 0, bytes.length);
    }
    match.tick();
  }
  const spent = cpuMicros() - startedAt;
  missed += missedInputs(match);
  const inputs = seats * (messages.length - WARM_UP_TICKS);
  if (missed > inputs / 10) throw new Error(`not what was to be measured: ${missed} of ${inputs} inputs missed`);
  return ((inputs - missed) / spent) * 1e6;
}

function missedInputs(match: Match): number {
  let sum = 0;
  for (const { stats } of match.seats()) sum += stats.missedInputs + stats.malformed;
  return sum;
}
