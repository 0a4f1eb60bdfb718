/** Gets the bytes of a database from a file or a server, a piece at a time so that nothing else waits, and checks their hash. */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createGunzip } from "node:zlib";
import type { Attribution } from "./attribution.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import type { Timers } from "./timers.ts";

export interface DatabaseSource {
  /** A path, or a `file:` or `https:` URL; `http:` needs `sha256`. What is packed with gzip is unpacked. */
  readonly from: string | URL;
  /**
   * SHA-256 of what is there: 64 hex digits, or the path or URL of a file that begins with them, as `sha256sum` writes it. By default
   * a file beside a local one, `<path>.sha256`, counts if there is one.
   */
  readonly sha256?: string | URL;
  /** Default: by the database's type. */
  readonly attribution?: Attribution;
}

export interface FetchedDatabase {
  readonly bytes: Buffer;
  /** Of what was there, before it was unpacked; hex. */
  readonly sha256: string;
  /** By which it is known again without being read: an ETag, or a file's size and times. */
  readonly version: string | undefined;
}

export interface FetchTools {
  readonly fetch: typeof globalThis.fetch;
  readonly timers: Timers;
  readonly timeoutMs: number;
  /** Of the unpacked file. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

interface Delivery {
  /** Each is valid until the next is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of all chunks, where it is known. */
  readonly size?: number;
  readonly version: string | undefined;
}

/** `undefined`: it is still what it was at `knownVersion`. Rejects with `GeoIpError`. */
export async function fetchDatabase(
  source: DatabaseSource,
  knownVersion: string | undefined,
  tools: FetchTools,
): Promise<FetchedDatabase | undefined> {
  const { timers, timeoutMs } = tools;
  const deadline = new AbortController();
  const timer = timers.setTimeout(() => {
    deadline.abort(new GeoIpError("timeout", `${nameOf(source)} did not come within ${timeoutMs} ms`));
  }, timeoutMs);
  const signal = AbortSignal.any([tools.signal, deadline.signal]);
  try {
    const delivery = await deliver(source, knownVersion, { ...tools, signal });
    if (delivery === undefined) return undefined;
    const hash = createHash("sha256");
    const bytes = await gather({ ...delivery, chunks: hashed(delivery.chunks, hash) }, tools.maxBytes, signal);
    const sha256 = hash.digest("hex");
    const expected = await expectedHash(source, { ...tools, signal });
    if (expected !== undefined && expected !== sha256)
      throw new GeoIpError("hash", `${nameOf(source)} has the SHA-256 ${sha256}, expected was ${expected}`);
    return { bytes, sha256, version: delivery.version };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof GeoIpError) throw cause;
    throw new GeoIpError("unreadable", `${nameOf(source)}: ${(cause as Error).message}`, { cause });
  } finally {
    timers.clearTimeout(timer);
  }
}

/** For messages and statistics: without what a URL may hold of passwords and keys. */
export function nameOf({ from }: DatabaseSource): string {
  const url = remoteUrl(from);
  return url === undefined ? localPath(from) : url.origin + url.pathname;
}

/** How much is read at once. */
const CHUNK_BYTES = 256 * 1024;
const MAX_HASH_FILE_BYTES = 4096;

function remoteUrl(from: string | URL): URL | undefined {
  if (typeof from === "string" && !/^https?:\/\//i.test(from)) return undefined;
  const url = new URL(from);
  return url.protocol === "file:" ? undefined : url;
}

function localPath(from: string | URL): string {
  return String(from).startsWith("file:") ? fileURLToPath(from) : String(from);
}

async function deliver(
  source: DatabaseSource,
  knownVersion: string | undefined,
  tools: FetchTools,
): Promise<Delivery | undefined> {
  const url = remoteUrl(source.from);
  if (url !== undefined) return download(source, url, knownVersion, tools);
  const file = await open(localPath(source.from));
  const { size, mtimeMs, ino } = await file.stat();
  const version = `${size} ${mtimeMs} ${ino}`;
  if (version === knownVersion) {
    await file.close();
    return undefined;
  }
  return { chunks: chunksOf(file, tools.signal), size, version };
}

/** Closes the file at the end. */
async function* chunksOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(chunk);
      signal.throwIfAborted();
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function download(
  source: DatabaseSource,
  url: URL,
  knownVersion: string | undefined,
  { fetch, signal }: FetchTools,
): Promise<Delivery | undefined> {
  const headers: Record<string, string> = knownVersion === undefined ? {} : { "if-none-match": knownVersion };
  const response = await fetch(url, { signal, headers });
  if (response.status === 304) return undefined;
  // It may have been led to another server.
  const at = new URL(response.url === "" ? url : response.url);
  const isSafe = at.protocol === "https:" || source.sha256 !== undefined;
  if (!response.ok || response.body === null || !isSafe) {
    await response.body?.cancel();
    const why = isSafe ? `answered ${response.status}` : "comes without encryption: its sha256 must be given";
    throw new GeoIpError("unreadable", `${nameOf(source)} ${why}`);
  }
  return { chunks: response.body, version: response.headers.get("etag") ?? undefined };
}

async function expectedHash(source: DatabaseSource, tools: FetchTools): Promise<string | undefined> {
  const { sha256 } = source;
  if (typeof sha256 === "string" && HASH.test(sha256)) return sha256.toLowerCase();
  if (sha256 !== undefined) return readHash(sha256, tools);
  if (remoteUrl(source.from) !== undefined) return undefined;
  return readHash(`${localPath(source.from)}.sha256`, tools).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
}

/** From a file that begins with it. */
async function readHash(from: string | URL, tools: FetchTools): Promise<string> {
  // A hash has no hash of its own; it may come without encryption from where its owner says.
  const delivery = await deliver({ from, sha256: "" }, undefined, tools);
  const text = await gather(delivery!, MAX_HASH_FILE_BYTES, tools.signal);
  const [hash] = text.toString("latin1").split(/\s/, 1);
  if (!HASH.test(hash)) throw new GeoIpError("hash", `${nameOf({ from })} does not begin with a SHA-256`);
  return hash.toLowerCase();
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** All of it, unpacked. */
async function gather({ chunks, size }: Delivery, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    const all = async function* (): AsyncGenerator<Uint8Array> {
      if (first.done !== true) yield first.value;
      yield* { [Symbol.asyncIterator]: () => iterator };
    };
    if (first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b)
      return await unpack(all(), maxBytes, signal);
    return await (size === undefined ? collect(all(), maxBytes) : fill(all(), size, maxBytes));
  } finally {
    // Closes what was not read to its end.
    await iterator.return?.();
  }
}

async function unpack(chunks: AsyncIterable<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const owned = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) yield Buffer.from(chunk);
  };
  let bytes: Buffer = NOTHING;
  const sink = async (unpacked: AsyncIterable<Uint8Array>): Promise<void> => {
    bytes = await collect(unpacked, maxBytes);
  };
  await pipeline(owned, createGunzip({ chunkSize: CHUNK_BYTES }), sink, { signal });
  return bytes;
}

async function fill(chunks: AsyncIterable<Uint8Array>, size: number, maxBytes: number): Promise<Buffer> {
  if (size > maxBytes) throw tooLarge(maxBytes);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > size) throw new GeoIpError("unreadable", "it grew while it was read");
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < size) throw new GeoIpError("unreadable", "it shrank while it was read");
  return bytes;
}

/** Keeps the chunks until their number is known. */
async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    pieces.push(chunk);
  }
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    bytes.set(piece, at);
    at += piece.length;
    pieces[i] = NOTHING;
    if (i % PIECES_PER_TURN === 0) await nextTurn();
  }
  return bytes;
}

function tooLarge(maxBytes: number): GeoIpError {
  return new GeoIpError("tooLarge", `it has more than ${maxBytes} bytes`);
}

const HASH = /^[0-9a-f]{64}$/i;
const NOTHING = Buffer.alloc(0);
const PIECES_PER_TURN = 16;
