import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader, BitWriter } from "@riposte/wire";
import { AdaptiveSizes, readGolomb, writeGolomb } from "./adaptive-code.ts";
import * as state from "./index.ts";

void test("Golomb codes come back, and garbage ends", () => {
  const property = fc.property(fc.array(fc.tuple(fc.nat(0x1ffff), fc.nat(8)), { maxLength: 20 }), (numbers) => {
    const writer = new BitWriter(new Uint8Array(400));
    for (const [value, order] of numbers) writeGolomb(writer, value, order);
    const reader = new BitReader(writer.buffer, 0, writer.finish());
    for (const [value, order] of numbers) assert.equal(readGolomb(reader, order), value);
    assert.equal(reader.failed, false);
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
  const ones = new BitReader(new Uint8Array(100).fill(255));
  readGolomb(ones, 0);
  assert.ok(ones.failed);
});

void test("adaptive sizes learn the same on both sides", () => {
  const number = fc.record({
    context: fc.nat(2),
    bits: fc.integer({ min: 3, max: 30 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const property = fc.property(fc.array(number, { maxLength: 60 }), (numbers) => {
    const writing = new AdaptiveSizes([0, 100, 2 ** 29]);
    const writer = new BitWriter(new Uint8Array(1000));
    const values = numbers.map(({ bits, share }) => Math.floor(share * (2 ** (bits + 1) - 1)));
    numbers.forEach(({ context, bits }, i) =>
      writing.write(writer, context, values[i], values[i] & (2 ** bits - 1), bits),
    );
    const reading = new AdaptiveSizes([0, 100, 2 ** 29]);
    const reader = new BitReader(writer.buffer, 0, writer.finish());
    numbers.forEach(({ context, bits }, i) => {
      const value = reading.read(reader, context, bits);
      if (value >= 0) return assert.equal(value, values[i]);
      assert.equal(reader.bits(bits), values[i] & (2 ** bits - 1));
      reading.learn(context, values[i]);
    });
    assert.equal(reader.failed, false);
  });
  fc.assert(property, { seed: 4, numRuns: 150 });
});

void test("small numbers cost few bits once they are usual", () => {
  const sizes = new AdaptiveSizes([1000]);
  const writer = new BitWriter(new Uint8Array(100));
  for (let i = 0; i < 10; i++) sizes.write(writer, 0, 3, 3, 16);
  const learning = writer.bitLength;
  for (let i = 0; i < 10; i++) sizes.write(writer, 0, 3, 3, 16);
  assert.ok(writer.bitLength - learning <= 45);
});

const keys = {
  up: state.bool(),
  down: state.bool(),
  left: state.bool(),
  right: state.bool(),
  fire: state.bool(),
  dash: state.bool(),
};
const Input = state.defineInput({ ...keys, aim: state.angle({ bits: 10 }) });

void test("an unchanged input takes 1 bit, a turned aim under 16", () => {
  const first = new Int32Array(Input.wordCount);
  const second = new Int32Array(Input.wordCount);
  state.valuesToWords(Input, { up: true, aim: 1 }, first);
  state.valuesToWords(Input, { up: true, aim: 1.05 }, second);
  const writer = new BitWriter(new Uint8Array(100));
  state.encodeRecord(Input, first, 0, first, 0, writer);
  assert.equal(writer.bitLength, 1);
  state.encodeRecord(Input, second, 0, first, 0, writer);
  assert.ok(writer.bitLength - 1 < 16, `${writer.bitLength - 1}`);
  const reader = new BitReader(writer.buffer, 0, writer.finish());
  const read = new Int32Array(Input.wordCount);
  assert.ok(state.decodeRecord(Input, read, 0, first, 0, reader));
  assert.deepEqual(read, first);
  assert.ok(state.decodeRecord(Input, read, 0, first, 0, reader));
  assert.deepEqual(read, second);
});

const Chat = state.defineFields({
  text: state.text({ maxBytes: 40 }),
  team: state.bool(),
  at: state.vec3(state.f32()),
  targets: state.list(state.entity(), { max: 5 }),
  blob: state.bytes({ maxBytes: 6 }),
  mood: state.enumeration(["calm", "cross"]),
});

void test("message fields come back as plain values of their own", () => {
  const values: state.Values<(typeof Chat)["fields"]> = {
    text: "grüezi 🎯",
    team: true,
    at: { x: 1.5, y: -2, z: 0.25 },
    targets: [5, -1, 70000],
    blob: Uint8Array.of(1, 2, 3),
    mood: "cross",
  };
  const writer = new BitWriter(new Uint8Array(200));
  state.encodeFields(Chat, values, writer);
  state.encodeFields(Chat, {}, writer);
  const reader = new BitReader(writer.buffer, 0, writer.finish());
  const read = state.decodeFields(Chat, reader);
  const neutral = state.decodeFields(Chat, reader);
  assert.deepEqual(read, values);
  assert.deepEqual(neutral, {
    text: "",
    team: false,
    at: { x: 0, y: 0, z: 0 },
    targets: [],
    blob: new Uint8Array(0),
    mood: "calm",
  });
});

void test("message fields off a hostile wire are values or nothing, never an exception", () => {
  const writer = new BitWriter(new Uint8Array(200));
  state.encodeFields(Chat, { text: "hello", targets: [1, 2], blob: Uint8Array.of(9) }, writer);
  const honest = writer.buffer.slice(0, writer.finish());
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.nat(honest.length).map((length) => honest.slice(0, length)),
    fc.array(fc.nat(honest.length * 8 - 1), { minLength: 1, maxLength: 5 }).map((flips) => {
      const flipped = honest.slice();
      for (const bit of flips) flipped[bit >> 3] ^= 1 << (bit & 7);
      return flipped;
    }),
  );
  let refused = 0;
  const property = fc.property(bytes, (wire) => {
    const reader = new BitReader(wire);
    const values = state.decodeFields(Chat, reader);
    if (values === undefined) {
      refused++;
      assert.ok(reader.failed);
      return;
    }
    assert.ok(
      new TextEncoder().encode(values.text).length <= 40 && values.targets.length <= 5 && values.blob.length <= 6,
    );
    // What was let through can be sent on as it is.
    const again = new BitWriter(new Uint8Array(400));
    state.encodeFields(Chat, values, again);
    assert.deepEqual(state.decodeFields(Chat, new BitReader(again.buffer, 0, again.finish())), values);
  });
  fc.assert(property, { seed: 6, numRuns: 500 });
  assert.ok(refused > 100 && refused < 500);
});

void test("a record of many fields, of every width", () => {
  const fields: Record<string, state.Field<number, number>> = {};
  for (let i = 0; i < 100; i++) fields[`f${i}`] = state.uint({ bits: (i % 32) + 1 });
  const definition = state.defineFields(fields);
  const property = fc.property(fc.infiniteStream(fc.nat(2 ** 31 - 1)), (stream) => {
    const words = (): Int32Array => {
      const made = new Int32Array(definition.wordCount);
      const values: Record<string, number> = {};
      for (const [i, value] of [...stream.take(100)].entries()) values[`f${i}`] = value % 2 ** ((i % 32) + 1);
      state.valuesToWords(definition, values, made);
      return made;
    };
    const base = words();
    const target = words();
    for (let i = 0; i < 100; i += 3) target[i] = base[i];
    const writer = new BitWriter(new Uint8Array(2000));
    state.encodeRecord(definition, target, 0, base, 0, writer);
    const read = new Int32Array(definition.wordCount);
    assert.ok(state.decodeRecord(definition, read, 0, base, 0, new BitReader(writer.buffer, 0, writer.finish())));
    assert.deepEqual(read, target);
  });
  fc.assert(property, { seed: 9, numRuns: 50 });
});

function hashOf(fields: state.Fields, ...more: unknown[]): string {
  return state.schemaHash(state.defineState(fields), ...more).join();
}

void test("the schema hash changes with whatever the codec depends on, and with nothing else", () => {
  const x = state.float({ min: 0, max: 1, step: 0.1 });
  const same = hashOf({ x, y: x });
  assert.equal(hashOf({ x: state.float({ min: 0, max: 1, step: 0.1, blend: "step" }), y: x }), same);
  const others = [
    hashOf({ y: x, x }),
    hashOf({ x, z: x }),
    hashOf({ x, y: state.float({ min: 0, max: 1, step: 0.2 }) }),
    hashOf({ x, y: state.float({ min: 0, max: 1, step: 0.1, audience: "owner" }) }),
    hashOf({ x, y: state.vec2(x) }),
    hashOf({ x, y: state.float({ min: 0, max: 1, step: 0.1, velocity: "x" }) }),
    hashOf({ x, y: x }, 60),
    hashOf({ x, y: x }, 30),
  ];
  assert.equal(new Set([same, ...others]).size, others.length + 1);
  // FNV-1a's own test vector: the hash of "[]" is what the reference implementation gives.
  assert.deepEqual([...state.schemaHash()], [...fnv1a("[]")]);
});

/** The textbook form, with big integers. */
function fnv1a(text: string): Uint8Array {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return Uint8Array.from({ length: 8 }, (_, i) => Number((hash >> BigInt(56 - i * 8)) & 0xffn));
}
