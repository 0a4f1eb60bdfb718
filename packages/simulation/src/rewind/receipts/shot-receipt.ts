/** A receipt that was read: what is in it, for whoever looks at it or judges it again. */
import { ByteReader } from "@riposte/wire";
import type { ClaimedTarget, Shot } from "../registration/shot.ts";
import { RecordedHistory } from "./history-record.ts";
import { MAGIC, MAX_RECEIPT_BYTES, MAX_SECTIONS, MAX_SHAPES, MAX_TOUCHED, ReceiptError } from "./receipt-limits.ts";
import { CLAIM_FLAGS } from "./receipt-writer.ts";
import { readShot } from "./shot-record.ts";
import { readVerdict } from "./verdict-record.ts";
import type { ReceiptVerdict } from "./verdict-record.ts";

/** A static shape that a ray met: minX, minY, maxX, maxY, bottom, top. */
export interface ReceiptShape {
  readonly isBox: boolean;
  readonly bounds: Float64Array;
}

export interface ShotReceipt {
  readonly shot: Readonly<Shot>;
  readonly hasBudget: boolean;
  readonly explainsClaim: boolean;
  readonly claim: number;
  readonly claimed: Readonly<ClaimedTarget>;
  readonly seed: number;
  /** The words of victims' rules, each of an entity of one of the tables that were shot at. */
  readonly protections: readonly { readonly target: number; readonly id: number; readonly word: string }[];
  readonly viewTick: number;
  readonly isViewCut: boolean;
  readonly floor: number;
  readonly shapes: readonly ReceiptShape[];
  /** Of the states that were shot at, so many, then of those that stop shots. */
  readonly targets: number;
  readonly histories: readonly RecordedHistory[];
  /** As it was given, and its bytes. */
  readonly verdict: ReceiptVerdict;
  readonly verdictBytes: Uint8Array;
}

/** Throws `ReceiptError` for bytes that are no receipt. */
export function readReceipt(bytes: Uint8Array): ShotReceipt {
  if (bytes.length > MAX_RECEIPT_BYTES) throw new ReceiptError(`a receipt of ${bytes.length} bytes`);
  try {
    return read(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof ReceiptError) throw error;
    // Shapes, histories and the like that cannot be.
    throw new ReceiptError("malformed receipt", { cause: error });
  }
}

function read(from: ByteReader): ShotReceipt {
  if (from.u32() !== MAGIC) throw new ReceiptError("this is no receipt of this version");
  const shot = readShot(from);
  const budgets = from.u8();
  const claim = from.i32();
  const claimBits = from.u8();
  const claimed = Object.fromEntries(CLAIM_FLAGS.map((name, i) => [name, ((claimBits >>> i) & 1) === 1]));
  const seed = from.u32();
  const protections: { target: number; id: number; word: string }[] = [];
  const words = from.u8();
  for (let i = 0; i < words && !from.failed; i++)
    protections.push({ target: from.u8(), id: from.u32(), word: from.string(MAX_WORD_BYTES) });
  const viewTick = from.f64();
  const isViewCut = from.u8() === 1;
  const floor = from.f64();
  const shapeCount = from.u8();
  if (words > MAX_TOUCHED || shapeCount > MAX_SHAPES) throw new ReceiptError("malformed receipt");
  const shapes = Array.from({ length: shapeCount }, () => ({
    isBox: from.u8() === 1,
    bounds: Float64Array.from({ length: 6 }, () => from.f64()),
  }));
  const sections = from.u8();
  const targets = from.u8();
  const { claimTarget } = shot;
  const isClaimed = Number.isInteger(claimTarget) && claimTarget >= 0 && claimTarget < targets;
  if (from.failed || !isClaimed || sections < targets || sections > MAX_SECTIONS)
    throw new ReceiptError("malformed receipt");
  const histories = Array.from({ length: sections }, () => new RecordedHistory(from, viewTick));
  const length = from.u16();
  const start = from.offset;
  const verdict = readVerdict(from);
  if (from.failed || from.offset - start !== length || from.remaining > 0) throw new ReceiptError("malformed receipt");
  return {
    shot,
    hasBudget: (budgets & 1) === 1,
    explainsClaim: (budgets & 2) === 2,
    claim,
    claimed: claimed as unknown as ClaimedTarget,
    seed,
    protections,
    viewTick,
    isViewCut,
    floor,
    shapes,
    targets,
    histories,
    verdict,
    verdictBytes: from.buffer.slice(start, start + length),
  };
}

const MAX_WORD_BYTES = 255;
