import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { Random } from "@riposte/protocol";
import { folder, ManualTimers } from "../../test/geoip-tools.ts";
import { fetchDatabase, nameOf } from "./database-source.ts";
import type { DatabaseSource, FetchedDatabase, FetchTools } from "./database-source.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import type { GeoIpErrorCode } from "./geo-ip-error.ts";

const CONTENT = Buffer.from(new Random(1).bytes(700_000));
const HASH = sha256(CONTENT);
const FILE_URL = "https://files.example/city.mmdb";

test("a file, by path and by URL, packed and not", async (t) => {
  const write = folder(t);
  const path = write("city.mmdb", CONTENT);
  const packed = gzipSync(CONTENT);
  for (const from of [path, pathToFileURL(path), pathToFileURL(path).href]) {
    const { bytes, sha256: hash } = await got({ from });
    assert.ok(bytes.equals(CONTENT));
    assert.equal(hash, HASH);
  }
  const { bytes, sha256: hash } = await got({ from: write("city.mmdb.gz", packed) });
  assert.ok(bytes.equals(CONTENT));
  assert.equal(hash, sha256(packed), "the hash is that of the packed file");
  assert.equal((await got({ from: write("empty", "") })).bytes.length, 0);
});

test("a file that has not changed is not read again", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", CONTENT);
  const { version } = await got({ from });
  assert.notEqual(version, undefined);
  assert.equal(await fetchDatabase({ from }, version, tools()), undefined);
  write("city.mmdb", CONTENT.subarray(1));
  assert.notEqual(await fetchDatabase({ from }, version, tools()), undefined);
});

test("the hash beside a file counts, and the one that is given", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", CONTENT);
  const beside = write("city.mmdb.sha256", `${HASH.toUpperCase()}  city.mmdb\n`);
  await got({ from });
  const other = "0".repeat(64);
  await fails("hash", { from, sha256: other });
  write("city.mmdb.sha256", `${other}  city.mmdb\n`);
  await fails("hash", { from });
  await fails("hash", { from, sha256: beside });
  await got({ from, sha256: HASH });
  write("city.mmdb.sha256", "nothing");
  await fails("hash", { from });
  rmSync(beside);
  await got({ from });
  await fails("unreadable", { from, sha256: beside });
});

test("what is not there, and what is too large", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", CONTENT);
  await fails("unreadable", { from: `${from}.not` });
  await fails("tooLarge", { from }, { maxBytes: CONTENT.length - 1 });
  await got({ from }, { maxBytes: CONTENT.length });
  await fails("tooLarge", { from: write("packed", gzipSync(Buffer.alloc(1e6))) }, { maxBytes: 900_000 });
  await fails("unreadable", { from: write("damaged", gzipSync(CONTENT).subarray(0, 500_000)) });
});

test("no file stays open", { skip: process.platform !== "linux" }, async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", CONTENT);
  const { version } = await got({ from });
  await fetchDatabase({ from }, version, tools());
  await fails("tooLarge", { from }, { maxBytes: 1000 });
  await fails("tooLarge", { from: write("packed", gzipSync(CONTENT)) }, { maxBytes: 1000 });
  await fails("hash", { from, sha256: "0".repeat(64) });
  const fds = readdirSync("/proc/self/fd").map((fd) => `/proc/self/fd/${fd}`);
  const paths = fds.filter((fd) => existsSync(fd)).map((fd) => readlinkSync(fd));
  assert.deepEqual(
    paths.filter((path) => path.startsWith(dirname(from))),
    [],
  );
});

test("from a server, by ETag", async () => {
  const asked: (string | null)[] = [];
  const fetch = served((_, headers) => {
    asked.push(headers.get("if-none-match"));
    return headers.get("if-none-match") === '"7"'
      ? new Response(null, { status: 304 })
      : new Response(CONTENT, { headers: { etag: '"7"' } });
  });
  const { bytes, version } = await got({ from: FILE_URL }, { fetch });
  assert.ok(bytes.equals(CONTENT));
  assert.equal(await fetchDatabase({ from: FILE_URL }, version, tools({ fetch })), undefined);
  assert.deepEqual(asked, [null, '"7"']);
});

test("what a server may do wrong", async () => {
  const answers = (response: () => Response): Partial<FetchTools> => ({ fetch: served(response) });
  await fails(
    "unreadable",
    { from: FILE_URL },
    answers(() => new Response("no", { status: 404 })),
  );
  await fails("tooLarge", { from: FILE_URL }, { ...answers(() => new Response(CONTENT)), maxBytes: 1000 });
  const refusing = { fetch: () => Promise.reject(new TypeError("fetch failed")) };
  await fails("unreadable", { from: FILE_URL }, refusing);
  const plain = FILE_URL.replace("https:", "http:");
  await fails(
    "unreadable",
    { from: plain },
    answers(() => new Response(CONTENT)),
  );
  await got(
    { from: plain, sha256: HASH },
    answers(() => new Response(CONTENT)),
  );
  const led = (): Response => Object.defineProperty(new Response(CONTENT), "url", { value: plain });
  await fails("unreadable", { from: FILE_URL }, answers(led));
  await got({ from: FILE_URL, sha256: `${FILE_URL}.sha256` }, { fetch: served(withHash(`${HASH}\n`)) });
  await fails("hash", { from: FILE_URL, sha256: `${FILE_URL}.sha256` }, { fetch: served(withHash("<html>")) });
  const endless = { fetch: served(withHash("0".repeat(5000))) };
  await fails("tooLarge", { from: FILE_URL, sha256: `${FILE_URL}.sha256` }, endless);
});

test("a server that goes silent is given up after a time, and when all ends", async () => {
  for (const where of ["before", "within", "within what is packed"]) {
    const timers = new ManualTimers();
    const fetch: typeof globalThis.fetch = (_, init) => {
      const aborted = new Promise<never>((_resolve, reject) => {
        init!.signal!.addEventListener("abort", () => {
          reject(init!.signal!.reason as Error);
        });
      });
      if (where === "before") return aborted;
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(where === "within" ? CONTENT : gzipSync(CONTENT));
          // What Node's fetch says then.
          aborted.catch(() => {
            controller.error(new TypeError("terminated"));
          });
        },
      });
      return Promise.resolve(new Response(body));
    };
    const late = fails("timeout", { from: FILE_URL }, { fetch, timers, timeoutMs: 1000 });
    timers.advance(999);
    assert.equal(timers.waiting.size, 1);
    timers.advance(1);
    await late;
    const closing = new AbortController();
    const closed = fails("closed", { from: FILE_URL }, { fetch, timers, signal: closing.signal });
    closing.abort(new GeoIpError("closed", "it is closed"));
    await closed;
    assert.equal(timers.waiting.size, 0);
  }
});

test("names hold no secrets", () => {
  assert.equal(
    nameOf({ from: "https://user:pass@files.example/a.mmdb?license_key=7" }),
    "https://files.example/a.mmdb",
  );
  assert.equal(nameOf({ from: "/data/a.mmdb" }), "/data/a.mmdb");
  assert.equal(nameOf({ from: new URL("file:///data/a%20b.mmdb") }), "/data/a b.mmdb");
});

function tools(more: Partial<FetchTools> = {}): FetchTools {
  return {
    fetch: () => Promise.reject(new Error("no network here")),
    timers: new ManualTimers(),
    timeoutMs: 1000,
    maxBytes: 2 ** 20,
    signal: new AbortController().signal,
    ...more,
  };
}

async function got(source: DatabaseSource, more: Partial<FetchTools> = {}): Promise<FetchedDatabase> {
  const fetched = await fetchDatabase(source, undefined, tools(more));
  assert.ok(fetched !== undefined);
  return fetched;
}

async function fails(code: GeoIpErrorCode, source: DatabaseSource, more: Partial<FetchTools> = {}): Promise<void> {
  await assert.rejects(fetchDatabase(source, undefined, tools(more)), (error: unknown) => {
    assert.ok(error instanceof GeoIpError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

function served(answer: (url: string, headers: Headers) => Response): typeof globalThis.fetch {
  return (input, init) => Promise.resolve(answer(String(input as URL), new Headers(init?.headers)));
}

function withHash(hash: string): (url: string) => Response {
  return (url) => new Response(url.endsWith(".sha256") ? hash : CONTENT);
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
