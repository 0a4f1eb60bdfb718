import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DirectoryLock } from "./directory-lock.ts";

const refused = { name: "StoreError", code: "refused" };

describe("the lock of a directory", () => {
  let directory = "";
  let said: string[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "riposte-lock-"));
    said = [];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const take = (): DirectoryLock => DirectoryLock.take(directory, (message) => said.push(message));
  const file = (): string => join(directory, "store.lock");
  const written = (): Record<string, unknown> => JSON.parse(readFileSync(file(), "utf8")) as Record<string, unknown>;

  /** A process of its own that takes the lock and keeps it. */
  async function owner(): Promise<ChildProcess> {
    const program = `
      import { DirectoryLock } from ${JSON.stringify(new URL("directory-lock.ts", import.meta.url).href)};
      DirectoryLock.take(${JSON.stringify(directory)}, () => {});
      console.log("taken");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return child;
  }

  it("is taken once in a process, and again when it was given back", () => {
    const lock = take();
    assert.throws(take, refused);
    lock.release();
    lock.release();
    take().release();
    assert.deepEqual(readdirSync(directory), []);
    assert.deepEqual(said, []);
  });

  it("is not taken from a process that lives, also a frozen one; but from one that was killed", async () => {
    const child = await owner();
    assert.throws(take, { ...refused, message: new RegExp(`process ${child.pid} on .* Stop it first`) });
    child.kill("SIGSTOP");
    assert.throws(take, refused);
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = take();
    assert.equal(written().pid, process.pid);
    assert.match(said.join(), new RegExp(`taken over from process ${child.pid}`));
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  });

  it(
    "knows a pid that was given to another process, and another boot",
    { skip: process.platform !== "linux" },
    async () => {
      const child = await owner();
      const its = written();
      for (const stale of [{ started: "1" }, { boot: "another" }]) {
        writeFileSync(file(), JSON.stringify({ ...its, ...stale }));
        take().release();
      }
      writeFileSync(file(), JSON.stringify(its));
      assert.throws(take, refused);
      // A container's processes have the same pids each time.
      writeFileSync(file(), JSON.stringify({ ...its, pid: process.pid }));
      take().release();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  );

  it("does not judge processes of other hosts, and says what to do", () => {
    const lock = take();
    writeFileSync(file(), JSON.stringify({ ...written(), host: "elsewhere" }));
    lock.release();
    writeFileSync(file(), JSON.stringify({ pid: 1, host: "elsewhere", boot: "", started: "" }));
    assert.throws(take, { ...refused, message: /on elsewhere .* If it is gone, delete the file/ });
  });

  it("takes over what a crash left half written, but not from somebody who is taking over", () => {
    writeFileSync(file(), "{");
    take().release();
    writeFileSync(file(), "{");
    writeFileSync(`${file()}.takeover`, "");
    assert.throws(take, { ...refused, message: /delete the file/ });
    assert.deepEqual(readdirSync(directory).sort(), ["store.lock", "store.lock.takeover"]);
  });
});
