import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader, BitWriter, NEW_MODEL, RangeDecoder, RangeEncoder } from "./index.ts";

const MODELS = 5;

interface Step {
  readonly model: number;
  readonly value: number;
  readonly count: number;
}

/** Answers to one of the models' questions, or plain bits where `model` is `MODELS`. */
const steps = fc.array(
  fc.record({ model: fc.nat(MODELS), value: fc.nat(0xffffffff), count: fc.integer({ min: 0, max: 32 }) }),
  { maxLength: 400 },
);

function encode(sequence: readonly Step[], skipped: number, buffer: Uint8Array): BitWriter {
  const writer = new BitWriter(buffer);
  writer.bits(0, skipped);
  const models = new Int32Array(MODELS).fill(NEW_MODEL);
  const encoder = new RangeEncoder().start(writer);
  for (const { model, value, count } of sequence) {
    if (model === MODELS) encoder.bits(value, count);
    // Every model's answers are more lopsided than the one's before.
    else encoder.bit(models, model, value % (model + 1) ** 4 === 0 ? 1 : 0);
  }
  encoder.finish();
  return writer;
}

void test("what is encoded is decoded, from any bit of the writer on, whatever the answers are", () => {
  const buffer = new Uint8Array(4000);
  fc.assert(
    fc.property(steps, fc.nat(7), (sequence, skipped) => {
      const end = encode(sequence, skipped, buffer).finish();
      const reader = new BitReader(buffer, 0, end);
      reader.bits(skipped);
      const models = new Int32Array(MODELS).fill(NEW_MODEL);
      const decoder = new RangeDecoder().start(reader);
      for (const { model, value, count } of sequence) {
        if (model === MODELS)
          assert.equal(decoder.bits(count), count === 0 ? 0 : (value << (32 - count)) >>> (32 - count));
        else assert.equal(decoder.bit(models, model), value % (model + 1) ** 4 === 0 ? 1 : 0);
      }
      assert.equal(decoder.finish(), true);
    }),
    { seed: 3, numRuns: 300 },
  );
});

void test("answers cost what they are worth: rare surprises next to nothing, coin flips a bit", () => {
  const buffer = new Uint8Array(4000);
  const size = (model: number, every: number): number => {
    const answers = Array.from({ length: 10_000 }, (_, i) => ({ model, value: i % every === 0 ? 0 : 1, count: 1 }));
    return encode(answers, 0, buffer).bitLength;
  };
  assert.ok(size(1, 100_000) < 60, `all the same: ${size(1, 100_000)} bits`);
  // An answer in 50 is a surprise: 0.141 bits each at best.
  assert.ok(size(1, 50) < 1700, `one in fifty: ${size(1, 50)} bits`);
  const plain = Array.from({ length: 1000 }, () => ({ model: MODELS, value: 0xa5a5a5, count: 24 }));
  assert.ok(Math.abs(encode(plain, 0, buffer).bitLength - 24_000) <= 8);
});

void test("arbitrary bytes are answered, and reading on and on fails", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const models = new Int32Array(MODELS).fill(NEW_MODEL);
      const decoder = new RangeDecoder().start(new BitReader(bytes));
      let read = 0;
      while (!decoder.failed && read < 10_000) read += decoder.bits(1) >= 0 ? 1 : 0;
      assert.ok(read <= bytes.length * 8 + 40);
      assert.equal(decoder.finish(), false);
      assert.ok(decoder.bit(models, 0) <= 1);
    }),
    { seed: 4, numRuns: 200 },
  );
});

void test("a writer that is too small is failed, as ever", () => {
  const writer = encode(
    [
      { model: MODELS, value: 1, count: 32 },
      { model: MODELS, value: 1, count: 32 },
    ],
    0,
    new Uint8Array(4),
  );
  assert.equal(writer.failed, true);
});
