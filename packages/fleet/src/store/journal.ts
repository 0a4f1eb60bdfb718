/**
 * An append-only file of batches that is rewritten as a snapshot, in a file beside it which then takes its place. Callers
 * do one thing at a time. After an error only `rewrite` helps: nobody knows what the disk has kept of the old file.
 */

import { open, readFile, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encodeLine, readJournal } from "./journal-record.ts";
import type { JournalChange, JournalContents } from "./journal-record.ts";

const FILE = "store.journal";
const TEMPORARY = "store.journal.new";
/** Registrations hold addresses, and the store may hold keys: for the owner only. */
const MODE = 0o600;
const CHANGES_PER_LINE = 256;
const WRITE_BYTES = 1024 * 1024;

export class Journal {
  readonly file: string;
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** Bytes of the snapshot that the file begins with. */
  #snapshotBytes = 0;
  #unsynced = false;

  private constructor(directory: string) {
    this.file = join(directory, FILE);
  }

  /** The journal in a directory that this process owns, and what is in it. Where there is none it begins at a revision. */
  static async open(
    directory: string,
    firstRevision: number,
  ): Promise<{ journal: Journal; contents: JournalContents }> {
    const journal = new Journal(directory);
    await rm(join(directory, TEMPORARY), { force: true });
    const bytes = await readFile(journal.file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (bytes === undefined) {
      await journal.rewrite(firstRevision, []);
      const contents = { entries: new Map(), revision: firstRevision, soundBytes: journal.bytes, tornBytes: 0 };
      return { journal, contents };
    }
    const contents = readJournal(bytes, journal.file);
    journal.#handle = await open(journal.file, "a", MODE);
    if (contents.tornBytes > 0) {
      await journal.#handle.truncate(contents.soundBytes);
      await journal.#handle.sync();
    }
    journal.#bytes = contents.soundBytes;
    return { journal, contents };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  /** Whether something was appended since the last `sync`. */
  get unsynced(): boolean {
    return this.#unsynced;
  }

  async append(changes: readonly JournalChange[]): Promise<void> {
    const line = Buffer.from(encodeLine(changes));
    this.#unsynced = true;
    await writeAll(this.#open(), line);
    this.#bytes += line.length;
  }

  /** Resolves when all that was appended is on the disk. */
  async sync(): Promise<void> {
    await this.#open().datasync();
    this.#unsynced = false;
  }

  /** Replaces the file by one that holds only this. What was there stays as it is until the new one is on the disk. */
  async rewrite(revision: number, entries: Iterable<JournalChange>): Promise<void> {
    const temporary = join(dirname(this.file), TEMPORARY);
    const handle = await open(temporary, "w", MODE);
    let bytes = 0;
    try {
      for (const chunk of chunksOf(revision, entries)) {
        await writeAll(handle, chunk);
        bytes += chunk.length;
      }
      await handle.sync();
      await rename(temporary, this.file);
      await syncDirectory(dirname(this.file));
    } catch (error) {
      await handle.close();
      throw error;
    }
    await this.#handle?.close().catch(() => undefined);
    this.#handle = handle;
    this.#bytes = bytes;
    this.#snapshotBytes = bytes;
    this.#unsynced = false;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #open(): FileHandle {
    if (this.#handle === undefined) throw new Error("the journal is closed");
    return this.#handle;
  }
}

function* chunksOf(revision: number, entries: Iterable<JournalChange>): Generator<Buffer> {
  let text = encodeLine({ format: 1, revision });
  let batch: JournalChange[] = [];
  let batchLength = 0;
  for (const entry of entries) {
    batch.push(entry);
    batchLength += "put" in entry ? entry.value.length : 0;
    if (batch.length < CHANGES_PER_LINE && batchLength < WRITE_BYTES) continue;
    text += encodeLine(batch);
    batch = [];
    batchLength = 0;
    if (text.length < WRITE_BYTES) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (batch.length > 0) text += encodeLine(batch);
  if (text !== "") yield Buffer.from(text);
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
}

/** A rename is on the disk when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
