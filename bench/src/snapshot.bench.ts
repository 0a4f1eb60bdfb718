/**
 * Snapshots of 901 cubes that a player rolls through, 60 a second, each against the one six frames before: the layout
 * of Glenn Fiedler's data compression challenge. His packer's bits beside Riposte's, through `SnapshotStream` and
 * `SnapshotReceiver`, which know nothing but the schema; and what a frame costs to encode, to decode, and to
 * serve to 1,000 viewers. Every decoded frame is compared with the settled one.
 */
import { SharedSnapshots, SnapshotReceiver, SnapshotStream, StateTable } from "@riposte/simulation";
import type { SnapshotStreamOptions } from "@riposte/simulation";
import { BitReader, BitWriter } from "@riposte/wire";
import type { Bench } from "./bench.ts";
import { median } from "./statistics.ts";
import { Cube, CUBES, FRAMES, hashOf, makeFrames } from "./snapshot/cubes.ts";
import { FiedlerPacker } from "./snapshot/fiedler-packer.ts";
import { loadRapier } from "./snapshot/rapier.ts";

const TICK_RATE = 60;
/** Frames between a snapshot and its baseline. */
const BASELINE_FRAMES = 6;
/** The first frame that counts: all packers have what they build upon. */
const FIRST = 2 * BASELINE_FRAMES;
const VIEWERS = 1000;
/** Frames served to all viewers; the first ones warm up. */
const VIEWER_FRAMES = 40;
const VIEWER_WARM_UP = 12;
/** The middle of the set, where much moves. */
const VIEWER_START = 1200;
/** FNV-1a of the data set. Another hash is another set, whose figures cannot be compared. */
const HASH = "5a8909fa";

type Frames = readonly Int32Array[];

export const bench: Bench = async (note) => {
  note(`simulating ${FRAMES} frames of ${CUBES} cubes`);
  const frames = makeFrames(await loadRapier());
  if (hashOf(frames) !== HASH) throw new Error(`the data set has hash ${hashOf(frames)}, not ${HASH}`);
  note("Fiedler's packer");
  const article = fiedler(frames, false);
  const predicting = fiedler(frames, true);
  note("dense");
  const dense = play(frames, undefined);
  note("shared");
  const table = createTable();
  const shared = play(frames, new SharedSnapshots({ tables: { cubes: table }, tickRate: TICK_RATE }), table);
  note(`${VIEWERS} viewers`);
  const figures = {
    fiedler_kbps: article,
    fiedler_predicting_kbps: predicting,
    riposte_kbps: dense.kbps,
    ratio: dense.kbps / article,
    encode_us_per_frame: dense.encodeUs,
    decode_us_per_frame: dense.decodeUs,
    shared_kbps: shared.kbps,
    shared_encode_us_per_frame: shared.encodeUs,
    shared_encode_us_1000_viewers: serveViewers(frames, "onlookers"),
    shared_encode_us_1000_players: serveViewers(frames, "players"),
    dense_encode_us_1000_viewers: serveViewers(frames, "dense"),
  };
  return { figures, targets: { ratio: 0.65, encode_us_per_frame: 1500 } };
};

/** Kilobits per second, whole bytes counted. */
function fiedler(frames: Frames, predicting: boolean): number {
  const packer = new FiedlerPacker();
  const buffer = new Uint8Array(16_384);
  let bytes = 0;
  for (let n = FIRST; n < frames.length; n++) {
    const older = predicting ? frames[n - 2 * BASELINE_FRAMES] : undefined;
    bytes += Math.ceil(packer.write(frames[n], frames[n - BASELINE_FRAMES], buffer, older) / 8);
  }
  return kilobits(bytes, frames.length - FIRST);
}

interface Played {
  readonly kbps: number;
  /** Medians. */
  readonly encodeUs: number;
  readonly decodeUs: number;
}

/** One client over a link of six frames, to and fro; `n + 1` is the tick of frame `n`. */
function play(frames: Frames, shared: SharedSnapshots | undefined, table: CubeTable = createTable()): Played {
  const stream = new SnapshotStream(streamOptions(table, shared));
  const receiver = new SnapshotReceiver({ definitions: { cubes: Cube }, tickRate: TICK_RATE });
  const received = receiver.table("cubes");
  const writer = new BitWriter();
  const reader = new BitReader();
  const buffer = new Uint8Array(65_536);
  const encode: number[] = [];
  const decode: number[] = [];
  let bytes = 0;
  for (const [n, frame] of frames.entries()) {
    load(table, frame);
    stream.acknowledge(n + 1 - BASELINE_FRAMES);
    let at = performance.now();
    if (!stream.write(n + 1, 0, 0, writer.reset(buffer))) throw new Error(`frame ${n} does not fit`);
    const end = writer.finish();
    encode.push(performance.now() - at);
    at = performance.now();
    const tick = receiver.read(reader.reset(buffer, 0, end));
    decode.push(performance.now() - at);
    const view = received.viewOf(n + 1);
    if (tick !== n + 1 || view?.count !== CUBES) throw new Error(`frame ${n} was dropped`);
    for (let word = 0; word < frame.length; word++) {
      if (view.words[word] !== frame[word]) throw new Error(`frame ${n} was not decoded as it was`);
    }
    if (n >= FIRST) bytes += end;
  }
  return {
    kbps: kilobits(bytes, frames.length - FIRST),
    encodeUs: median(encode.slice(FIRST)) * 1000,
    decodeUs: median(decode.slice(FIRST)) * 1000,
  };
}

/**
 * Median CPU microseconds to write one frame for all viewers, who have acknowledged the same one: with the shared encoder
 * as onlookers, or as players who own a cube each (so that no two of them know the same), or with the dense encoder.
 * What is not `onlookers` is measured with fewer of them and multiplied: each costs the same.
 */
function serveViewers(frames: Frames, kind: "onlookers" | "players" | "dense"): number {
  const table = createTable();
  const count = kind === "onlookers" ? VIEWERS : VIEWERS / 20;
  const shared = kind === "dense" ? undefined : new SharedSnapshots({ tables: { cubes: table }, tickRate: TICK_RATE });
  if (kind === "players") for (let i = 0; i < count; i++) table.setOwner(table.rowAt(i), i);
  const streams = Array.from({ length: count }, (_, seat) => {
    return new SnapshotStream({ ...streamOptions(table, shared), clientId: seat });
  });
  const writer = new BitWriter();
  const buffer = new Uint8Array(65_536);
  const times: number[] = [];
  for (let n = 0; n < VIEWER_WARM_UP + VIEWER_FRAMES; n++) {
    load(table, frames[VIEWER_START + n]);
    for (const stream of streams) stream.acknowledge(n + 1 - BASELINE_FRAMES);
    // CPU time: what else the machine does is not measured.
    const before = process.cpuUsage().user;
    for (const stream of streams) {
      if (!stream.write(n + 1, 0, 0, writer.reset(buffer))) throw new Error(`frame ${n} does not fit`);
      writer.finish();
    }
    times.push(process.cpuUsage().user - before);
  }
  return median(times.slice(VIEWER_WARM_UP)) * (VIEWERS / count);
}

type CubeTable = StateTable<(typeof Cube)["fields"]>;

function createTable(): CubeTable {
  const table = new StateTable(Cube);
  for (let i = 0; i < CUBES; i++) table.spawn();
  return table;
}

function load(table: CubeTable, frame: Int32Array): void {
  for (let i = 0; i < CUBES; i++) table.writeWords(i, frame, i * table.wordCount);
}

function streamOptions(table: CubeTable, shared: SharedSnapshots | undefined): SnapshotStreamOptions {
  const options = { tables: { cubes: table }, clientId: 0, tickRate: TICK_RATE, budgetBytes: 32_768 };
  return shared === undefined ? options : { ...options, shared };
}

function kilobits(bytes: number, frames: number): number {
  return ((bytes * 8) / frames) * (TICK_RATE / 1000);
}
