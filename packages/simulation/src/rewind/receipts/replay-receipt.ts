/** Judges a shot again from its receipt, by the same code: offline, long after the match. */
import { ByteWriter } from "@riposte/wire";
import { rayFlatShape, rayTallShape } from "../../game/statics/shape-rays.ts";
import { bool, defineState, StateTable } from "../../state/index.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { HitRecord } from "../registration/hit-validation.ts";
import { ShotJudge } from "../registration/shot-judge.ts";
import type { ClaimedTarget, ShotParty } from "../registration/shot.ts";
import { RewindContext } from "../rewind-context.ts";
import type { Walls } from "../sight-source.ts";
import { RewindQuery } from "../rewind-query.ts";
import { idAt } from "./history-record.ts";
import type { RecordedHistory } from "./history-record.ts";
import { MAX_RECEIPT_BYTES, ReceiptError } from "./receipt-limits.ts";
import { ACCEPTED, FRIEND, GONE, OWN } from "./receipt-writer.ts";
import { readReceipt } from "./shot-receipt.ts";
import type { ShotReceipt } from "./shot-receipt.ts";
import { readVerdict, writeVerdict } from "./verdict-record.ts";
import type { ReceiptVerdict } from "./verdict-record.ts";
import { ByteReader } from "@riposte/wire";

export interface ReceiptReplay {
  /** As it was given, and as it is given now. */
  readonly recorded: ReceiptVerdict;
  readonly replayed: ReceiptVerdict;
  /** Whether the two are the same to the last bit. */
  readonly agrees: boolean;
  readonly receipt: ShotReceipt;
}

/** Throws `ReceiptError` for bytes that are no receipt. */
export function replayReceipt(bytes: Uint8Array): ReceiptReplay {
  const receipt = readReceipt(bytes);
  try {
    return replay(receipt);
  } catch (error) {
    if (error instanceof ReceiptError) throw error;
    throw new ReceiptError("a receipt of what cannot be", { cause: error });
  }
}

function replay(receipt: ShotReceipt): ReceiptReplay {
  const { shot, targets, histories, verdict: recorded, verdictBytes } = receipt;
  const party = new RecordedParty(receipt);
  const walls = new RecordedWalls(receipt);
  const blockers: RewindContext<Fields>[] = [];
  const contexts = histories.map((history, i) => {
    const table = new StateTable<Fields>(Recorded, { capacity: Math.max(1, history.entities.length) });
    history.entities.forEach(({ flags }, e) => {
      if (i >= targets || (flags & GONE) === 0) table.insert(idAt(e), -1);
    });
    return new RewindContext(
      table,
      new RewindQuery(history.history),
      sightOf(history, receipt),
      { statics: walls, blockers },
      () => 0,
    );
  });
  blockers.push(...contexts.filter((_, i) => histories[i].blocks));
  const shotAt = histories.slice(0, targets);
  const layered = shotAt.map(({ table, history }) => ({ name: table, layers: history.hitboxes.layerNames }));
  const judge = new ShotJudge([shot.weapon], party, layered, shot.inPlane);
  const sights = shotAt.map((_, i) => contexts[i].seenBy(SHOOTER));
  const verdict = judge.judge(shot, sights);
  const out = new ByteWriter(new Uint8Array(MAX_RECEIPT_BYTES));
  writeVerdict(verdict, (hit) => party.idOf(hit), out);
  const again = out.written();
  const agrees = again.length === verdictBytes.length && again.every((byte, i) => byte === verdictBytes[i]);
  return { recorded, replayed: readVerdict(new ByteReader(again)), agrees, receipt };
}

function sightOf(history: RecordedHistory, { isViewCut }: ShotReceipt) {
  return {
    isViewCut,
    viewOf: () => history,
    addLive: () => history.addLive(),
  };
}

/** The shapes that were met, and no others. */
class RecordedWalls implements Walls {
  metShape = -1;
  readonly #receipt: ShotReceipt;

  constructor(receipt: ShotReceipt) {
    this.#receipt = receipt;
  }

  raycastAlong(x: number, y: number, dx: number, dy: number, range: number): number {
    let nearest = Infinity;
    for (const { isBox, bounds } of this.#receipt.shapes)
      nearest = Math.min(nearest, rayFlatShape(bounds, 0, isBox, x, y, dx, dy));
    return nearest <= range ? nearest : Infinity;
  }

  raycastInSpace(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number): number {
    const { floor, shapes } = this.#receipt;
    const ground = z <= floor ? 0 : dz < 0 ? (floor - z) / dz : Infinity;
    const reach = ground < range ? ground : range;
    let nearest = Infinity;
    for (const { isBox, bounds } of shapes)
      nearest = Math.min(nearest, rayTallShape(bounds, 0, isBox, x, y, z, dx, dy, dz));
    return nearest <= reach ? nearest : ground <= range ? ground : Infinity;
  }
}

class RecordedParty implements ShotParty {
  readonly #receipt: ShotReceipt;

  constructor(receipt: ShotReceipt) {
    this.#receipt = receipt;
  }

  takeBudget(): boolean {
    return this.#receipt.hasBudget;
  }

  takeClaimBudget(): boolean {
    return this.#receipt.explainsClaim;
  }

  drawSeed(): number {
    return this.#receipt.seed;
  }

  accepts(entity: Row<Fields>, target: number): boolean {
    return this.#is(entity, target, ACCEPTED);
  }

  isOwn(entity: RowIdentity, target: number): boolean {
    return this.#is(entity, target, OWN);
  }

  isFriend(entity: Row<Fields>, target: number): boolean {
    return this.#is(entity, target, FRIEND);
  }

  protection(hit: HitRecord): string | undefined {
    const id = this.idOf(hit);
    return this.#receipt.protections.find((words) => words.target === hit.target && words.id === id)?.word;
  }

  claimedTarget(out: ClaimedTarget): void {
    Object.assign(out, this.#receipt.claimed);
  }

  isClaimedEntity({ index }: Row<Fields>): boolean {
    const { histories, shot, claim } = this.#receipt;
    return histories[shot.claimTarget].entities[index].id === claim;
  }

  isClaimedHit(hit: HitRecord): boolean {
    const { shot, claim } = this.#receipt;
    return hit.target === shot.claimTarget && this.idOf(hit) === claim;
  }

  idOf({ id, target }: Pick<HitRecord, "id" | "target">): number {
    return this.#receipt.histories[target].entities[id & 0xffff].id;
  }

  #is({ index }: RowIdentity, target: number, flag: number): boolean {
    return (this.#receipt.histories[target].entities[index].flags & flag) !== 0;
  }
}

/** What is replayed has nothing but its place. */
const Recorded = defineState({ known: bool() });
/** None of the recorded rows: nobody is left out. */
const SHOOTER: RowIdentity = { index: 0, id: -1, owner: -1 };
