/**
 * The journal's text. One line is one batch of changes with its checksum, so it is there as a whole or not at all:
 *
 *     <CRC-32 of the rest, 8 hex digits> <JSON>\n
 *
 * The first line is the header; the changes up to its revision are the snapshot that the file began with.
 */

import { crc32 } from "node:zlib";
import { StoreError } from "./state-store.ts";

export interface JournalHeader {
  readonly format: 1;
  readonly revision: number;
}

export type JournalChange =
  | { readonly put: string; readonly value: string; readonly revision: number; readonly leaseMs?: number }
  | { readonly deleted: string; readonly revision: number };

type JournalPut = Extract<JournalChange, { put: string }>;

export interface JournalContents {
  readonly entries: Map<string, JournalPut>;
  readonly revision: number;
  /** Up to where the file is sound. */
  readonly soundBytes: number;
  /** What follows: a line that was being written when the process or the machine stopped. */
  readonly tornBytes: number;
}

const NEWLINE = 10;
const CHECKSUM_LENGTH = 9;

export function encodeLine(record: JournalHeader | readonly JournalChange[]): string {
  const json = JSON.stringify(record);
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

/**
 * Plays a journal. Broken bytes with nothing sound after them are torn: they were never acknowledged.
 * @throws StoreError `refused` where there is something sound after them, or no header: that is damage.
 */
export function readJournal(bytes: Buffer, file: string): JournalContents {
  const entries = new Map<string, JournalPut>();
  let header: JournalHeader | undefined;
  let revision = 0;
  let at = 0;
  for (let line = 1; at < bytes.length; line++) {
    const next = endOfLine(bytes, at);
    const record = decodeLine(bytes, at, next);
    if (record === undefined) break;
    if (header === undefined) {
      if (Array.isArray(record)) break;
      header = record as JournalHeader;
      if (header.format !== 1)
        throw refuse(file, line, at, `has format ${String(header.format)}, which is unknown here`);
      revision = header.revision;
    } else {
      if (!Array.isArray(record)) throw refuse(file, line, at, "is a second header");
      for (const change of record as readonly JournalChange[]) {
        const follows = change.revision > revision || (revision === header.revision && change.revision <= revision);
        if (!follows) throw refuse(file, line, at, `goes back to revision ${change.revision} from ${revision}`);
        revision = Math.max(revision, change.revision);
        if ("put" in change) entries.set(change.put, change);
        else entries.delete(change.deleted);
      }
    }
    at = next;
  }
  if (header === undefined) throw refuse(file, 1, 0, "is not the header");
  const sound = soundAfter(bytes, at);
  if (sound !== undefined)
    throw refuse(file, lineAt(bytes, at), at, `is broken, but what begins at byte ${sound} is sound`);
  return { entries, revision, soundBytes: at, tornBytes: bytes.length - at };
}

/** The first byte of a sound record after the broken line at `from`: also where the newline before it is what is broken. */
function soundAfter(bytes: Buffer, from: number): number | undefined {
  for (const { index } of bytes.toString("latin1", from).matchAll(/(?=[0-9a-f]{8} [[{])/g)) {
    const at = from + index;
    if (index > 0 && decodeLine(bytes, at, endOfLine(bytes, at)) !== undefined) return at;
  }
  return undefined;
}

function endOfLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? bytes.length : newline + 1;
}

/** What stands in [at, next), if it is a whole line with the right checksum. */
function decodeLine(bytes: Buffer, at: number, next: number): unknown {
  if (bytes[next - 1] !== NEWLINE || next - at <= CHECKSUM_LENGTH + 1) return undefined;
  const checksum = bytes.toString("latin1", at, at + CHECKSUM_LENGTH);
  const json = bytes.subarray(at + CHECKSUM_LENGTH, next - 1);
  if (!/^[0-9a-f]{8} $/.test(checksum) || crc32(json) !== Number.parseInt(checksum, 16)) return undefined;
  return JSON.parse(json.toString("utf8"));
}

function lineAt(bytes: Buffer, at: number): number {
  let line = 1;
  for (let i = bytes.indexOf(NEWLINE); i !== -1 && i < at; i = bytes.indexOf(NEWLINE, i + 1)) line++;
  return line;
}

function refuse(file: string, line: number, at: number, what: string): StoreError {
  const advice =
    at === 0
      ? "Put a backup in its place, or move it away to begin with an empty store: game servers register again by themselves."
      : `Put a backup in its place, or give up what was written from there on: truncate -s ${at} ${file}`;
  return new StoreError("refused", `${file}: line ${line}, at byte ${at}, ${what}. ${advice}`);
}
