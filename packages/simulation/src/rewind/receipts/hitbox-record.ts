/** A set of hitboxes in a receipt: as it was declared, with only those frames of a palette that were looked at. */
import type { ByteReader, ByteWriter } from "@riposte/wire";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import type { HitboxOptions, HitboxPose, HitboxSet } from "../hitboxes/hitbox-set.ts";
import { ReceiptError } from "./receipt-limits.ts";

type Triple = readonly [x: number, y: number, z: number];
type Quadruple = readonly [x: number, y: number, z: number, w: number];

/** `frames`: of a palette, those that are kept. */
export function writeHitboxes(set: HitboxSet, frames: readonly number[], out: ByteWriter): void {
  const all = Object.entries(set.declared);
  out.u8(all.length);
  for (const [name, box] of all) writeHitbox(name, box, out);
  out.u8(POSES.indexOf(set.pose));
  const { radius, low, high } = set.extent;
  for (const number of [radius, low, high]) out.f64(number);
  if (set.pose !== "palette") return;
  out.u16(frames.length);
  for (const frame of frames)
    for (const { offset, turn = NO_TURN } of set.poses.palette?.[frame] ?? []) {
      writeTriple(offset, 0, out);
      for (const number of turn) out.f64(number);
    }
}

/** Throws `ReceiptError`, or `RangeError` for shapes that cannot be. */
export function readHitboxes(from: ByteReader): HitboxSet {
  const count = from.u8();
  const all: Record<string, HitboxOptions> = {};
  for (let i = 0; i < count && !from.failed; i++) {
    const name = from.string(MAX_NAME_BYTES);
    all[name] = readHitbox(from);
  }
  const pose = POSES[from.u8()];
  const [radius, low, high] = readTriple(from);
  if (from.failed || pose === undefined || Object.keys(all).length !== count)
    throw new ReceiptError("malformed hitboxes");
  const extent = { radius, low, high };
  if (pose !== "palette") return defineHitboxes(all, { pose, extent });
  const frames = from.u16();
  if (frames > MAX_FRAMES) throw new ReceiptError("too many frames");
  const palette: HitboxPose[][] = [];
  for (let f = 0; f < frames && !from.failed; f++)
    palette.push(Array.from({ length: count }, () => ({ offset: readTriple(from), turn: readQuadruple(from) })));
  return defineHitboxes(all, { pose, extent, palette });
}

function writeHitbox(name: string, box: HitboxOptions, out: ByteWriter): void {
  out.string(name);
  out.string(box.layer ?? "body");
  out.f64(box.multiplier ?? 1);
  out.u8(SHAPES.indexOf(box.shape));
  if (box.shape === "hull") {
    out.u8(box.points.length);
    for (const point of box.points) writeTriple(point, 0, out);
  } else if (box.shape === "box") {
    writeTriple(box.half, 1, out);
    writeTriple(box.at ?? NOWHERE, 0, out);
    for (const number of box.turn ?? NO_TURN) out.f64(number);
  } else {
    out.f64(box.radius);
    writeTriple(box.shape === "sphere" ? (box.at ?? NOWHERE) : box.from, 0, out);
    if (box.shape === "capsule") writeTriple(box.to, 0, out);
  }
}

function readHitbox(from: ByteReader): HitboxOptions {
  const layer = from.string(MAX_NAME_BYTES);
  const multiplier = from.f64();
  const shape = SHAPES[from.u8()];
  const common = { layer, multiplier };
  if (shape === "hull") {
    const points = Math.min(from.u8(), MAX_POINTS);
    return { shape, points: Array.from({ length: points }, () => readTriple(from)), ...common };
  }
  if (shape === "box")
    return { shape, half: readTriple(from), at: readTriple(from), turn: readQuadruple(from), ...common };
  const radius = from.f64();
  const first = readTriple(from);
  return shape === "capsule"
    ? { shape, radius, from: first, to: readTriple(from), ...common }
    : { shape: "sphere", radius, at: first, ...common };
}

function writeTriple([x, y, z]: readonly [x: number, y: number, z?: number], height: number, out: ByteWriter): void {
  out.f64(x);
  out.f64(y);
  out.f64(z ?? height);
}

function readTriple(from: ByteReader): Triple {
  return [from.f64(), from.f64(), from.f64()];
}

function readQuadruple(from: ByteReader): Quadruple {
  return [from.f64(), from.f64(), from.f64(), from.f64()];
}

const SHAPES = ["sphere", "capsule", "box", "hull"] as const;
const POSES = ["fixed", "palette", "posed"] as const;
const NOWHERE: Triple = [0, 0, 0];
const NO_TURN: Quadruple = [0, 0, 0, 1];
const MAX_NAME_BYTES = 255;
const MAX_POINTS = 64;
const MAX_FRAMES = 1024;
