import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import * as fc from "fast-check";
import { readJsonBody } from "./read-body.ts";
import type { JsonBody } from "./read-body.ts";

const MAX_BYTES = 64;

/** A request as far as its body is concerned. */
function request(chunks: readonly Uint8Array[], contentLength?: string): IncomingMessage {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const headers = contentLength === undefined ? {} : { "content-length": contentLength };
  return Object.assign(stream, { headers }) as unknown as IncomingMessage;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is to come of these bytes. */
function check(body: JsonBody, bytes: Buffer): void {
  if (bytes.length > MAX_BYTES) {
    assert.equal(body.ok ? 200 : body.status, 413);
    return;
  }
  const value = bytes.length === 0 ? {} : parsed(bytes.toString("utf8"));
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject) assert.deepEqual(body, { ok: true, value });
  else assert.ok(!body.ok && body.status === 400 && body.message.length > 10);
}

test("any bytes, in any pieces: a JSON object within the limit, or a status that says what is wrong", async () => {
  const json = fc.json({ depthSize: "small" }).map((text) => new Uint8Array(Buffer.from(text)));
  const record = fc
    .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
    .map((value) => new Uint8Array(Buffer.from(JSON.stringify(value))));
  const bodies = fc.oneof(fc.uint8Array({ maxLength: 100 }), json, record);
  await fc.assert(
    fc.asyncProperty(bodies, fc.array(fc.nat(100), { maxLength: 4 }), async (bytes, cuts) => {
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
      const chunks = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
      check(await readJsonBody(request(chunks), MAX_BYTES), Buffer.from(bytes));
    }),
    { seed: 41, numRuns: 1500 },
  );
});

test("a length that is announced above the limit is refused unread, whatever else the header says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ maxLength: 12 }), fc.nat().map(String)), async (length) => {
      const body = await readJsonBody(request([Buffer.from("{}")], length), MAX_BYTES);
      if (Number(length) > MAX_BYTES) assert.equal(body.ok ? 200 : body.status, 413);
      else assert.deepEqual(body, { ok: true, value: {} });
    }),
    { seed: 42, numRuns: 300 },
  );
});

test("a request that breaks off is refused", async () => {
  const stream = new Readable({ read() {} });
  stream.push("{");
  const reading = readJsonBody(Object.assign(stream, { headers: {} }) as unknown as IncomingMessage, MAX_BYTES);
  stream.destroy(new Error("the socket is gone"));
  const body = await reading;
  assert.equal(body.ok ? 200 : body.status, 400);
});
