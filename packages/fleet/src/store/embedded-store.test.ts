import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { TestContext } from "node:test";
import { findPeer } from "../../../../scripts/peers.mjs";
import { ManualClock } from "../../test/manual-clock.ts";
import { until } from "../../test/until.ts";
import { EmbeddedStore } from "./embedded-store.ts";
import type { EmbeddedStoreOptions } from "./embedded-store.ts";
import { Journal } from "./journal.ts";

const NEVER_MS = 1e9;

describe("an embedded store's directory", () => {
  let directory = "";
  let clock: ManualClock;
  let said: string[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "riposte-store-"));
    clock = new ManualClock();
    said = [];
  });
  afterEach(() => rm(directory, { recursive: true }));

  const open = (options: EmbeddedStoreOptions = {}): Promise<EmbeddedStore> =>
    EmbeddedStore.open({ directory, clock, timeoutMs: NEVER_MS, log: (message) => said.push(message), ...options });
  const journal = (): string => join(directory, "store.journal");

  it("holds everything when it is opened again: values, revisions, and leases that run anew", async () => {
    const store = await open();
    const kept = await store.put("nodes/a", "1");
    await store.put("nodes/b", "1");
    await store.delete("nodes/b");
    await store[Symbol.asyncDispose]();
    const again = await open();
    assert.deepEqual(await again.list(""), [kept]);
    const next = await again.put("nodes/c", "1");
    assert.ok(next!.revision > kept!.revision + 2);
    await again[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(directory), ["store.journal"]);
    assert.equal((await stat(journal())).mode & 0o77, 0);
    assert.deepEqual(said, []);
  });

  it("starts the leases anew after an end without order", async () => {
    const store = await open();
    await store.put("balancers/a", "1", { leaseMs: 1000 });
    const bytes = await readFile(journal());
    await store[Symbol.asyncDispose]();
    await writeFile(journal(), bytes);
    await clock.advance(5000);
    await using again = await open();
    assert.equal((await again.get("balancers/a"))?.value, "1");
    await clock.advance(999);
    await again.delete("nothing");
    assert.equal((await again.get("balancers/a"))?.value, "1");
    await clock.advance(100);
    await again.delete("nothing");
    assert.equal(await again.get("balancers/a"), undefined);
  });

  it("has all that was acknowledged when the process is killed, however often", async () => {
    const acknowledged = new Set<string>();
    for (let life = 0; life < 3; life++) {
      const child = new Child(directory);
      await child.says('"open"');
      const wanted = Array.from({ length: 400 }, (_, i) => [`nodes/${life}-${i % 150}`, `${i} ${"x".repeat(i % 200)}`]);
      for (let i = 0; i < wanted.length; i += 20) child.tell(wanted.slice(i, i + 20));
      await child.says(`"put":"nodes/${life}-${100 + life}"`);
      await child.end();
      for (const line of child.lines) {
        const { put } = JSON.parse(line) as { put?: string };
        if (put !== undefined) acknowledged.add(put);
      }
      await using store = await open();
      const there = new Set((await store.list("nodes/")).map(({ key }) => key));
      for (const key of acknowledged) assert.ok(there.has(key), `${key} is gone`);
    }
    assert.ok(acknowledged.size > 300);
  });

  it("drops a torn end, says so, and writes on from there", async () => {
    const store = await open();
    await store.put("nodes/a", "1");
    await store[Symbol.asyncDispose]();
    await appendFile(journal(), '00000000 [{"put":"nodes/b"');
    const again = await open();
    assert.match(said.join(), /the last 26 bytes, from \d+ on, were not written to their end and are dropped/);
    await again.put("nodes/c", "1");
    await again[Symbol.asyncDispose]();
    await using third = await open();
    assert.deepEqual(
      (await third.list("")).map(({ key }) => key),
      ["nodes/a", "nodes/c"],
    );
    assert.equal(said.length, 1);
  });

  it("refuses a damaged journal, and leaves it and the lock alone", async () => {
    const store = await open();
    for (const value of ["1", "2", "3"]) await store.put("nodes/a", value);
    await store[Symbol.asyncDispose]();
    const damaged = (await readFile(journal(), "utf8")).replace('"value":"2"', '"value":"9"');
    await writeFile(journal(), damaged);
    await assert.rejects(open(), { name: "StoreError", code: "refused", message: /line 3, .*truncate -s/ });
    assert.equal(await readFile(journal(), "utf8"), damaged);
    assert.deepEqual(await readdir(directory), ["store.journal"]);
  });

  it("is rewritten when most of it is of the past, and holds the same", async () => {
    const store = await open({ compactAboveBytes: 2000 });
    const wanted = new Map<string, string>();
    for (let i = 0; i < 300; i++) {
      const key = `nodes/${i % 10}`;
      wanted.set(key, String(i));
      await store.put(key, String(i));
      assert.ok((await stat(journal())).size < 4500);
    }
    const revision = (await store.put("last", "1"))?.revision;
    await store.delete("last");
    await store[Symbol.asyncDispose]();
    await using again = await open();
    assert.deepEqual(new Map((await again.list("")).map(({ key, value }) => [key, value])), wanted);
    assert.equal((await again.put("next", "1"))?.revision, revision! + 2);
  });

  it("is one process's", async () => {
    await using _ = await open();
    await assert.rejects(open(), { name: "StoreError", code: "refused" });
  });

  it("goes on reading when the disk fails, refuses changes, and is back when it works again", async () => {
    const store = await open({ compactAboveBytes: 100 });
    const statuses: string[] = [];
    store.onStatus((status) => statuses.push(status));
    // A file that can't be made: the next rewrite fails.
    await mkdir(join(directory, "store.journal.new"));
    for (let i = 0; store.status === "connected"; i++) await store.put("nodes/a", String(i)).catch(() => undefined);
    const last = await store.get("nodes/a");
    await assert.rejects(store.put("nodes/b", "1"), { name: "StoreError", code: "away", message: /EISDIR/ });
    await clock.advance(1000);
    await until(() => said.length === 1);
    await rmdir(join(directory, "store.journal.new"));
    await clock.advance(1000);
    await until(() => store.status === "connected");
    await store.put("nodes/b", "2");
    await store[Symbol.asyncDispose]();
    assert.deepEqual(statuses, ["away", "connected"]);
    assert.match(said.join(), /EISDIR.*changes are refused.*written anew/);
    await using again = await open();
    assert.deepEqual(await again.get("nodes/a"), last);
    assert.equal((await again.get("nodes/b"))?.value, "2");
  });

  const noPrlimit = findPeer("prlimit") === undefined && "prlimit is not installed";
  it("takes back what a full disk did not take", { skip: noPrlimit }, async () => {
    const child = new Child(directory);
    await child.says('"open":0');
    child.tell([["nodes/a", "1"]]);
    await child.says('"put":"nodes/a"');
    child.limitFiles("600");
    child.tell([["nodes/a", "2".repeat(1000)]]);
    await child.says('"refused":"nodes/a"');
    await child.says('"away"');
    child.limitFiles("unlimited");
    await child.says('"connected"');
    child.tell([["nodes/b", "3"]]);
    await child.says('"put":"nodes/b"');
    await child.end();
    await using store = await open();
    assert.deepEqual(
      (await store.list("")).map(({ value }) => value),
      ["1", "3"],
    );
  });

  it("is written as often as asked", async (t) => {
    const sync = t.mock.method(Journal.prototype, "sync");
    const store = await open({ syncEveryMs: 500 });
    for (let i = 0; i < 10; i++) await store.put("nodes/a", String(i));
    assert.equal(sync.mock.callCount(), 0);
    await clock.advance(500);
    await store.delete("nothing");
    assert.equal(sync.mock.callCount(), 1);
    await store.put("nodes/a", "10");
    await store[Symbol.asyncDispose]();
    assert.equal(sync.mock.callCount(), 2);
    await using never = await open({ syncEveryMs: Infinity });
    await never.put("nodes/a", "11");
    await clock.advance(NEVER_MS / 2);
    await never.delete("nothing");
    assert.equal(sync.mock.callCount(), 2);
  });

  it("says in time that the disk does not answer", async (t) => {
    const store = await open({ timeoutMs: 3000 });
    const release = slowDisk(t);
    const put = assert.rejects(store.put("nodes/a", "1"), { name: "StoreError", code: "timeout" });
    await until(() => (store as { status: string }).status === "away" || clock.advance(100).then(() => false));
    await put;
    const waiting = assert.rejects(store.put("nodes/b", "1"), { name: "StoreError", code: "timeout" });
    await clock.advance(3000);
    await waiting;
    release();
    await until(() => store.status === "connected");
    // What was being written may be there. What only waited is not.
    assert.equal((await store.get("nodes/a"))?.value, "1");
    assert.equal(await store.get("nodes/b"), undefined);
    await store[Symbol.asyncDispose]();
  });

  it("lets no lease end whose renewal waits for the disk", async (t) => {
    const store = await open();
    await store.put("balancers/a", "1", { leaseMs: 1000 });
    const release = slowDisk(t);
    const slow = store.put("nodes/a", "1");
    await clock.advance(900);
    const renewal = store.put("balancers/a", "1", { leaseMs: 1000 });
    await clock.advance(900);
    release();
    await Promise.all([slow, renewal]);
    await store.delete("nothing");
    assert.equal((await store.get("balancers/a"))?.value, "1");
    await store[Symbol.asyncDispose]();
  });

  it("takes so many bytes and no more", async () => {
    await using store = await open({ maxBytes: 100 });
    await store.put("a", "x".repeat(60));
    await assert.rejects(store.put("b", "x".repeat(60)), { name: "StoreError", code: "refused" });
    await store.put("a", "x".repeat(99));
    await store.delete("a");
    await store.put("b", "x".repeat(60));
  });
});

/** Makes every sync wait until the result is called. */
function slowDisk(t: TestContext): () => void {
  const gate = Promise.withResolvers<void>();
  const real = Reflect.get<Journal, "sync">(Journal.prototype, "sync");
  t.mock.method(Journal.prototype, "sync", async function slow(this: Journal) {
    await gate.promise;
    await real.call(this);
  });
  return gate.resolve;
}

/** The program in `test/embedded-child.ts`. */
class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;

  constructor(directory: string) {
    const program = join(import.meta.dirname, "../../test/embedded-child.ts");
    this.#process = spawn(process.execPath, [program, directory], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface(this.#process.stdout!).on("line", (line) => this.lines.push(line));
  }

  tell(puts: readonly (readonly string[])[]): void {
    this.#process.stdin?.write(`${JSON.stringify(puts)}\n`);
  }

  async says(words: string): Promise<void> {
    await until(() => this.lines.some((line) => line.includes(words)));
  }

  limitFiles(bytes: string): void {
    spawnSync("prlimit", [`--pid=${this.#process.pid}`, `--fsize=${bytes}:`]);
  }

  /** kill -9 */
  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
