/** What takes bits, and what gives them: plain ones (`BitWriter`, `BitReader`) or those of a range coder. */

export interface BitSink {
  /** The low `count` (0 to 32) bits of `value`. */
  bits(value: number, count: number): void;
}

export interface BitSource {
  failed: boolean;
  readonly remainingBits: number;
  bits(count: number): number;
}
