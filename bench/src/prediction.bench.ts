/**
 * What prediction costs: the replay after a correction on a client, beside Colyseus' own, and a player's inputs on a
 * server. All in CPU time of one thread. A figure is the median of rounds in which everything takes its turn.
 */
import { ColyseusReplay } from "./prediction/colyseus-replay.ts";
import { emptyGame, input } from "./prediction/empty-game.ts";
import { record, ReplayClient } from "./prediction/riposte-replay.ts";
import type { Recording, Replayed } from "./prediction/riposte-replay.ts";
import type { AnyGame } from "@riposte/simulation";
import type { Bench } from "./bench.ts";

const ROUNDS = 15;
/** Inputs under way, for both; what each correction replays. */
const AHEAD_TICKS = 98;
/** Frames until a client has found its place ahead of the server. */
const START_FRAMES = 512;

export const bench: Bench = async (note, { full }) => {
  const rounds = full ? 3 * ROUNDS : ROUNDS;
  note("recording");
  const right = record(emptyGame(false), input);
  const wrong = record(emptyGame(true), input);
  const colyseusRight = new ColyseusReplay(false, AHEAD_TICKS);
  const colyseusWrong = new ColyseusReplay(true, AHEAD_TICKS);
  const replay: number[] = [];
  const colyseus: number[] = [];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    const ours = replayNs(playThrough(right), playThrough(wrong));
    const theirs = replayNs(colyseusRight.run(500), colyseusWrong.run(500));
    if (round === 0) continue;
    replay.push(ours);
    colyseus.push(theirs);
    note(`round ${round}: ${ours.toFixed(1)} ns a replayed tick, Colyseus ${theirs.toFixed(1)}`);
  }
  const figures = {
    replay_ns_per_tick: median(replay),
    colyseus_replay_ns_per_tick: median(colyseus),
    times_faster_than_colyseus: median(colyseus) / median(replay),
  };
  return await Promise.resolve({
    figures,
    targets: { replay_ns_per_tick: 60 },
    floors: { times_faster_than_colyseus: 5 },
    spreads: { replay_ns_per_tick: spread(replay), colyseus_replay_ns_per_tick: spread(colyseus) },
  });
};

function playThrough(recording: Recording<AnyGame>): Replayed {
  const client = new ReplayClient(recording);
  client.run(START_FRAMES);
  return client.run(client.framesLeft);
}

/** What each replayed tick costs more than frames in which nothing is replayed. */
function replayNs(without: Replayed, corrected: Replayed): number {
  if (without.replayedTicks > 0 || corrected.replayedTicks < 10 * corrected.frames)
    throw new Error(`not what was to be measured: ${without.replayedTicks} and ${corrected.replayedTicks} replayed`);
  const more = corrected.cpuMicros / corrected.frames - without.cpuMicros / without.frames;
  return (1000 * more * corrected.frames) / corrected.replayedTicks;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Half the distance of the quartiles, by the median. */
function spread(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * 0.75)] - sorted[Math.floor(sorted.length * 0.25)]) / 2 / median(values);
}
