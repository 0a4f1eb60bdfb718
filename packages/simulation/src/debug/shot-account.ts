/**
 * A shot as the server judged it, for whoever debugs: its receipt, and where those who were looked at are now. Receipts go
 * over the debug channel in hexadecimal.
 */
import { replayReceipt } from "../rewind/receipts/replay-receipt.ts";
import { viewShot } from "../rewind/receipts/shot-view.ts";
import type { ShotView } from "../rewind/receipts/shot-view.ts";
import { isObject } from "./player-history.ts";

/** Where an entity is now. */
export interface PresentPlace {
  /** Its state, as the game calls it. */
  readonly table: string;
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

/** As it is asked for and answered. */
export interface ShotAnswer {
  readonly receipt: string;
  readonly now: readonly PresentPlace[];
}

export interface ShotAccount {
  readonly receipt: Uint8Array;
  /** The ray and the rewound hitboxes. */
  readonly view: ShotView;
  /** Whether judging it again from the receipt gives the same verdict to the last bit. It always should. */
  readonly agrees: boolean;
  /** Where those who were looked at are when the question is answered: what the server sees now. */
  readonly now: readonly PresentPlace[];
}

export function writeShot(receipt: Uint8Array, now: readonly PresentPlace[]): ShotAnswer {
  return { receipt: Array.from(receipt, (byte) => byte.toString(16).padStart(2, "0")).join(""), now };
}

/** What an answer says; `undefined` when it is none. */
export function readShots(answer: unknown): ShotAccount[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  try {
    return answer.map(readShot);
  } catch {
    return undefined;
  }
}

function readShot(value: unknown): ShotAccount {
  if (!isObject(value) || typeof value["receipt"] !== "string" || !Array.isArray(value["now"]))
    throw new TypeError("no shot");
  const digits = value["receipt"];
  const receipt = Uint8Array.from({ length: digits.length >> 1 }, (_, i) =>
    parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
  const { receipt: read, agrees } = replayReceipt(receipt);
  return { receipt, view: viewShot(read), agrees, now: value["now"].map(readPlace) };
}

/** Throws `TypeError` for what is no place. */
export function readPlace(value: unknown): PresentPlace {
  if (!isObject(value)) throw new TypeError("no place");
  const { table, id, x, y } = value;
  if (typeof table !== "string" || typeof id !== "number" || typeof x !== "number" || typeof y !== "number")
    throw new TypeError("no place");
  return { table, id, x, y };
}
