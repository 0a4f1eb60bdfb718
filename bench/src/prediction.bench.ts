/**
 * What prediction costs: the replay after a correction on a client, beside Colyseus' own, and its players' inputs on a
 * server. All by CPU time. A figure is the median of rounds in which everything takes its turn.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bitsAt } from "@riposte/simulation/prediction";
import { recordArena } from "./prediction/arena-match.ts";
import { ColyseusReplay } from "./prediction/colyseus-replay.ts";
import { emptyGame, emptyInputs, idleGame, walkingGame, walkingInputs } from "./prediction/games.ts";
import { pairGame, pairInputs } from "./prediction/island-game.ts";
import { record, ReplayClient } from "./prediction/riposte-replay.ts";
import type { Recording, Replayed } from "./prediction/riposte-replay.ts";
import { inputsPerCpuSec } from "./prediction/server-inputs.ts";
import type { AnyGame } from "@riposte/simulation";
import type { Bench } from "./bench.ts";
import { median, spread } from "./statistics.ts";

const ROUNDS = 15;
/** Ticks to the server and back, and so in a replay: what a tick of it costs is the difference of both by that of their lengths. */
const LONG_TICKS = 96;
const SHORT_TICKS = 24;
const COLYSEUS_FRAMES = 1500;
/** Of 64 rows in islands of two, whose replays are long enough each. */
const ISLAND_TICKS = 16;
const ISLAND_FRAMES = 100;
const ISLAND_START_FRAMES = 80;
const PLAYERS = 12;
const ARENA_TICKS = 2400;

export const bench: Bench = async (note, { full }) => {
  note("recording");
  const long = record(emptyGame, emptyInputs, LONG_TICKS);
  const short = record(emptyGame, emptyInputs, SHORT_TICKS);
  const walk = record(walkingGame(true), walkingInputs, LONG_TICKS);
  const straight = record(walkingGame(false), walkingInputs, LONG_TICKS);
  const colyseusLong = new ColyseusReplay(LONG_TICKS);
  const colyseusShort = new ColyseusReplay(SHORT_TICKS);
  const arena = recordArena(PLAYERS, ARENA_TICKS);
  const walking = walkingGame(false);
  const pairs = [true, false].map((heavy) =>
    [false, true].map((islands) =>
      record(pairGame(heavy, islands), pairInputs, ISLAND_TICKS, ISLAND_START_FRAMES + ISLAND_FRAMES + 1),
    ),
  );

  const samples = {
    replay_ns_per_tick: [] as number[],
    colyseus_replay_ns_per_tick: [] as number[],
    replay_100_ticks_us: [] as number[],
    islands_times_faster: [] as number[],
    islands_times_faster_light_step: [] as number[],
    server_inputs_per_cpu_sec_empty: [] as number[],
    server_inputs_per_cpu_sec: [] as number[],
  };
  // The first round is for the compiler.
  for (let round = 0; round <= (full ? 3 * ROUNDS : ROUNDS); round++) {
    const taken = {
      replay_ns_per_tick: perTick(playThrough(short), playThrough(long)),
      colyseus_replay_ns_per_tick: perTick(colyseusShort.run(COLYSEUS_FRAMES), colyseusLong.run(COLYSEUS_FRAMES)),
      replay_100_ticks_us: (perTick(playThrough(straight), playThrough(walk)) * 100) / 1000,
      islands_times_faster: perFrame(pairs[0][0]) / perFrame(pairs[0][1]),
      islands_times_faster_light_step: perFrame(pairs[1][0]) / perFrame(pairs[1][1]),
      server_inputs_per_cpu_sec_empty: inputsPerCpuSec(idleGame, arena),
      server_inputs_per_cpu_sec: inputsPerCpuSec(walking, arena),
    };
    note(
      `round ${round}: ${JSON.stringify(taken, (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(3)) : value))}`,
    );
    if (round === 0) continue;
    for (const [key, values] of Object.entries(samples)) values.push(taken[key as keyof typeof taken]);
  }
  const medians = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)]));
  const figures = {
    ...medians,
    times_faster_than_colyseus: medians.colyseus_replay_ns_per_tick / medians.replay_ns_per_tick,
    bytes_allocated_per_tick: await bytesPerTick(),
    input_bits_p50: bitsAt(arena.sizes.records, 0.5),
    view_stamp_bits_p50: bitsAt(arena.sizes.stamps, 0.5),
  };
  return {
    figures,
    targets: { replay_ns_per_tick: 60, bytes_allocated_per_tick: 1, input_bits_p50: 12 },
    floors: {
      times_faster_than_colyseus: 5,
      islands_times_faster: 3,
      server_inputs_per_cpu_sec_empty: 3e6,
      server_inputs_per_cpu_sec: 700_000,
    },
    spreads: Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, spread(values)])),
  };
};

function playThrough(recording: Recording<AnyGame>): Replayed {
  const client = new ReplayClient(recording);
  return client.run(client.framesLeft);
}

/** Microseconds of a frame of which nearly all is replay. */
function perFrame(recording: Recording<AnyGame>): number {
  const { cpuMicros, frames } = new ReplayClient(recording, ISLAND_START_FRAMES).run(ISLAND_FRAMES);
  return cpuMicros / frames;
}

/** Nanoseconds that each replayed tick costs more, where more are replayed in a frame. */
function perTick(less: Replayed, more: Replayed): number {
  const ticks = more.replayedTicks / more.frames - less.replayedTicks / less.frames;
  if (!(ticks > 10)) throw new Error(`not what was to be measured: ${ticks} ticks more in each frame`);
  return (1000 * (more.cpuMicros / more.frames - less.cpuMicros / less.frames)) / ticks;
}

/** In a process of its own, whose young generation holds everything. */
async function bytesPerTick(): Promise<number> {
  const child = fileURLToPath(new URL("prediction/allocation.child.ts", import.meta.url));
  const young = ["--max-semi-space-size=128", "--min-semi-space-size=128"];
  const { stdout } = await promisify(execFile)(process.execPath, [...young, child, `${LONG_TICKS}`, `${SHORT_TICKS}`]);
  return (JSON.parse(stdout) as { readonly bytesPerTick: number }).bytesPerTick;
}
