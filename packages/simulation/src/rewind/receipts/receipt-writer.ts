/**
 * A receipt in bytes, little-endian:
 *
 *     "RSR1"
 *     the shot        its weapon, and the numbers that it was judged by (`shot-record.ts`)
 *     the answers     of the game: budgets, the claimed id and what is known of it, the seed, the victims' rules' words
 *     the view        its tick (f64), whether it was cut
 *     static shapes   the floor (f64), how many were met, and of each: box or circle, six numbers (f64)
 *     histories       how many, and each (`history-record.ts`): that of the targets first, then of those that stop shots
 *     the verdict     its length (u16), and itself (`verdict-record.ts`)
 */
import type { ByteWriter } from "@riposte/wire";
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { ClaimedTarget } from "../registration/shot.ts";
import type { Fields } from "../../state/index.ts";
import { writeHistory } from "./history-record.ts";
import type { ReceiptParts } from "./receipt-desk.ts";
import { MAGIC } from "./receipt-limits.ts";
import { writeShot } from "./shot-record.ts";
import type { ShotTape, TouchedEntities } from "./shot-tape.ts";
import { writeVerdict } from "./verdict-record.ts";

/** What the game says of an entity, a bit each. */
export const GONE = 1;
export const OWN = 2;
export const FRIEND = 4;
export const ACCEPTED = 8;

/** `out.failed` afterwards: there was no room for it. */
export function writeReceipt<F extends Fields>(
  tape: ShotTape,
  statics: StaticGeometry,
  parts: ReceiptParts<F>,
  out: ByteWriter,
): void {
  const { shot, verdict, party, claim, explains } = parts;
  out.u32(MAGIC);
  writeShot(shot, out);
  const claimed: ClaimedTarget = { isShooter: false, isGone: false, isOwn: false, isFriend: false };
  if (shot.isClaimed) party.claimedTarget(claimed);
  out.u8(Number(!verdict.reasons.includes("budget")) | (Number(explains) << 1));
  out.i32(claim);
  out.u8(CLAIM_FLAGS.reduce((bits, name, i) => bits | (Number(claimed[name]) << i), 0));
  out.u32(verdict.seed);
  writeProtections(verdict, out);
  out.f64(verdict.viewTick);
  out.u8(Number(verdict.isViewCut));
  out.f64(statics.floor);
  out.u8(tape.shapeCount);
  for (let i = 0; i < tape.shapeCount; i++) {
    const shape = tape.shapes[i];
    out.u8(Number(shape < statics.boxes.length));
    for (const number of statics.boundsOfShape(shape)) out.f64(number);
  }
  out.u8(tape.sections.length);
  tape.sections.forEach((section, i) => writeHistory(section, i === 0 ? flagsOf(section, parts) : noFlags, out));
  const lengthAt = out.offset;
  out.u16(0);
  writeVerdict(verdict, ({ id }) => id, out);
  const end = out.offset;
  if (out.failed) return;
  out.rewind(lengthAt);
  out.u16(end - lengthAt - 2);
  out.rewind(end);
}

export const CLAIM_FLAGS = ["isShooter", "isGone", "isOwn", "isFriend"] as const;

function flagsOf<F extends Fields>(section: TouchedEntities, parts: ReceiptParts<F>): (i: number) => number {
  const { party, rowOf } = parts;
  return (i) => {
    const row = rowOf(section.places[i], section.ids[i]);
    if (row === undefined) return GONE;
    return (party.isOwn(row) ? OWN : 0) | (party.isFriend(row) ? FRIEND : 0) | (party.accepts(row) ? ACCEPTED : 0);
  };
}

function noFlags(): number {
  return 0;
}

/** Whom a victim's rule protected, and in what word. */
function writeProtections<F extends Fields>({ hits }: ReceiptParts<F>["verdict"], out: ByteWriter): void {
  const words = new Map<number, string>();
  for (const { id, protection } of hits) if (protection !== undefined) words.set(id, protection);
  out.u8(words.size);
  for (const [id, word] of words) {
    out.u32(id);
    out.string(word);
  }
}
