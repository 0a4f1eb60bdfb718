/**
 * A receipt in bytes, little-endian:
 *
 *     "RSR2"
 *     the shot        its weapon, and the numbers that it was judged by (`shot-record.ts`)
 *     the answers     of the game: budgets, the claimed id and what is known of it, the seed, the victims' rules' words
 *     the view        its tick (f64), whether it was cut
 *     static shapes   the floor (f64), how many were met, and of each: box or circle, six numbers (f64)
 *     histories       how many, how many are of states that were shot at, and each (`history-record.ts`): these first
 *     the verdict     its length (u16), and itself (`verdict-record.ts`)
 */
import type { ByteWriter } from "@riposte/wire";
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { ClaimedTarget } from "../registration/shot.ts";
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
export function writeReceipt(tape: ShotTape, statics: StaticGeometry, parts: ReceiptParts, out: ByteWriter): void {
  const { shot, verdict, party, claim, explains, targets } = parts;
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
  out.u8(targets);
  tape.sections.forEach((section, i) => writeHistory(section, i < targets ? flagsOf(section, i, parts) : noFlags, out));
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

function flagsOf(section: TouchedEntities, target: number, { party, rowOf }: ReceiptParts): (i: number) => number {
  return (i) => {
    const row = rowOf(target, section.places[i], section.ids[i]);
    if (row === undefined) return GONE;
    const ofFriend = party.isFriend(row, target) ? FRIEND : 0;
    return (party.isOwn(row, target) ? OWN : 0) | ofFriend | (party.accepts(row, target) ? ACCEPTED : 0);
  };
}

function noFlags(): number {
  return 0;
}

/** Whom a victim's rule protected, and in what word. */
function writeProtections({ hits }: ReceiptParts["verdict"], out: ByteWriter): void {
  const all = hits.filter(
    ({ target, id, protection }, i) =>
      protection !== undefined && hits.findIndex((other) => other.id === id && other.target === target) === i,
  );
  out.u8(all.length);
  for (const { target, id, protection = "" } of all) {
    out.u8(target);
    out.u32(id);
    out.string(protection);
  }
}
