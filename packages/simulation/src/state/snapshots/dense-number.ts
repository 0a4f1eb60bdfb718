import type { RangeDecoder, RangeEncoder } from "@riposte/wire";

/**
 * How the dense encoder sends one number: how far it is from where it was expected. Is it there; on which side; how
 * many bits has the distance; the two bits after the topmost one; the rest plainly. All but the rest are questions with
 * models, chosen by how far the number was expected to move and by how far off the number before it was.
 */

/** Classes of the way that a number was expected to go: unknown, none, and four sizes. */
const WAYS = 6;
/** Classes of how far off the number before it was, in bits: 0 to 4, and more. */
const SIBLINGS = 6;
const PAIRS: number = WAYS * SIBLINGS;
/** Lengths with models by class; those of longer ones are common. */
const SHORT = 8;
const LENGTHS = 32;
/** By class of way and its direction. */
const SIDES: number = WAYS * 3;
/** Topmost bits: by length, 3 questions each. */
const LEADING_LENGTHS = 14;

const LENGTH_AT = PAIRS;
const LONG_AT: number = LENGTH_AT + PAIRS * SHORT;
const SIDE_AT: number = LONG_AT + LENGTHS;
const LEADING_AT: number = SIDE_AT + SIDES;
/** Models of one number. */
export const NUMBER_MODELS: number = LEADING_AT + LEADING_LENGTHS * 3;

/** Bits of a distance: 0 for 0. */
export function lengthOf(distance: number): number {
  return 32 - Math.clz32(distance < 0 ? -distance : distance);
}

/** The class of an expected way; `known`: whether it follows from anything. */
function wayClass(way: number, known: boolean): number {
  if (!known) return 0;
  if (way === 0) return 1;
  const size = lengthOf(way) >> 1;
  return size < 2 ? 2 : size > 4 ? 5 : 1 + size;
}

/** `distance` is below 2^30 either way; `sibling` the length of the distance before it in the record. */
export function writeNumber(
  encoder: RangeEncoder,
  models: Int32Array,
  at: number,
  distance: number,
  way: number,
  known: boolean,
  sibling: number,
): void {
  const ways = wayClass(way, known);
  const pair = ways * SIBLINGS + (sibling < SIBLINGS ? sibling : SIBLINGS - 1);
  encoder.bit(models, at + pair, distance === 0 ? 1 : 0);
  if (distance === 0) return;
  encoder.bit(models, at + SIDE_AT + ways * 3 + directionOf(way), distance < 0 ? 1 : 0);
  const size = distance < 0 ? -distance : distance;
  const length = lengthOf(size);
  for (let n = 1; n <= length; n++) {
    const question = n <= SHORT ? LENGTH_AT + pair * SHORT + n - 1 : LONG_AT + n - 1;
    encoder.bit(models, at + question, n < length ? 1 : 0);
  }
  let left = length - 1;
  const leading = at + LEADING_AT + (length < LEADING_LENGTHS ? length : LEADING_LENGTHS - 1) * 3;
  for (let n = 0, question = 0; n < 2 && left > 0; n++) {
    const bit = (size >> --left) & 1;
    encoder.bit(models, leading + question, bit);
    question = 1 + bit;
  }
  encoder.bits(size, left);
}

/** The distance; fails the decoder when it has 31 bits or more. */
export function readNumber(
  decoder: RangeDecoder,
  models: Int32Array,
  at: number,
  way: number,
  known: boolean,
  sibling: number,
): number {
  const ways = wayClass(way, known);
  const pair = ways * SIBLINGS + (sibling < SIBLINGS ? sibling : SIBLINGS - 1);
  if (decoder.bit(models, at + pair) === 1) return 0;
  const negative = decoder.bit(models, at + SIDE_AT + ways * 3 + directionOf(way)) === 1;
  let length = 1;
  while (decoder.bit(models, at + (length <= SHORT ? LENGTH_AT + pair * SHORT : LONG_AT) + length - 1) === 1) {
    if (++length > 30) {
      decoder.failed = true;
      return 0;
    }
  }
  let left = length - 1;
  let size = 1;
  const leading = at + LEADING_AT + (length < LEADING_LENGTHS ? length : LEADING_LENGTHS - 1) * 3;
  for (let n = 0, question = 0; n < 2 && left > 0; n++) {
    const bit = decoder.bit(models, leading + question);
    size = (size << 1) | bit;
    question = 1 + bit;
    left--;
  }
  size = (size << left) | decoder.bits(left);
  return negative ? -size : size;
}

function directionOf(way: number): number {
  return way === 0 ? 0 : way > 0 ? 1 : 2;
}
