import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { writeClose } from "./close-frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { FRAME_DATAGRAM, FRAME_FRAGMENT, FRAME_HELLO, FRAME_ORDERED, FRAME_STREAM } from "./frames.ts";
import { startsWithHello, writeHello } from "./hello.ts";

/** One payload with most kinds of frames in it. */
function sample(): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(1200));
  const extensions = [{ id: 5, value: Uint8Array.of(9, 9) }];
  writeHello(writer, { version: 1, schemaHash: new Uint8Array(8).fill(7), extensions });
  writer.bytes(Uint8Array.of(0x02, 0x41, 0x00, 0x03, 0x01, 0x02, 0x00, 0x01)); // ACK
  writer.bytes(Uint8Array.of(0x01, 0x00, 0x00)); // PING, PADDING
  writer.bytes(Uint8Array.of(0x10, 0x80, 0x02, 0x00, 0x00)); // MAX_DATA
  writer.bytes(Uint8Array.of(0x1a, 1, 2, 3, 4, 5, 6, 7, 8)); // PATH_CHALLENGE
  writer.bytes(Uint8Array.of(0x31, 0x02, 1, 2)); // DATAGRAM
  writer.bytes(Uint8Array.of(0x40, 0x43, 0x05, 0x03, 1, 2, 3)); // ordered
  writer.bytes(Uint8Array.of(0x40, 0x45, 0x05, 0x01, 0x01, 0x02, 1, 2)); // last fragment of two
  writer.bytes(Uint8Array.of(0x0e, 0x00, 0x40, 0x64, 0x03, 1, 2, 3)); // STREAM at 100
  writeClose(writer, true, 3, "bye");
  return writer.written().slice();
}

/** Walks a payload; checks what every frame must keep to. Returns the kinds read. */
function walk(reader: FrameReader, payload: Uint8Array): number[] {
  const buffer = new Uint8Array(payload.length + 20);
  buffer.set(payload, 10);
  reader.reset(buffer, 10, payload.length);
  const kinds: number[] = [];
  while (reader.next()) {
    kinds.push(reader.kind);
    assert.ok(kinds.length <= payload.length);
    const hasData = [FRAME_STREAM, FRAME_DATAGRAM, FRAME_ORDERED, FRAME_FRAGMENT].includes(reader.kind);
    if (hasData) assert.ok(reader.dataOffset >= 10 && reader.dataOffset + reader.dataLength <= 10 + payload.length);
    if (reader.kind !== FRAME_FRAGMENT) continue;
    assert.ok(reader.lastFragment >= 1 && reader.lastFragment <= 255 && reader.fragment <= reader.lastFragment);
    assert.ok(reader.dataLength > 0);
  }
  return kinds;
}

test("a payload of all frames is read frame by frame", () => {
  const reader = new FrameReader();
  assert.deepEqual(walk(reader, sample()), [0x40, 0x02, 0x01, 0x10, 0x1a, 0x30, 0x42, 0x44, 0x08, 0x1d]);
  assert.equal(reader.error, 0);
});

test("every truncation of a payload ends between frames or with an error", () => {
  const reader = new FrameReader();
  const whole = sample();
  let clean = 0;
  for (let length = 0; length < whole.length; length++) {
    walk(reader, whole.slice(0, length));
    if (reader.error === 0) clean++;
  }
  assert.equal(clean, 10 + 2, "ten starts of frames, and behind either PADDING");
});

test("garbage and bit flips never throw or point outside the payload", () => {
  const reader = new FrameReader();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
      walk(reader, bytes);
    }),
    { seed: 5, numRuns: 3000 },
  );
  const whole = sample();
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    walk(reader, flipped);
  }
});

test("frame types are accepted in their shortest form only, and unknown ones are errors", () => {
  const reader = new FrameReader();
  for (const bytes of [[0x40, 0x01], [0x41, 0x00], [0x80, 0, 0, 0x42], [0x04], [0x7f], [0x40, 0x41], [0x40]]) {
    walk(reader, Uint8Array.from(bytes));
    assert.equal(reader.error, 7, bytes.join(" "));
  }
});

test("fragments without data or with a wrong number are malformed", () => {
  const reader = new FrameReader();
  const fragment = (index: number, last: number, size: number): number => {
    const writer = new ByteWriter(new Uint8Array(1200));
    writer.bytes(Uint8Array.of(0x40, 0x44, 0x00, index, last));
    writer.zeros(size);
    walk(reader, writer.written().slice());
    return reader.error;
  };
  assert.equal(fragment(0, 1, 1024), 0);
  assert.equal(fragment(1, 1, 1), 0);
  assert.equal(fragment(0, 1, 0), 7);
  assert.equal(fragment(1, 1, 0), 7);
  assert.equal(fragment(2, 1, 10), 7);
  assert.equal(fragment(0, 0, 10), 7);
});

test("a hello of another version tells its version and hides the rest", () => {
  const whole = sample();
  assert.equal(startsWithHello(whole, 0, whole.length), true);
  assert.equal(startsWithHello(whole, 0, 9), false);
  whole[10] = 2;
  const reader = new FrameReader();
  reader.reset(whole, 0, whole.length);
  assert.equal(reader.next(), true);
  assert.deepEqual([reader.kind, reader.hello?.version], [FRAME_HELLO, 2]);
  assert.equal(reader.next(), false);
  assert.equal(reader.error, 0);
});
