/** A verdict as bytes: two verdicts are the same when these are. */
import type { ByteReader, ByteWriter } from "@riposte/wire";
import { HIT_REASONS } from "../registration/hit-validation.ts";
import type { HitOutcome, HitReason, HitValidation, RegisteredHit } from "../registration/hit-validation.ts";
import { ReceiptError } from "./receipt-limits.ts";

/** What was met. */
export interface ReceiptHit extends Pick<
  RegisteredHit,
  | "table"
  | "id"
  | "isGone"
  | "hitbox"
  | "multiplier"
  | "distance"
  | "x"
  | "y"
  | "z"
  | "pellet"
  | "reason"
  | "protection"
> {}

/** A verdict without its rows. */
export interface ReceiptVerdict extends Omit<HitValidation, "hit" | "hits"> {
  readonly hits: readonly ReceiptHit[];
}

type Written<H> = Omit<HitValidation, "hit" | "hits"> & { readonly hits: readonly H[] };

/** `idOf`: what the entity of a hit is called. */
export function writeVerdict<H extends ReceiptHit>(
  verdict: Written<H>,
  idOf: (hit: H) => number,
  out: ByteWriter,
): void {
  out.string(verdict.weapon);
  out.u8(OUTCOMES.indexOf(verdict.outcome));
  let bits = 0;
  for (const reason of verdict.reasons) bits |= 1 << HIT_REASONS.indexOf(reason);
  out.u16(bits);
  out.u8(CLAIMS.indexOf(verdict.claim));
  out.i32(verdict.tick);
  out.u8(Number(verdict.isViewCut));
  out.u32(verdict.seed);
  for (const name of NUMBERS) out.f64(verdict[name]);
  out.u16(verdict.hits.length);
  for (const hit of verdict.hits) {
    out.string(hit.table);
    out.u32(idOf(hit));
    out.u8(Number(hit.isGone));
    out.string(hit.hitbox);
    out.u8(hit.pellet);
    out.u8(hit.reason === undefined ? 0 : 1 + HIT_REASONS.indexOf(hit.reason));
    out.u8(Number(hit.protection !== undefined));
    out.string(hit.protection ?? "");
    for (const name of HIT_NUMBERS) out.f64(hit[name]);
  }
}

/** Throws `ReceiptError`. */
export function readVerdict(from: ByteReader): ReceiptVerdict {
  const weapon = from.string(MAX_TEXT_BYTES);
  const outcome = OUTCOMES[from.u8()];
  const bits = from.u16();
  const claim = CLAIMS[from.u8()];
  const tick = from.i32();
  const isViewCut = from.u8() === 1;
  const seed = from.u32();
  const numbers = readNumbers(NUMBERS, from);
  const hits: ReceiptHit[] = [];
  const count = from.u16();
  for (let i = 0; i < count && !from.failed; i++) hits.push(readHit(from));
  if (from.failed || outcome === undefined || claim === undefined) throw new ReceiptError("malformed verdict");
  const reasons = HIT_REASONS.filter((_, i) => ((bits >>> i) & 1) === 1);
  return { weapon, outcome, reasons, claim, tick, isViewCut, seed, ...numbers, hits };
}

function readHit(from: ByteReader): ReceiptHit {
  const table = from.string(MAX_TEXT_BYTES);
  const id = from.u32();
  const isGone = from.u8() === 1;
  const hitbox = from.string(MAX_TEXT_BYTES);
  const pellet = from.u8();
  const reason: HitReason | undefined = HIT_REASONS[from.u8() - 1];
  const isProtected = from.u8() === 1;
  const text = from.string(MAX_TEXT_BYTES);
  const protection = isProtected ? text : undefined;
  return { table, id, isGone, hitbox, pellet, reason, protection, ...readNumbers(HIT_NUMBERS, from) };
}

function readNumbers<N extends string>(names: readonly N[], from: ByteReader): Record<N, number> {
  return Object.fromEntries(names.map((name) => [name, from.f64()])) as Record<N, number>;
}

const OUTCOMES: readonly HitOutcome[] = ["hit", "miss", "rejected"];
const CLAIMS = ["none", "agrees", "differs"] as const;
const NUMBERS = ["viewTick", "rewindMs", "x", "y", "z", "dx", "dy", "dz", "distance"] as const;
const HIT_NUMBERS = ["multiplier", "distance", "x", "y", "z"] as const;
const MAX_TEXT_BYTES = 255;
