import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BitReader, BitWriter } from "@riposte/wire";
import * as fc from "fast-check";
import {
  angle,
  bool,
  bytes,
  defineInput,
  enumeration,
  f32,
  float,
  int,
  list,
  quaternion,
  text,
  uint,
  valuesToWords,
  vec2,
} from "../../state/index.ts";
import type { Fields, InputDefinition } from "../../state/index.ts";
import { InputCodec } from "./input-codec.ts";
import { inputCopies, MAX_COPIES, MIN_COPIES } from "./input-copies.ts";
import { PredictionUtils } from "../prediction-utils.ts";

const { compressInput, decompressInput } = PredictionUtils;

const Keys = defineInput({
  up: bool(),
  down: bool(),
  left: bool(),
  right: bool(),
  fire: bool(),
  orb: bool(),
  dash: bool(),
  aim: angle({ bits: 11 }),
});

const switches = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key${i}`, bool()]));

/** Every kind of field, and every shape of a record. */
const definitions: readonly InputDefinition[] = [
  Keys,
  defineInput({ fire: bool() }),
  defineInput({ aim: angle({ bits: 16 }) }),
  defineInput(switches),
  defineInput({
    small: uint({ max: 5 }),
    tiny: uint({ max: 3 }),
    wide: uint({ max: 0xffffffff }),
    turn: angle({ bits: 4 }),
  }),
  defineInput({
    move: vec2(float({ min: -1, max: 1, step: 1 / 64 })),
    x: int({ min: -1000, max: 1000 }),
    exact: f32(),
    weapon: enumeration(["bow", "axe", "none"]),
    look: quaternion({ bits: 9 }),
    say: text({ maxBytes: 8 }),
    raw: bytes({ maxBytes: 5 }),
    items: list(uint({ max: 9 }), { max: 4 }),
    late: bool(),
    y: float({ min: 0, max: 1, step: 1 / 1000 }),
  }),
];

/** Settled records of a definition, near each other. */
function records(definition: InputDefinition, random: () => number, count: number): Int32Array[] {
  const raw = new Uint8Array(4000);
  const made: Int32Array[] = [];
  const codec = new InputCodec(definition);
  let base = definition.initialWords;
  // Whatever can be read is a settled record: random bits are a good source of them.
  while (made.length < count) {
    for (let i = 0; i < raw.length; i++) raw[i] = random() * 256;
    const words = new Int32Array(definition.wordCount);
    if (!codec.read(words, 0, base, 0, new BitReader(raw))) continue;
    made.push(words);
    base = words;
  }
  return made;
}

function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
}

describe("InputCodec", () => {
  it("gives back every record, against any other", () => {
    const buffer = new Uint8Array(4000);
    for (const definition of definitions) {
      const codec = new InputCodec(definition);
      const all = [definition.initialWords, ...records(definition, numbers(7), 200)];
      for (let i = 1; i < all.length; i++) {
        for (const base of [all[i - 1], all[0], all[i]]) {
          const writer = new BitWriter(buffer);
          codec.write(all[i], 0, base, 0, writer);
          if (base === all[i]) assert.equal(writer.bitLength, 1);
          const words = new Int32Array(definition.wordCount);
          const reader = new BitReader(buffer, 0, writer.finish());
          assert.ok(codec.read(words, 0, base, 0, reader));
          assert.deepEqual(words, all[i]);
          assert.equal(Math.ceil(reader.bitOffset / 8) * 8, reader.finish() * 8);
        }
      }
    }
  });

  it("takes hostile bits for records in range, or refuses them", () => {
    let good = 0;
    fc.assert(
      fc.property(fc.nat(definitions.length - 1), fc.uint8Array({ maxLength: 60 }), (which, bits) => {
        const definition = definitions[which];
        const words = new Int32Array(definition.wordCount);
        const reader = new BitReader(bits);
        if (!new InputCodec(definition).read(words, 0, definition.initialWords, 0, reader)) return;
        good++;
        assert.ok(reader.bitOffset <= bits.length * 8);
        assert.deepEqual(settled(definition, words), words, "settling changes nothing");
      }),
      { seed: 41, numRuns: 5000 },
    );
    assert.ok(good > 500, `${good}`);
  });

  it("takes few bits for what players do", () => {
    const still = { up: true, aim: 1 };
    const cost = (changes: Readonly<Record<string, unknown>>): number =>
      compressInput(Keys, { ...still, ...changes }, still, new BitWriter(new Uint8Array(64)));
    const level = (2 * Math.PI) / 2048;
    assert.equal(cost({}), 1);
    assert.equal(cost({ fire: true }), 7, "one key: changed, keys, one of them, which (3), not the aim");
    assert.equal(cost({ fire: true, up: false }), 11);
    assert.equal(cost({ aim: 1 + level }), 7, "up to 4 levels");
    assert.equal(cost({ aim: 1 - 20 * level }), 9, "up to 20 levels: 3.5 degrees");
    assert.equal(cost({ aim: 1 + 84 * level }), 11, "up to 84 levels: 14.8 degrees");
    assert.equal(cost({ aim: 1 + 85 * level }), 15, "any");
  });

  it("says plain values, too", () => {
    const buffer = new Uint8Array(64);
    const before = { left: true, aim: 2 };
    const writer = new BitWriter(buffer);
    compressInput(Keys, { right: true, aim: 2.1 }, before, writer);
    const read = decompressInput(Keys, before, new BitReader(buffer, 0, writer.finish()));
    assert.equal(read?.right, true);
    assert.equal(read?.left, false);
    assert.ok(Math.abs((read?.aim ?? 0) - 2.1) <= Math.PI / 2048);
    assert.equal(decompressInput(Keys, before, new BitReader(new Uint8Array(0))), undefined);
  });
});

describe("inputCopies", () => {
  it("is the fewest that keep the aim", () => {
    assert.equal(inputCopies({ lossRate: 0 }), MIN_COPIES);
    assert.equal(inputCopies({ lossRate: Number.NaN }), MIN_COPIES);
    assert.equal(inputCopies({ lossRate: 1 }), MAX_COPIES);
    for (const aim of [1e-3, 1e-4, 1e-6]) {
      for (let lossRate = 0.01; lossRate < 0.5; lossRate += 0.01) {
        for (const meanBurstPackets of [1, 2, 3]) {
          const copies = inputCopies({ lossRate, meanBurstPackets, aim });
          const next = Math.max(lossRate, 1 - 1 / meanBurstPackets);
          const lost = (sent: number): number => lossRate * next ** (sent - 1);
          if (copies < MAX_COPIES) assert.ok(lost(copies) <= aim * 1.000001);
          if (copies > MIN_COPIES) assert.ok(lost(copies - 1) > aim * 0.999999);
        }
      }
    }
    assert.equal(inputCopies({ lossRate: 0.05 }), 4);
    assert.equal(inputCopies({ lossRate: 0.2 }), 6);
    assert.equal(inputCopies({ lossRate: 0.05, meanBurstPackets: 3 }), 17);
  });

  it("keeps the aim on a link that loses so", () => {
    const random = numbers(99);
    for (const [lossRate, meanBurstPackets] of [
      [0.2, 1],
      [0.1, 3],
    ]) {
      const copies = inputCopies({ lossRate, meanBurstPackets, aim: 1e-3 });
      // Gilbert's model: bursts of that mean length, as many as make that rate.
      const stop = meanBurstPackets > 1 ? 1 / meanBurstPackets : 1 - lossRate;
      const start = (lossRate * stop) / (1 - lossRate);
      let lost = false;
      let run = 0;
      let gone = 0;
      const packets = 400_000;
      for (let i = 0; i < packets; i++) {
        lost = random() < (lost ? 1 - stop : start);
        run = lost ? run + 1 : 0;
        if (run >= copies) gone++;
      }
      assert.ok(gone / packets <= 1.3e-3, `${gone} of ${packets} with ${copies} copies`);
      assert.ok(gone > 0, "the test is long enough to tell");
    }
  });
});

function wordsOf<F extends Fields>(
  definition: InputDefinition<F>,
  words: Int32Array,
): Readonly<Record<string, unknown>> {
  const read = decompressed(definition, words);
  assert.ok(read !== undefined);
  return read;
}

function decompressed(definition: InputDefinition, words: Int32Array): Readonly<Record<string, unknown>> | undefined {
  const buffer = new Uint8Array(4000);
  const writer = new BitWriter(buffer);
  new InputCodec(definition).write(words, 0, definition.initialWords, 0, writer);
  return decompressInput(definition, undefined, new BitReader(buffer, 0, writer.finish()));
}

function settled(definition: InputDefinition, words: Int32Array): Int32Array {
  const again = new Int32Array(definition.wordCount);
  valuesToWords(definition, wordsOf(definition, words), again);
  return again;
}
