/** What becomes of a batch of changes, each judged by what those before it have made. */

import type { JournalChange } from "./journal-record.ts";
import type { PutOptions, StoreEntry } from "./state-store.ts";

export interface Entry extends StoreEntry {
  readonly leaseMs: number | undefined;
}

export interface Asked extends PutOptions {
  /** `expire`: a deletion, if its lease has ended. */
  readonly kind: "put" | "delete" | "expire";
  readonly key: string;
  readonly value: string;
}

/** A change that somebody waits for. */
export interface Change extends Asked {
  /** Gave up waiting before it was looked at. */
  abandoned: boolean;
  settle(result: Entry | boolean | undefined): void;
  fail(error: Error): void;
}

/** `nothing`: what was asked for is not the case. */
export type Outcome =
  | { readonly change: Change; readonly kind: "made" | "renewed"; readonly entry: Entry }
  | { readonly change: Change; readonly kind: "deleted"; readonly revision: number }
  | { readonly change: Change; readonly kind: "nothing" | "full" };

/** Before the batch. */
export interface BatchState {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Whether a lease has ended. */
  readonly isDue: (key: string) => boolean;
  readonly revision: number;
  readonly bytes: number;
  readonly maxBytes: number;
}

/** @returns what to write, and what to carry out, in order, once it is written */
export function judge(
  batch: readonly Change[],
  state: BatchState,
): { readonly changes: JournalChange[]; readonly outcomes: Outcome[] } {
  const changes: JournalChange[] = [];
  const staged = new Map<string, Entry | undefined>();
  let { revision, bytes } = state;

  const outcomeOf = (change: Change): Outcome => {
    const { key, value, leaseMs, ifRevision } = change;
    const before = staged.has(key) ? staged.get(key) : state.entries.get(key);
    if (change.kind !== "put") {
      // A lease that was renewed in this batch has not ended.
      const due = change.kind === "delete" || (!staged.has(key) && state.isDue(key));
      if (before === undefined || !due) return { change, kind: "nothing" };
      bytes -= sizeOf(before);
      staged.set(key, undefined);
      changes.push({ deleted: key, revision: ++revision });
      return { change, kind: "deleted", revision };
    }
    if (ifRevision !== undefined && ifRevision !== (before?.revision ?? 0)) return { change, kind: "nothing" };
    if (leaseMs !== undefined && before?.value === value && before.leaseMs === leaseMs) {
      staged.set(key, before);
      return { change, kind: "renewed", entry: before };
    }
    const growth = sizeOf({ key, value }) - sizeOf(before);
    if (bytes + growth > state.maxBytes) return { change, kind: "full" };
    bytes += growth;
    const entry: Entry = { key, value, revision: ++revision, leaseMs };
    staged.set(key, entry);
    changes.push(changeTo(entry));
    return { change, kind: "made", entry };
  };

  return { outcomes: batch.map(outcomeOf), changes };
}

export function changeTo({ key, value, revision, leaseMs }: Entry): JournalChange {
  return { put: key, value, revision, ...(leaseMs === undefined ? {} : { leaseMs }) };
}

export function sizeOf(entry: Pick<Entry, "key" | "value"> | undefined): number {
  return entry === undefined ? 0 : entry.key.length + Buffer.byteLength(entry.value);
}
