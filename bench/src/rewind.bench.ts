/**
 * What rewinding costs: recording everybody in every tick, and rays against the past in which each entity stands where
 * one player's screen drew it, at a time of its own; beside Rapier, whose world must be posed for that, and beside looking
 * at everybody. All must say the same of the same rays. By CPU time but for the 99th percentile, which is by the clock.
 * A figure is the median of rounds in which everything takes its turn. `--full` also measures other broadphases, each in
 * a process of its own.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Bench } from "./bench.ts";
import { cpuMicros } from "./prediction/cpu-time.ts";
import type { BroadphaseFigures } from "./rewind/broadphase.child.ts";
import { BROADPHASES } from "./rewind/broadphases.ts";
import { Crowd } from "./rewind/crowd.ts";
import { PosedOnce, PosedPerShooter } from "./rewind/rapier-shooters.ts";
import { PREPARED_TICKS, Scene, SNAPSHOTS } from "./rewind/scene.ts";
import { loadRapier } from "./snapshot/rapier.ts";
import { median, spread } from "./statistics.ts";

const ROUNDS = 15;
const BROADPHASE_ROUNDS = 5;
const SIZE = 200;
/** Of `PREPARED_TICKS` each. */
const RECORDINGS = 6;
export const bench: Bench = async (note, { full }) => {
  note("walking");
  const few = { entities: 1000, size: SIZE };
  const recorded = new Scene(few);
  const thousand = new Crowd(new Scene(few));
  const wide = new Crowd(new Scene({ entities: 5000, size: SIZE * Math.sqrt(5) }));
  const dense = new Crowd(new Scene({ entities: 5000, size: SIZE }));
  const rapier = await loadRapier();
  const perShooter = new PosedPerShooter(rapier, thousand);
  const sharedTime = new PosedOnce(rapier, thousand);

  note("comparing");
  const agreements = [thousand, wide, dense, perShooter, sharedTime].map((all) => all.compare());

  const samples: Record<string, number[]> = {};
  // The first round is for the compiler.
  for (let round = 0; round <= (full ? 3 * ROUNDS : ROUNDS); round++) {
    const taken: Readonly<Record<string, number>> = {
      record_us_1000: recordMicros(recorded),
      raycasts_per_sec_1000: thousand.raysPerSec(),
      raycasts_per_sec_5000: wide.raysPerSec(),
      raycasts_per_sec_5000_dense: dense.raysPerSec(),
      raycast_p99_us_1000: thousand.p99Micros(),
      naive_raycasts_per_sec_1000: thousand.naiveRaysPerSec(),
      rapier_per_shooter_raycasts_per_sec: perShooter.raysPerSec(),
      rapier_shared_time_raycasts_per_sec: sharedTime.raysPerSec(),
    };
    note(
      `round ${round}: ${JSON.stringify(taken, (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(3)) : value))}`,
    );
    if (round === 0) continue;
    for (const [key, value] of Object.entries(taken)) (samples[key] ??= []).push(value);
  }
  const medians = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)]));
  const figures = {
    ...medians,
    times_faster_than_rapier_per_shooter: medians.raycasts_per_sec_1000 / medians.rapier_per_shooter_raycasts_per_sec,
    times_faster_than_rapier_shared_time: medians.raycasts_per_sec_1000 / medians.rapier_shared_time_raycasts_per_sec,
    bytes_per_entity_snapshot: entryBytes(recorded),
    bytes_per_entity_snapshot_palette: entryBytes(new Scene({ ...few, palette: true })),
    broadphase_bytes_per_entity_snapshot: otherBytes(recorded),
    hit_share: thousand.hitShare,
    hit_share_5000: wide.hitShare,
    hit_share_5000_dense: dense.hitShare,
    rays_compared: agreements.reduce((sum, { compared }) => sum + compared, 0),
    rays_grazing: agreements.reduce((sum, { grazed }) => sum + grazed, 0),
    ...(full ? await compareBroadphases(note) : {}),
  };
  return {
    figures,
    // Bytes: "at most" a whole number.
    targets: {
      record_us_1000: 100,
      bytes_per_entity_snapshot: 56.5,
      bytes_per_entity_snapshot_palette: 24.5,
      broadphase_bytes_per_entity_snapshot: 16.5,
    },
    floors: {
      raycasts_per_sec_1000: 700_000,
      raycasts_per_sec_5000: 400_000,
      times_faster_than_rapier_per_shooter: 500,
      times_faster_than_rapier_shared_time: 4,
    },
    spreads: Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, spread(values)])),
  };
};

/** Of a tick: everybody set and posed, boxes and grid included. */
function recordMicros(scene: Scene): number {
  let micros = 0;
  for (let n = 0; n < RECORDINGS; n++) {
    scene.prepare();
    const began = cpuMicros();
    scene.record();
    micros += cpuMicros() - began;
  }
  return micros / (RECORDINGS * PREPARED_TICKS);
}

/** Of a history's entries. */
function entryBytes({ history }: Scene): number {
  return history.stride * 4;
}

/** Everything else that it and its queries keep, by entries: boxes, counters of jumps, live entries, the grid. */
function otherBytes({ history, query, entities }: Scene): number {
  return (history.bytes + query.grid.bytes) / (entities * SNAPSHOTS) - history.stride * 4;
}

async function compareBroadphases(note: (line: string) => void): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL("rewind/broadphase.child.ts", import.meta.url));
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < BROADPHASE_ROUNDS; round++)
    for (const name of Object.keys(BROADPHASES)) {
      const { stdout } = await promisify(execFile)(process.execPath, [child, name]);
      note(`${name}: ${stdout}`);
      for (const [key, value] of Object.entries(JSON.parse(stdout) as BroadphaseFigures))
        (samples[`${name}_${key}`] ??= []).push(value);
    }
  return Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)]));
}
