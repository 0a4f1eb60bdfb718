/**
 * One process owns a directory: a file in it says which. A file whose process is gone is taken over.
 *
 * A process is known by its pid, when it started, and the boot since which the machine counts, so that a pid that was
 * given to somebody else is not taken for the owner. Of a process on another host nothing can be known.
 */

import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { StoreError } from "./state-store.ts";

const FILE = "store.lock";
/** Held for the few system calls of a takeover, so that only one takes over. */
const TAKEOVER_FILE = "store.lock.takeover";

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Of Linux; empty where unknown. */
  readonly boot: string;
  readonly started: string;
}

/** What this process owns itself: its pid says nothing about that. */
const owned = new Set<string>();

export class DirectoryLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param told hears of a lock that was taken over
   * @throws StoreError `refused` when another process owns the directory
   */
  static take(directory: string, told: (message: string) => void): DirectoryLock {
    const file = join(directory, FILE);
    if (owned.has(file)) throw new StoreError("refused", `${directory} is already open in this process`);
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(self())}\n`, { mode: 0o600 });
    try {
      if (!link(temporary, file)) takeOver(file, temporary, told);
    } finally {
      rmSync(temporary, { force: true });
    }
    owned.add(file);
    return new DirectoryLock(file);
  }

  release(): void {
    if (!owned.delete(this.#file)) return;
    const owner = read(this.#file);
    if (owner?.pid === process.pid) rmSync(this.#file, { force: true });
  }
}

function takeOver(file: string, temporary: string, told: (message: string) => void): void {
  const takeover = join(file, "..", TAKEOVER_FILE);
  if (!link(temporary, takeover))
    throw new StoreError(
      "refused",
      `${takeover} exists: another process is starting on this directory. If none is, delete the file`,
    );
  try {
    const owner = read(file);
    if (owner !== undefined && lives(owner))
      throw new StoreError(
        "refused",
        `${file} says that process ${owner.pid} on ${owner.host} owns this directory. ` +
          (owner.host === hostname() ? "Stop it first" : "If it is gone, delete the file"),
      );
    rmSync(file, { force: true });
    if (!link(temporary, file)) throw new StoreError("refused", `${file}: another process was faster`);
    told(`${file}: taken over from process ${owner?.pid ?? "unknown"}, which is gone`);
  } finally {
    unlinkSync(takeover);
  }
}

/** Makes the file with all its contents, or finds that there is one. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

function lives(owner: Owner): boolean {
  const me = self();
  if (owner.host !== me.host) return true;
  if (owner.boot !== me.boot) return false;
  if (owner.pid === me.pid) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return owner.started === startOf(owner.pid);
}

function self(): Owner {
  return { pid: process.pid, host: hostname(), boot: bootId(), started: startOf(process.pid) };
}

function bootId(): string {
  return textOf("/proc/sys/kernel/random/boot_id").trim();
}

/** proc(5): field 22 of stat, in ticks since the boot; fields are counted after the name, which may hold anything. */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
